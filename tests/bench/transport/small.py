"""Small requests and many streams on one server.

    python tests/bench/transport/small.py [--store DRAWINGS.ink] [--seconds S] [--json FILE]

First what 16 streams of 28x28 in batches of 64 get together, against one stream; one round
after another, medians. Then how long FetchDrawings of 256 random indices takes beside one
running stream of 128x128: the stream's client, the server and the fetching client share the
machine's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from serving import BINARY, Served, bench, generated, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "client/python/src"))

import inkstream

WAYS = ("tcp", "unix")


def totals(served: Served, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Drawings a second, by way."""
    found = {}
    for way in WAYS:
        target = served.tcp if way == "tcp" else served.unix
        speeds: dict[int, list[float]] = {1: [], 16: []}
        for _ in range(rounds):
            for streams, figures in speeds.items():
                flags = ["--codec", "none", "--streams", str(streams), "--batch", "64"]
                flags += ["--image", "28x28", "--seconds", str(seconds)]
                figures.append(bench(target, *flags)["drawings_per_second"])
        one, sixteen = (statistics.median(figures) for figures in speeds.values())
        found[way] = {"one": one, "sixteen": sixteen, "kept": sixteen / one}
    return found


def fetching(served: Served, side: int, seconds: float, beside: bool) -> dict[str, float]:
    """Milliseconds of FetchDrawings, alone or beside a stream over TCP."""
    client = inkstream.connect(served.tcp)
    data = client.dataset()
    count = sum(data.splits.values()) if isinstance(data.splits, dict) else len(data["train"])
    random = np.random.default_rng(side)
    image = inkstream.Image(side)
    with contextlib.ExitStack() as stack:
        if beside:
            command = [str(BINARY), "bench", "--target", served.tcp, "--image", "128x128"]
            running = stack.enter_context(
                subprocess.Popen(
                    [*command, "--codec", "none", "--seconds", "600"],
                    stdout=subprocess.DEVNULL,
                )
            )
            stack.callback(running.terminate)
            time.sleep(0.5)  # until it is at its speed
        times: list[float] = []
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until or len(times) < 20:
            rows = random.integers(0, count, 256).tolist()
            batch = data.fetch(index=rows, image=image, columns=["label"])
            times.append(1e3 * (time.perf_counter() - started))
            assert len(batch.image) == 256
    client.close()
    p50, p90, p99 = np.percentile(times[5:], [50, 90, 99])
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99), "requests": len(times)}


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--store", type=Path, help="default: 20,000 generated drawings")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    flags = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "fetch": {}}
    with contextlib.ExitStack() as stack:
        store = flags.store
        if store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ink-bench-"))
            store = generated(20_000, Path(folder))
        served = stack.enter_context(Served(store))
        print(machine())
        result["streams"] = totals(served, flags.seconds, flags.rounds)
        print("\n| 28x28, batches of 64 | one stream | 16 together | kept |\n|---|---|---|---|")
        for way, row in result["streams"].items():
            print(f"| {way} | {row['one']:,.0f} | {row['sixteen']:,.0f} | {row['kept']:.0%} |")
        print("\n| 256 random drawings | p50 ms | p90 ms | p99 ms |\n|---|---|---|---|", flush=True)
        for side in (28, 128):
            for beside in (False, True):
                name = f"{side}x{side}, {'beside a stream' if beside else 'alone'}"
                row = result["fetch"][name] = fetching(served, side, flags.seconds, beside)
                print(f"| {name} | {row['p50']:.2f} | {row['p90']:.2f} | {row['p99']:.2f} |")
    if flags.json:
        flags.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
