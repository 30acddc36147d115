"""numpy.sum over one big array by four processes, shared in every usual way.

    python tests/bench/sharing/summing.py [--megabytes 1500] [--repeats 5] [--json FILE]

The case of "Sharing big NumPy arrays across python processes": float64 of about 1.5 GB, four
processes that sum a quarter each, pools started beforehand; then the same with uint8 images.
All methods in one run over the same bytes. `first` is the first sum of a new pool, `ms` the
median of the others, `best` their least, which is what to compare on a busy machine. Ray
joins where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import multiprocessing as mp
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import shared_memory
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "client/python/src"))

from inkstream import shared

WORKERS = 4
Span = tuple[int, int]
Run = Callable[[], float]

kept: Any = None  # what a worker, or a forked child, has


def total(array: Any) -> float:
    """The sum of a flat array, as every method takes it."""
    return float(np.sum(array))


def sum_kept(span: Span) -> float:
    return total(kept[span[0] : span[1]])


def sum_given(array: Any) -> float:
    return total(array)


def sum_file(job: tuple[str, str, int, Span]) -> float:
    path, dtype, size, (a, b) = job
    return total(np.memmap(path, dtype=dtype, mode="r", shape=(size,))[a:b])


def sum_named(job: tuple[str, str, int, Span]) -> float:
    name, dtype, size, (a, b) = job
    block = shared_memory.SharedMemory(name=name)
    array = np.ndarray((size,), dtype, buffer=block.buf)
    result = total(array[a:b])
    del array
    block.close()
    return result


def keep(what: Any) -> None:
    global kept
    kept = what


def keep_raw(raw: Any, dtype: str) -> None:
    keep(np.frombuffer(raw, dtype=dtype))


def keep_named(name: str, dtype: str, size: int) -> None:
    block = shared_memory.SharedMemory(name=name)
    keep_named.block = block  # type: ignore[attr-defined]
    keep(np.ndarray((size,), dtype, buffer=block.buf))


def spans(size: int) -> list[Span]:
    edges = [size * i // WORKERS for i in range(WORKERS + 1)]
    return list(itertools.pairwise(edges))


@contextmanager
def pool(initializer: Any = None, *arguments: Any) -> Iterator[Any]:
    with mp.get_context("fork").Pool(WORKERS, initializer, arguments) as workers:
        workers.map(abs, range(WORKERS), chunksize=1)  # all are up
        yield workers


@contextmanager
def pickled(array: Any) -> Iterator[Run]:
    with pool() as workers:
        jobs = [array[a:b] for a, b in spans(len(array))]
        yield lambda: sum(workers.map(sum_given, jobs, chunksize=1))


@contextmanager
def forked(array: Any) -> Iterator[Run]:
    keep(array)
    with pool() as workers:
        yield lambda: sum(workers.map(sum_kept, spans(len(array)), chunksize=1))
    keep(None)


@contextmanager
def raw_array(array: Any) -> Iterator[Run]:
    raw = RawArray("b", array.nbytes)
    np.frombuffer(raw, dtype=array.dtype)[:] = array
    with pool(keep_raw, raw, array.dtype.str) as workers:
        yield lambda: sum(workers.map(sum_kept, spans(len(array)), chunksize=1))


@contextmanager
def mapped_file(array: Any, folder: str | None) -> Iterator[Run]:
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        array.tofile(file.name)
        size = len(array)
        jobs = [(file.name, array.dtype.str, size, span) for span in spans(size)]
        with pool() as workers:
            yield lambda: sum(workers.map(sum_file, jobs, chunksize=1))


@contextmanager
def named_memory(array: Any, keeps: bool) -> Iterator[Run]:
    block = shared_memory.SharedMemory(create=True, size=array.nbytes)
    try:
        np.ndarray(array.shape, array.dtype, buffer=block.buf)[:] = array
        size, dtype = len(array), array.dtype.str
        if keeps:
            with pool(keep_named, block.name, dtype, size) as workers:
                yield lambda: sum(workers.map(sum_kept, spans(size), chunksize=1))
        else:
            jobs = [(block.name, dtype, size, span) for span in spans(size)]
            with pool() as workers:
                yield lambda: sum(workers.map(sum_named, jobs, chunksize=1))
    finally:
        block.close()
        block.unlink()


@contextmanager
def inkstream_kept(array: Any, huge_pages: bool) -> Iterator[Run]:
    with pool(keep, shared.share(array, huge_pages=huge_pages)) as workers:
        yield lambda: sum(workers.map(sum_kept, spans(len(array)), chunksize=1))


@contextmanager
def inkstream_sent(array: Any) -> Iterator[Run]:
    value = shared.share(array)
    jobs = [value[a:b] for a, b in spans(len(value))]
    with pool() as workers:
        yield lambda: sum(workers.map(sum_given, jobs, chunksize=1))


@contextmanager
def ray_methods(array: Any, stored: bool) -> Iterator[Run]:
    import ray

    store = int(array.nbytes * 1.5) + (200 << 20)
    ray.init(
        num_cpus=WORKERS,
        object_store_memory=store,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        task = ray.remote(sum_given)
        whole = ray.remote(lambda value, a, b: total(value[a:b]))
        parts = spans(len(array))
        ray.get([task.remote(array[:1]) for _ in range(WORKERS)])
        if stored:
            reference = ray.put(array)
            yield lambda: sum(ray.get([whole.remote(reference, a, b) for a, b in parts]))
        else:
            yield lambda: sum(ray.get([task.remote(array[a:b]) for a, b in parts]))
    finally:
        ray.shutdown()


def methods(array: Any, disk: str) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "pickle": lambda: pickled(array),
        "copy-on-write fork": lambda: forked(array),
        "RawArray": lambda: raw_array(array),
        "mmap on disk": lambda: mapped_file(array, disk),
        "mmap in /dev/shm": lambda: mapped_file(array, "/dev/shm"),
        "SharedMemory": lambda: named_memory(array, False),
        "SharedMemory, kept mapped": lambda: named_memory(array, True),
        "inkstream, sent each time": lambda: inkstream_sent(array),
        "inkstream, kept": lambda: inkstream_kept(array, False),
        "inkstream, kept, huge pages": lambda: inkstream_kept(array, True),
    }
    if importlib.util.find_spec("ray"):
        found["Ray, naive"] = lambda: ray_methods(array, False)
        found["Ray, object store"] = lambda: ray_methods(array, True)
    else:
        print("Ray is not installed: its two methods are skipped", file=sys.stderr)
    return found


def measure(array: Any, repeats: int, disk: str) -> dict[str, dict[str, float]]:
    expected = float(np.sum(array))
    result = {}
    for name, method in methods(array, disk).items():
        times = []
        with method() as run:
            for _ in range(1 + (min(repeats, 2) if name == "pickle" else repeats)):
                started = time.perf_counter()
                got = run()
                times.append(1e3 * (time.perf_counter() - started))
                assert abs(got - expected) <= 1e-9 * abs(expected), (name, got, expected)
        result[name] = {
            "first_ms": round(times[0], 1),
            "ms": round(statistics.median(times[1:]), 1),
            "best_ms": round(min(times[1:]), 1),
        }
    return result


def table(title: str, rows: dict[str, dict[str, float]]) -> str:
    best = min(row["best_ms"] for name, row in rows.items() if not name.startswith("inkstream"))
    lines = [
        f"| {title} | first ms | ms | best ms | against the best other |",
        "|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda item: item[1]["best_ms"]):
        numbers = f"{row['first_ms']:,} | {row['ms']:,} | {row['best_ms']:,}"
        lines.append(f"| {name} | {numbers} | {row['best_ms'] / best:.2f}x |")
    return "\n".join(lines)


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--disk", default=tempfile.gettempdir(), help="folder on a disk")
    parser.add_argument("--json", metavar="FILE")
    flags = parser.parse_args()
    size = flags.megabytes * 1_000_000
    random = np.random.default_rng(0)
    result = {}
    for title, array in (
        ("float64", random.random(size // 8)),
        ("uint8 images", random.integers(0, 256, size, np.uint8)),
    ):
        result[title] = measure(array, flags.repeats, flags.disk)
        print(table(f"{title}, {flags.megabytes} MB, {WORKERS} processes", result[title]), "\n")
        del array
    if flags.json:
        machine = {
            "cores": os.cpu_count(),
            "numpy": np.__version__,
            "python": sys.version.split()[0],
        }
        content = {"megabytes": flags.megabytes, "machine": machine, "sums": result}
        Path(flags.json).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
