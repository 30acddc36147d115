"""Batches by every way: speed, waiting times, CPU of both sides, bytes.

    python tests/bench/transport/run.py [--store DRAWINGS.ink] [--way WAY]... [--side N]...
                                        [--streams N]... [--seconds S] [--json FILE]

Starts a server, points `inkstream bench` at it once for every way, image side and number of
streams, and prints a table; --json writes one line a workload as well. Server and client share
the machine's cores. `wait` is the time from asking for a batch to having it, CPU is
milliseconds for 1,000 drawings, MB are those of the batches, wire MB what they came to in
messages.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from serving import Served, bench, generated, machine

# Name: target, flags of `inkstream bench`. Over 1 Gbit/s: thin_link.py.
WAYS: dict[str, tuple[str, list[str]]] = {
    "tcp": ("tcp", ["--codec", "none"]),
    "unix": ("unix", ["--codec", "none"]),
    "strokes": ("tcp", ["--codec", "strokes"]),
    "strokes unix": ("unix", ["--codec", "strokes"]),
}
HEADINGS = (
    f"{'way':13} {'side':>4} {'streams':>7} {'drawings/s':>11} {'MB/s':>8} {'p50':>8} {'p90':>8} "
    f"{'p99 ms':>8} {'client':>7} {'server':>7} {'MB':>7} {'wire MB':>7}"
)


def measure(served: Served, way: str, side: int, streams: int, seconds: float) -> dict[str, Any]:
    """One workload."""
    kind, flags = WAYS[way]
    figures = bench(
        served.unix if kind == "unix" else served.tcp,
        *flags,
        *("--image", f"{side}x{side}", "--streams", str(streams), "--seconds", str(seconds)),
    )
    return {"way": way, **figures}


def row(figures: dict[str, Any]) -> str:
    """One line of the table."""
    server = figures.get("server_cpu_ms_per_1000_drawings")
    return (
        f"{figures['way']:13} {figures['height']:4} {figures['streams']:7} "
        f"{figures['drawings_per_second']:11,.0f} {figures['megabytes_per_second']:8,.0f} "
        f"{figures['batch_wait_ms_p50']:8.2f} {figures['batch_wait_ms_p90']:8.2f} "
        f"{figures['batch_wait_ms_p99']:8.2f} "
        f"{figures['client_cpu_ms_per_1000_drawings']:7.2f} "
        f"{'-' if server is None else format(server, '.2f'):>7} {figures['bytes'] / 1e6:7,.0f} "
        f"{figures['wire_bytes'] / 1e6:7,.0f}"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--store", type=Path, help="default: 20,000 generated drawings")
    parser.add_argument("--way", action="append", choices=WAYS, help="default: all")
    parser.add_argument("--side", action="append", type=int, help="default: 28, 64, 128, 224")
    parser.add_argument("--streams", action="append", type=int, help="default: 1, 4, 16")
    parser.add_argument("--seconds", type=float, default=1, help="of each workload")
    parser.add_argument("--json", type=Path, metavar="FILE", help="one line a workload")
    flags = parser.parse_args()
    with contextlib.ExitStack() as stack:
        store = flags.store
        if store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ink-bench-"))
            store = generated(20_000, Path(folder))
        served = stack.enter_context(Served(store))
        lines = stack.enter_context(flags.json.open("w")) if flags.json else None
        print(f"{machine()}; batches of 256, {flags.seconds:g} s each\n{HEADINGS}")
        for side in flags.side or [28, 64, 128, 224]:
            for streams in flags.streams or [1, 4, 16]:
                for way in flags.way or WAYS:
                    figures = measure(served, way, side, streams, flags.seconds)
                    print(row(figures), flush=True)
                    if lines is not None:
                        print(json.dumps(figures), file=lines, flush=True)


if __name__ == "__main__":
    main()
