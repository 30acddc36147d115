"""An array from one process to another: pickle, PyTorch's shared memory, inkstream.shared.

    python tests/bench/sharing/between_processes.py [--steps 100] [--repeats 3] [--json FILE]

The case of torchdata issue 1078: 100 time steps of 700 x 1400 float64 (784 MB), made in a
worker process, wanted in the parent. `arrives` is the time from put() to the array, `read` the
time until every byte of it has been summed as well. All in one run, methods taking turns.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "client/python/src"))

METHODS = ("default", "torch, copied", "torch, shared before", "install()", "share() before")


def worker(commands: Any, queue: Any, shape: tuple[int, ...]) -> None:
    """Sends the array by the method it is told."""
    import torch
    import torch.multiprocessing  # registers its reducers
    from inkstream import shared

    array = np.random.default_rng(0).random(shape)
    early = torch.from_numpy(array.copy()).share_memory_()
    ready: dict[str, Callable[[], Any]] = {
        "default": lambda: array,
        # A new tensor each time: one that is in shared memory already is not copied again.
        "torch, copied": lambda: torch.from_numpy(array),
        "torch, shared before": lambda: early,
        "install()": lambda: array,
    }
    kept = shared.share(array)
    ready["share() before"] = lambda: kept
    queue.put("ready")
    while (method := commands.recv()) is not None:
        if method == "install()":
            shared.install()
        else:
            shared.uninstall()
        value = ready[method]()
        started = time.perf_counter()
        queue.put((started, value))


def run(steps: int, repeats: int, methods: list[str]) -> dict[str, dict[str, float]]:
    """Milliseconds by method, medians."""
    context = mp.get_context("fork")
    queue: Any = context.Queue()
    mine, theirs = context.Pipe()
    child = context.Process(target=worker, args=(theirs, queue, (steps, 700, 1400)), daemon=True)
    child.start()
    assert queue.get() == "ready"
    times: dict[str, list[tuple[float, float]]] = {method: [] for method in methods}
    expected = None
    for _ in range(repeats):
        for method in methods:
            mine.send(method)
            started, value = queue.get()
            arrived = time.perf_counter()
            total = float(np.asarray(value).sum())
            read = time.perf_counter()
            expected = total if expected is None else expected
            assert abs(total - expected) < 1e-6 * abs(expected)
            times[method].append((arrived - started, read - started))
            del value
    mine.send(None)
    child.join()
    return {
        method: {
            "arrives_ms": round(1e3 * statistics.median(a for a, _ in took), 2),
            "read_ms": round(1e3 * statistics.median(r for _, r in took), 2),
        }
        for method, took in times.items()
    }


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=100, help="time steps of 700 x 1400 float64")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", action="append", choices=METHODS, help="default: all")
    parser.add_argument("--json", metavar="FILE")
    flags = parser.parse_args()
    methods = flags.only or list(METHODS)
    result = run(flags.steps, flags.repeats, methods)
    size = flags.steps * 700 * 1400 * 8 / 1e6
    print(f"{size:.0f} MB between two processes, {os.cpu_count()} cores, median of {flags.repeats}")
    base = result.get("default")
    for method, row in result.items():
        faster = f"{base['arrives_ms'] / row['arrives_ms']:8.1f}x" if base else ""
        print(f"{method:22} {row['arrives_ms']:10.1f} ms {row['read_ms']:10.1f} ms read {faster}")
    if flags.json:
        Path(flags.json).write_text(json.dumps({"megabytes": size, "methods": result}, indent=1))


if __name__ == "__main__":
    main()
