"""Shuffled image batches in a training process: Inkstream beside what one would otherwise pick.

Run it through run.sh, which sets up what it needs. Every contender starts from the same
NDJSON and gives batches of 256 uint8 images with labels, in shuffled order, to one loop; each
runs in processes of its own, one after the other. Writes results/peers.json, peers.md and
peers.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CONTENDERS = {
    "redis": "redis_images:Redis",
    "redis-mget": "redis_images:RedisMany",
    "files": "files:Files",
    "pandas": "strokes:Frame",
    "lmdb": "strokes:Lmdb",
    "mosaic": "shards:Mosaic",
    "webdataset": "shards:Web",
    "flight": "flight:Flight",
    "pixels": "pixels:Pixels",
    "inkstream-tcp": "ours:Tcp",
    "inkstream-unix": "ours:Unix",
    "inkstream-open": "ours:Open",
    "inkstream-view": "ours:View",
}
PACKAGES = [
    "numpy", "torch", "grpcio", "redis", "opencv-python-headless", "pandas", "lmdb",
    "zstandard", "mosaicml-streaming", "webdataset", "pyarrow", "ray",
]  # fmt: skip
SHARING = ("summing", "between_processes")
WARM_UP = 8  # batches


def why_not(name: str) -> str:
    """What a contender lacks; empty: nothing."""
    if name.startswith("redis") and not shutil.which("redis-server"):
        return "redis-server is not installed (run.sh --setup installs it)"
    return ""


def one(name: str, ndjson: Path, drawings: int, side: int, seconds: float) -> dict[str, Any]:
    """Runs one contender in this process."""
    from contenders.drawings import BATCH, Drawings

    module, _, kind = CONTENDERS[name].partition(":")
    source = Drawings(ndjson, drawings)
    with tempfile.TemporaryDirectory(prefix="peers") as folder:
        contender = getattr(importlib.import_module(f"contenders.{module}"), kind)(
            source, Path(folder) / "data", side
        )
        started = time.perf_counter()
        contender.prepare()
        prepared = time.perf_counter() - started
        try:
            batches = contender.batches()
            for _ in range(WARM_UP):
                images, labels = next(batches)
                assert len(images) == len(labels) == BATCH, (images.shape, labels.shape)
                assert tuple(images.shape[-2:]) == (side, side), images.shape
            count, cpu = 0, cpu_seconds()
            started = time.perf_counter()
            while (took := time.perf_counter() - started) < seconds:
                images, labels = next(batches)
                count += len(labels)
            cpu = cpu_seconds() - cpu
            del batches, images, labels
        finally:
            contender.stop()
    return {
        "name": contender.name,
        "note": contender.note,
        "drawings_per_s": round(count / took),
        "cpu_s_per_million": round(1e6 * cpu / count, 1),
        "prepare_s": round(prepared, 2),
    }


def in_own_process(arguments: list[str], limit: float) -> tuple[dict[str, Any] | None, str]:
    """One contender's figures, or None and why."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--one", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # with its workers and servers, so that all can be ended
    )
    try:
        told, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return None, f"took longer than {limit:g} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind, too
        process.communicate()
    if process.returncode or not told.strip():
        return None, (errors.strip().splitlines() or ["no reason given"])[-1]
    figures: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    return figures, ""


def cpu_seconds() -> float:
    """Of this process, its ended children and its living descendants."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = sum(usage.ru_utime + usage.ru_stime for usage in own)
    family = {os.getpid()}
    for entry in sorted(int(e) for e in os.listdir("/proc") if e.isdigit()):
        try:
            words = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) in family:
            family.add(entry)
            spent += sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")
    return spent


def machine() -> dict[str, Any]:
    """What the figures belong to."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    versions["redis-server"] = "not installed"
    if program := shutil.which("redis-server"):
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        versions["redis-server"] = told.stdout.partition("v=")[2].split()[0]
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": versions,
    }


def run(flags: argparse.Namespace, kept: dict[str, Any]) -> dict[str, Any]:
    """All of them, each in a process of its own; added to what is kept."""
    result: dict[str, Any] = {
        "machine": machine(),
        "drawings": flags.drawings,
        "batch": 256,
        "seconds": flags.seconds,
        "loaders": {},
        "failed": {},
        "sharing": {},
        "portions": kept.get("portions", 0) + 1,
    }
    differs = [name for name in ("drawings", "seconds") if kept.get(name) != result[name]]
    if kept and differs:
        raise SystemExit(f"--add: {differs[0]} was {kept.get(differs[0])}, is {result[differs[0]]}")
    result |= {name: kept[name] for name in ("loaders", "failed", "sharing") if name in kept}
    with tempfile.TemporaryDirectory(prefix="peers") as folder:
        ndjson = flags.data
        if ndjson is None:
            ndjson = Path(folder) / "drawings.ndjson"
            command = [os.environ["INKSTREAM_BINARY"], "generate", "--seed", "1"]
            command += ["--drawings", str(flags.drawings), "-o", str(ndjson)]
            subprocess.run(command, check=True, capture_output=True)
        os.environ["PEERS_NDJSON"] = str(ndjson)
        for side in flags.side:
            rows = result["loaders"].setdefault(str(side), {})
            for name in CONTENDERS:
                if flags.only and name not in flags.only:
                    continue
                arguments = [str(ndjson), str(flags.drawings), str(side), str(flags.seconds)]
                result["failed"].pop(f"{name} at {side}", None)
                if reason := why_not(name):
                    result["failed"][f"{name} at {side}"] = reason
                    print(f"{side:4} {name:16} skipped: {reason}", flush=True)
                    continue
                row, reason = in_own_process([name, *arguments], flags.limit)
                if row is None:
                    result["failed"][f"{name} at {side}"] = reason
                    print(f"{side:4} {name:16} failed: {reason}", flush=True)
                    continue
                rows[name] = row
                speed = rows[name]["drawings_per_s"]
                print(f"{side:4} {name:16} {speed:>10,} drawings/s", flush=True)
        result["sharing"] |= sharing(flags, Path(folder))
    return result


def sharing(flags: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The two programs of ../sharing, as they stand."""
    if flags.megabytes == 0:
        return {}
    found: dict[str, Any] = {}
    steps = min(100, max(1, round(flags.megabytes * 1e6 / (700 * 1400 * 8))))
    programs = {
        "summing": ["--megabytes", str(flags.megabytes), "--rounds", "1"],
        "between_processes": ["--steps", str(steps)],
    }
    for name, arguments in programs.items():
        if flags.only and name not in flags.only:
            continue
        file = folder / f"{name}.json"
        program = HERE.parent / "sharing" / f"{name}.py"
        command = [sys.executable, str(program), *arguments, "--json", str(file)]
        subprocess.run(command, check=True)
        found[name] = json.loads(file.read_text())
    return found


def main() -> None:
    """Runs, or only reports again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--drawings", type=int, default=20_000)
    parser.add_argument("--data", type=Path, metavar="NDJSON", help="default: generated drawings")
    parser.add_argument("--side", type=int, action="append", help="default: 28 and 128")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--limit", type=float, default=300, help="seconds a contender may take")
    parser.add_argument("--megabytes", type=int, default=1500, help="of the arrays shared; 0: none")
    parser.add_argument("--only", action="append", choices=[*CONTENDERS, *SHARING])
    parser.add_argument("--add", action="store_true", help="to the results there are")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument(
        "--report", action="store_true", help="table and plot from the JSON there is"
    )
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.one:
        name, ndjson, drawings, side, seconds = flags.one
        print(json.dumps(one(name, Path(ndjson), int(drawings), int(side), float(seconds))))
        return
    flags.side = flags.side or [28, 128]
    flags.results.mkdir(parents=True, exist_ok=True)
    file = flags.results / "peers.json"
    if not flags.report:
        os.environ.setdefault("INKSTREAM_BINARY", str(ROOT / "build" / "inkstream"))
        kept = json.loads(file.read_text()) if flags.add and file.exists() else {}
        file.write_text(json.dumps(run(flags, kept), indent=1) + "\n")
    content = json.loads(file.read_text())
    (flags.results / "peers.md").write_text(report.table(content))
    report.plot(content, flags.results / "peers.svg")
    print(f"wrote peers.json, peers.md and peers.svg to {flags.results}")


if __name__ == "__main__":
    main()
