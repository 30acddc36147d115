"""numpy.sum over one big array by four processes, shared in every usual way.

    python tests/bench/sharing/summing.py [--megabytes 1500] [--repeats 5] [--json FILE]
                                          [--store DRAWINGS.ink]

The case of "Sharing big NumPy arrays across python processes": float64 of about 1.5 GB, four
processes that sum a quarter each, pools started beforehand; then the same with uint8 images:
with --store those of data.share, else random bytes. All methods in one run over the same
bytes, in rounds, every other one in the opposite order. `first` is the first sum of a new pool,
`ms` the median of the others, `best` their least. Ray joins where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import multiprocessing as mp
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from multiprocessing import shared_memory
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

import numpy as np

os.environ["GRPC_VERBOSITY"] = "ERROR"  # it would tell of every fork
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "client/python/src"))

import inkstream
from inkstream import shared

WORKERS = 4
NOT_OTHERS = ("inkstream", "data.share", "one process")
Span = tuple[int, int]
Run = Callable[[], float]


class Images:
    """The view whose pixels are summed; every process attaches to it as strangers would."""

    def __init__(self, data: inkstream.Dataset, megabytes: int) -> None:
        self._data = data
        side = int((megabytes * 1e6 / len(data["train"])) ** 0.5)
        self._image = inkstream.Image(side)

    def share(self) -> Any:
        """The one array of the host."""
        return self._data.share("train", image=self._image, progress=False)


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


def sum_attached(job: tuple[str, Span]) -> float:
    ticket, (a, b) = job
    return total(shared.attach(ticket)[a:b])


def sum_view(span: Span) -> float:
    return total(kept.share().reshape(-1)[span[0] : span[1]])


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
def one_process(array: Any) -> Iterator[Run]:
    yield lambda: total(array)


@contextmanager
def inkstream_kept(array: Any, huge_pages: bool) -> Iterator[Run]:
    with pool(keep, shared.share(array, huge_pages=huge_pages)) as workers:
        yield lambda: sum(workers.map(sum_kept, spans(len(array)), chunksize=1))


@contextmanager
def inkstream_attached(array: Any) -> Iterator[Run]:
    with shared.offer(array) as ticket, pool() as workers:
        jobs = [(ticket, span) for span in spans(len(array))]
        yield lambda: sum(workers.map(sum_attached, jobs, chunksize=1))


@contextmanager
def view_kept(images: Images) -> Iterator[Run]:
    array = images.share()
    with pool(keep, array.reshape(-1)) as workers:
        yield lambda: sum(workers.map(sum_kept, spans(array.size), chunksize=1))


@contextmanager
def view_attached(images: Images) -> Iterator[Run]:
    array = images.share()
    with pool(keep, images) as workers:
        jobs = spans(array.size)
        yield lambda: sum(workers.map(sum_view, jobs, chunksize=1))


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


def methods(array: Any, disk: str, images: Images | None) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "one process": lambda: one_process(array),
        "pickle": lambda: pickled(array),
        "copy-on-write fork": lambda: forked(array),
        "RawArray": lambda: raw_array(array),
        "mmap on disk": lambda: mapped_file(array, disk),
        "mmap in /dev/shm": lambda: mapped_file(array, "/dev/shm"),
        "SharedMemory": lambda: named_memory(array, False),
        "SharedMemory, kept mapped": lambda: named_memory(array, True),
        "inkstream.shared, attached in each task": lambda: inkstream_attached(array),
        "inkstream.shared, sent each time": lambda: inkstream_sent(array),
        "inkstream.shared, kept": lambda: inkstream_kept(array, True),
        "inkstream.shared, kept, small pages": lambda: inkstream_kept(array, False),
    }
    if images is not None:
        found["data.share, called in each task"] = lambda: view_attached(images)
        found["data.share, kept"] = lambda: view_kept(images)
    if importlib.util.find_spec("ray"):
        found["Ray, naive"] = lambda: ray_methods(array, False)
        found["Ray, object store"] = lambda: ray_methods(array, True)
    else:
        print("Ray is not installed: its two methods are skipped", file=sys.stderr)
    return found


def measure(
    array: Any, rounds: int, repeats: int, disk: str, images: Images | None
) -> dict[str, dict[str, float]]:
    expected = float(np.sum(array))
    found = methods(array, disk, images)
    first: dict[str, list[float]] = {name: [] for name in found}
    later: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds):
        for name in reversed(found) if number % 2 else found:
            slow = name == "pickle"
            if slow and first[name]:
                continue
            with found[name]() as run:
                for i in range(1 + (min(repeats, 2) if slow else repeats)):
                    started = time.perf_counter()
                    got = run()
                    (later if i else first)[name].append(1e3 * (time.perf_counter() - started))
                    assert abs(got - expected) <= 1e-9 * abs(expected), (name, got, expected)
    return {
        name: {
            "first_ms": round(min(first[name]), 1),
            "ms": round(statistics.median(later[name]), 1),
            "best_ms": round(min(later[name]), 1),
        }
        for name in found
    }


def table(title: str, rows: dict[str, dict[str, float]]) -> str:
    others = [row["ms"] for name, row in rows.items() if not name.startswith(NOT_OTHERS)]
    best = min(others)
    lines = [
        f"| {title} | first ms | ms | best ms | against the quickest other |",
        "|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda item: item[1]["ms"]):
        numbers = f"{row['first_ms']:,} | {row['ms']:,} | {row['best_ms']:,}"
        lines.append(f"| {name} | {numbers} | {row['ms'] / best:.2f}x |")
    return "\n".join(lines)


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2, help="every other one in opposite order")
    parser.add_argument("--disk", default=tempfile.gettempdir(), help="folder on a disk")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--array", choices=("float64", "uint8"), help="default: both")
    parser.add_argument("--store", metavar="PATH", help="drawings whose pixels are the images")
    flags = parser.parse_args()
    result = {}
    for title, array, images in arrays(flags.megabytes, flags.store, flags.array):
        result[title] = measure(array, flags.rounds, flags.repeats, flags.disk, images)
        heading = f"{title}, {array.nbytes / 1e6:,.0f} MB, {WORKERS} processes"
        print(table(heading, result[title]), "\n", flush=True)
    content = {"megabytes": flags.megabytes, "machine": machine(), "sums": result}
    print(", ".join(f"{name} {value}" for name, value in content["machine"].items()))
    if flags.json:
        Path(flags.json).write_text(json.dumps(content, indent=1) + "\n")


def arrays(
    megabytes: int, store: str | None, only: str | None
) -> Iterator[tuple[str, Any, Images | None]]:
    """What is summed, flat, under its title."""
    size = megabytes * 1_000_000
    random = np.random.default_rng(0)
    if only != "uint8":
        yield "float64", random.random(size // 8), None
    if only == "float64":
        return
    if store is None:
        yield "uint8 images", random.integers(0, 256, size, np.uint8), None
        return
    with inkstream.open(store) as client:
        images = Images(client.dataset(), megabytes)
        yield "uint8 images", images.share().reshape(-1).copy(), images


def machine() -> dict[str, Any]:
    """What the figures belong to."""
    versions = {name: version_of(name) for name in ("numpy", "ray")}
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version for name, version in versions.items() if version},
    }


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
