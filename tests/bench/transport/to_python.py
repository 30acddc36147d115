"""Drawings a second in a Python trainer, by every way, and what they cost.

    python tests/bench/transport/to_python.py [--store DRAWINGS.ink] [--seconds S] [--rounds N]
        [--form FORM]... [--way WAY]... [--beside CHECKOUT] [--json FILE]

A process of its own reads batches of 256 for S seconds, by each way and form in turn, N rounds;
medians. `--beside` takes turns with another built checkout, server and client alike.
`x` is against Cairo's best quality at 128x128 on one core, measured first (raster_bench).
Server CPU is in milliseconds for 1,000 drawings, client CPU in microseconds a batch.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from serving import BINARY, ROOT, Served, cpu_of, generated, machine

BATCH = 256
FORMS: dict[str, dict[str, Any]] = {
    "28x28": {"image": {"height": 28}},
    "64x64": {"image": {"height": 64}},
    "128x128": {"image": {"height": 128}},
    "224x224": {"image": {"height": 224}},
    "128x128 float32": {"image": {"height": 128, "dtype": "float32", "mean": 0.2, "std": 0.4}},
    "stroke5 of 250": {"strokes": {"max_len": 250, "format": "stroke5"}},
}
WAYS = ("tcp", "unix", "open", "tcp pixels")


def read(source: str, way: str, form: str, seconds: float) -> dict[str, float]:
    """In the process that reads: what one stream brings."""
    import inkstream

    asked: dict[str, Any] = {"columns": ["label"]}
    for name, make in (("image", inkstream.Image), ("strokes", inkstream.Strokes)):
        if name in FORMS[form]:
            asked[name] = make(**FORMS[form][name])
    client = inkstream.open(source) if way == "open" else inkstream.connect(source)
    if way == "tcp pixels":
        asked["codec"] = "none"
    data = client.dataset(client.datasets()[0])
    with data.stream("train", batch_size=BATCH, epochs="forever", **asked) as stream:
        for _ in range(20):
            next(stream)
        print("reading", flush=True)
        began, cpu, batches = time.perf_counter(), time.process_time(), 0
        while (wall := time.perf_counter() - began) < seconds:
            next(stream)
            batches += 1
        spent = time.process_time() - cpu
    return {"rate": batches * BATCH / wall, "client_us": spent / batches * 1e6, "batches": batches}


def measured(
    checkout: Path, served: Served, store: Path, way: str, form: str, seconds: float
) -> dict[str, float]:
    """One workload in a process of its own, and what the server spent meanwhile."""
    source = {"open": str(store), "unix": served.unix}.get(way, served.tcp)
    command = [sys.executable, __file__, "--read", source, "--way", way, "--form", form]
    environment = os.environ | {
        "PYTHONPATH": str(checkout / "client" / "python" / "src"),
        "INKSTREAM_BINARY": str(checkout / "build" / "inkstream"),
    }
    before = cpu_of(served.process.pid)
    done = subprocess.run(
        [*command, "--seconds", str(seconds)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    # The reader's first batches and those under way at its end count as the rest do.
    drawings = (found["batches"] + 20) * BATCH
    found["server_ms"] = (cpu_of(served.process.pid) - before) / drawings * 1e6
    return found


def cairo() -> float:
    """Drawings a second of Cairo's best quality at 128x128 on one core."""
    bench = [str(BINARY.parent / "tests" / "raster_bench"), "--benchmark_format=json"]
    done = subprocess.run(
        [*bench, "--benchmark_filter=^exact/Cairo/128"], capture_output=True, text=True, check=True
    )
    said = done.stdout[done.stdout.index("{") :]  # behind a line for people
    figures = json.loads(said)["benchmarks"][0]
    return 1000 * float(figures["k_per_s"]) / float(figures["times_cairo"])


def table(found: dict[str, dict[str, list[dict[str, float]]]], reference: float) -> str:
    lines = [
        "| | drawings/s | x Cairo | server ms/1,000 | client us/batch |",
        "|---|---|---|---|---|",
    ]
    for name, sides in found.items():
        cells: dict[str, list[str]] = {}
        for rounds in sides.values():
            middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
            cells.setdefault("rate", []).append(f"{middle['rate']:,.0f}")
            cells.setdefault("times", []).append(f"{middle['rate'] / reference:.0f}")
            cells.setdefault("server", []).append(f"{middle['server_ms']:.2f}")
            cells.setdefault("client", []).append(f"{middle['client_us']:,.0f}")
        lines.append(
            f"| {name} | " + " | ".join(" → ".join(both) for both in cells.values()) + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--store", type=Path, help="default: 100,000 generated drawings")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--form", action="append", choices=FORMS)
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="built; measured first")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.read:
        print(json.dumps(read(flags.read, flags.way[0], flags.form[0], flags.seconds)))
        return
    checkouts = ([flags.beside.resolve()] if flags.beside else []) + [ROOT]
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    print(machine())
    reference = cairo()
    print(f"Cairo, 128x128, one core: {reference:,.0f} drawings/s")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ink-bench-")))
        store = (flags.store or generated(100_000, folder)).resolve()
        servers = {}
        for checkout in checkouts:
            servers[checkout] = stack.enter_context(
                Served(store, binary=checkout / "build" / "inkstream")
            )
        for _ in range(flags.rounds):
            for way in flags.way or WAYS:
                for form in flags.form or FORMS:
                    for checkout, served in servers.items():
                        one = measured(checkout, served, store, way, form, flags.seconds)
                        sides = found.setdefault(f"{way}, {form}", {})
                        sides.setdefault(str(checkout), []).append(one)
    print(table(found, reference))
    if flags.json:
        flags.json.write_text(json.dumps({"machine": machine(), "cairo": reference, **found}))


if __name__ == "__main__":
    main()
