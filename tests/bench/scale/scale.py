"""Three sizes of generated drawings through the whole path; see run.sh."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any

import inkstream
from inkstream import Image
from measured_process import Cost, MeasuredProcess, StepFailed

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
UNITS = {"k": 10**3, "M": 10**6}
# A store, and the journal of what is not in a finished segment yet.
BYTES_A_DRAWING = 110
BYTES_BESIDES = 512 << 20
BATCH = 256
BATCHES = 200
FETCHES = 200
FETCHED = 64
# A step's cost a drawing may be this much above that of the size before.
GROWTH = 1.15


def count(text: str) -> int:
    """12, 100k, 50M."""
    unit = UNITS.get(text[-1:], 1)
    number = int(text[:-1] if unit > 1 else text) * unit
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def figures(cost: Cost, drawings: int) -> dict[str, float]:
    return {
        "wall_s": round(cost.wall, 3),
        "cpu_s": round(cost.cpu, 3),
        "peak_rss_mib": round(cost.peak_rss / 2**20, 1),
        "drawings_a_s": round(drawings / cost.wall),
        "cpu_ns_a_drawing": round(cost.cpu / drawings * 1e9, 1),
    }


def ingest(binary: str, drawings: int, store: Path, threads: int) -> dict[str, Any]:
    generate = [binary, "generate", "--drawings", str(drawings), "--seed", "1", "-o", "-"]
    generate += ["--threads", str(threads)]
    into = [binary, "ingest", "-", "--store", str(store), "--threads", str(threads), "--json"]
    with MeasuredProcess(generate, stdout=subprocess.PIPE) as source:
        with MeasuredProcess(into, stdin=source.process.stdout or subprocess.DEVNULL) as sink:
            # Only the reader keeps the pipe, so that either end notices the other's.
            if source.process.stdout is not None:
                source.process.stdout.close()
            cost = sink.finish()
        made = source.finish()
    return {"generate": figures(made, drawings), "ingest": figures(cost, drawings)}


def serve(binary: str, store: Path, drawings: int) -> dict[str, Any]:
    chosen = random.Random(1)
    command = [binary, "serve", "--store", str(store), "--listen", "127.0.0.1:0"]
    begin = time.monotonic()
    with MeasuredProcess(command, stdout=subprocess.PIPE) as server:
        assert server.process.stdout is not None
        line = server.process.stdout.readline().decode()
        if not line.startswith("inkstream ready"):
            raise StepFailed(f"serve said {line!r} where it should be ready")
        ready = time.monotonic() - begin
        opened = server.so_far()
        address = next(w.split("=", 1)[1] for w in line.split() if w.startswith("grpc="))
        client = inkstream.connect(address)
        data = client.dataset(client.datasets()[0])
        image = Image(28, 28)
        batch = min(BATCH, drawings)
        steps = drawings // batch
        begin = time.monotonic()
        for _ in range(BATCHES):
            start = {"epoch": 0, "step": chosen.randrange(steps)}
            with data.stream("train", batch_size=batch, image=image, columns=["label"]) as stream:
                stream.seek(**start)
                got = next(iter(stream))
                if len(got.index) != batch or not got.valid.all():
                    raise StepFailed(f"a batch at step {start} is not whole")
        batches = time.monotonic() - begin
        begin = time.monotonic()
        for _ in range(FETCHES):
            wanted = [chosen.randrange(drawings) for _ in range(FETCHED)]
            if data.fetch(index=wanted, image=image).index.tolist() != wanted:
                raise StepFailed("fetch gave other drawings than were asked for")
        fetches = time.monotonic() - begin
        cost = server.so_far()
        client.close()
    return {
        "open_s": round(ready, 3),
        "open_cpu_s": round(opened.cpu, 3),
        "peak_rss_mib": round(cost.peak_rss / 2**20, 1),
        "batch_at_a_random_step_ms": round(batches / BATCHES * 1e3, 3),
        "fetch_of_64_at_random_ms": round(fetches / FETCHES * 1e3, 3),
        "cpu_s": round(cost.cpu, 3),
    }


def run_size(binary: str, drawings: int, scratch: Path, threads: int) -> dict[str, Any]:
    store = scratch / f"{drawings}.ink"
    result: dict[str, Any] = {"drawings": drawings, "threads": threads}
    result |= ingest(binary, drawings, store, threads)
    size = sum(file.stat().st_size for file in store.iterdir())
    result["bytes_on_disk"] = size
    result["bytes_a_drawing"] = round(size / drawings, 2)
    with MeasuredProcess([binary, "verify", str(store)]) as check:
        result["verify"] = figures(check.finish(), drawings)
    result["serve"] = serve(binary, store, drawings)
    shutil.rmtree(store)
    return result


# What grows with the drawings, a drawing; what does not, as it is.
ROWS = [
    ("generate: CPU ns a drawing", ("generate", "cpu_ns_a_drawing")),
    ("ingest: CPU ns a drawing", ("ingest", "cpu_ns_a_drawing")),
    ("ingest: peak MiB", ("ingest", "peak_rss_mib")),
    ("bytes a drawing on disk", ("bytes_a_drawing",)),
    ("verify: CPU ns a drawing", ("verify", "cpu_ns_a_drawing")),
    ("verify: peak MiB", ("verify", "peak_rss_mib")),
    ("serve: s until ready", ("serve", "open_s")),
    ("serve: peak MiB", ("serve", "peak_rss_mib")),
    ("serve: ms a batch at a random step", ("serve", "batch_at_a_random_step_ms")),
    ("serve: ms a fetch of 64 at random", ("serve", "fetch_of_64_at_random_ms")),
    ("generate | ingest: wall s", ("ingest", "wall_s")),
    ("generate | ingest: drawings/s", ("ingest", "drawings_a_s")),
    ("verify: drawings/s", ("verify", "drawings_a_s")),
]
RISING = {"ingest: CPU ns a drawing", "verify: CPU ns a drawing", "bytes a drawing on disk"}


def value(result: dict[str, Any], path: tuple[str, ...]) -> float:
    found: Any = result
    for name in path:
        found = found[name]
    return float(found)


def report(results: list[dict[str, Any]]) -> str:
    lines = [f"{'drawings':<38}" + "".join(f"{r['drawings']:>14,}" for r in results)]
    over = []
    for title, path in ROWS:
        found = [value(r, path) for r in results]
        lines.append(f"{title:<38}" + "".join(f"{number:>14,.6g}" for number in found))
        for before, after, result in zip(found, found[1:], results[1:], strict=False):
            if title in RISING and after > before * GROWTH:
                over.append(
                    f"not linear: {title} rises from {before:,.6g} to {after:,.6g} "
                    f"at {result['drawings']:,} drawings"
                )
    lines += over or ["linear: no cost a drawing rises by more than 15 % from size to size"]
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawings", type=count, default=50 * 10**6, help="N: 12, 100k, 50M")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--binary", default=str(ROOT / "build" / "inkstream"))
    parser.add_argument("--directory", type=Path, help="where stores are built; else TMPDIR")
    parser.add_argument("--results", type=Path, default=HERE / "results.jsonl")
    return parser.parse_args()


def stop(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, stop)
    needed = arguments.drawings * BYTES_A_DRAWING + BYTES_BESIDES
    where = arguments.directory or Path(tempfile.gettempdir())
    free = shutil.disk_usage(where).free
    if free < needed:
        print(
            f"scale: {where} has {free >> 20:,} MiB free, {arguments.drawings:,} drawings need "
            f"{needed >> 20:,}; name another with --directory, or fewer with --drawings",
            file=sys.stderr,
        )
        return 1
    sizes = sorted({max(1, arguments.drawings // part) for part in (100, 10, 1)})
    results = []
    try:
        with tempfile.TemporaryDirectory(prefix="inkstream-scale-", dir=where) as scratch:
            for drawings in sizes:
                print(f"scale: {drawings:,} drawings", file=sys.stderr)
                result = run_size(arguments.binary, drawings, Path(scratch), arguments.threads)
                result |= {"machine": platform.machine(), "cores": os.cpu_count()}
                result["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                with arguments.results.open("a") as log:
                    log.write(json.dumps(result) + "\n")
                results.append(result)
    except StepFailed as failed:
        print(f"scale: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scale: interrupted; nothing is left behind", file=sys.stderr)
        return 130
    print(report(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
