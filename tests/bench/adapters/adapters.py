"""CPU that an adapter takes a batch, beside the bare stream that it reads.

    inkstream serve --store drawings.ink --unix /tmp/inkstream.sock &
    OMP_NUM_THREADS=1 python tests/bench/adapters/adapters.py unix:/tmp/inkstream.sock

Adapters take turns, round by round, so that all see the same machine. A row is the least of its
rounds, since whatever else runs only adds: CPU of this process a batch, but for the threads that
draw, which do the same for all; of that what the framework itself takes to hand on ready arrays of
the same shapes, measured in the same turns; and what is left to the adapter when that and the bare
stream of the same pixels are taken away.
Nothing is trained, and what an adapter gives is dropped; what has no framework here is named.
Take a store whose epoch is some hundred batches. One thread of OpenMP: others of torch's spin.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import inkstream
from inkstream import Image

_WARM = 16  # batches before each round
_KEPT = 16
Endless = Callable[[Any, dict[str, Any]], Iterator[Any]]


def bare(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from data.stream("train", epochs="forever", **asked)


def bare_float(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from bare(data, as_floats(asked))


def as_floats(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "image": Image(asked["image"].height, dtype="float32")}


def ready_arrays(data: Any, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same few batches again and again, as many as no cache holds."""
    with data.stream("train", epochs="forever", **asked) as stream:
        kept = [
            {name: array.copy() for name, array in batch.items()} for batch in islice(stream, _KEPT)
        ]
    return cycle(kept)


def torch_loader(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    made = inkstream.torch.loader(data, "train", **asked)
    while True:
        yield from made


def torch_dataset(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    from torch.utils.data import DataLoader

    dataset = inkstream.torch.IterableDataset(data, "train", **asked)
    made: Any = DataLoader(dataset, batch_size=None)
    while True:
        yield from made


def torch_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch
    from torch.utils.data import DataLoader, IterableDataset

    class Ready(IterableDataset):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[Any]:
            for arrays in ready_arrays(data, asked):
                yield {name: torch.from_numpy(array) for name, array in arrays.items()}

    yield from DataLoader(Ready(), batch_size=None)


def lightning(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    module = inkstream.lightning.InkstreamDataModule(data, **asked)
    yield from module.train_dataloader()


def fastai(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    # uint8 becomes float32 of 0..1 here, which on a GPU is the GPU's work.
    made = inkstream.fastai.dataloaders(data, device="cpu", **asked)
    while True:
        yield from made.train


def fastai_float(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from fastai(data, as_floats(asked))


def to_float_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch

    for arrays in ready_arrays(data, asked):
        yield torch.from_numpy(arrays["image"]).float().div_(255)


def types_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch
    from fastai.torch_core import TensorCategory
    from fastai.vision.core import TensorImageBW

    for arrays in ready_arrays(data, as_floats(asked)):
        image, label = torch.from_numpy(arrays["image"]), torch.from_numpy(arrays["label"])
        yield image.as_subclass(TensorImageBW), label.as_subclass(TensorCategory)


def jax(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from inkstream.jax.batches(data.stream("train", epochs="forever", **asked))


def device_put_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import jax

    for arrays in ready_arrays(data, asked):
        yield jax.device_put(
            {n: a.astype("int32") if a.dtype == "int64" else a for n, a in arrays.items()}
        )


def grain(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from iter(inkstream.grain.IterDataset(data, "train", epochs="forever", **asked))


def tensorflow(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    made = inkstream.tf.dataset(data, "train", **asked)
    while True:
        yield from made


def from_generator_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import tensorflow as tf

    first = next(ready_arrays(data, asked))
    yield from tf.data.Dataset.from_generator(
        lambda: ready_arrays(data, asked),
        output_signature={
            name: tf.TensorSpec(a.shape, tf.as_dtype(a.dtype)) for name, a in first.items()
        },
    )


class Row(NamedTuple):
    """What is measured, and what is taken away of it."""

    make: Endless
    base: str = "stream"
    own: Endless | None = None  # the framework's


ROWS = {
    "stream": Row(bare),
    "stream, float32": Row(bare_float, "stream, float32"),
    "torch.loader": Row(torch_loader),
    "DataLoader(IterableDataset)": Row(torch_dataset, own=torch_alone),
    "lightning": Row(lightning),
    "fastai, uint8 to float": Row(fastai, own=to_float_alone),
    "fastai, float32 as drawn": Row(fastai_float, "stream, float32", types_alone),
    "jax": Row(jax, own=device_put_alone),
    "grain": Row(grain),
    "tf": Row(tensorflow, own=from_generator_alone),
}


def busy() -> float:
    """Seconds of CPU of this process, but for the threads that draw: those are nicer."""
    main = os.getpid()
    used = time.process_time()
    tasks = Path("/proc/self/task")
    for task in tasks.iterdir():
        if _niceness(task) > _niceness(tasks / str(main)):
            used -= int((task / "schedstat").read_text().split()[0]) / 1e9
    return used


def _niceness(task: Path) -> int:
    return int((task / "stat").read_text().rpartition(")")[2].split()[16])


def microseconds(batches: Iterator[Any], count: int) -> float:
    """CPU a batch, once what was read ahead is behind and another's reading has ended."""
    for _ in islice(batches, _WARM):
        pass
    begin = busy()
    for _ in islice(batches, count):
        pass
    return (busy() - begin) / count * 1e6


def measured(data: Any, side: int, batch_size: int, count: int, rounds: int) -> None:
    asked = {"batch_size": batch_size, "image": Image(side)}
    running: dict[tuple[str, bool], Iterator[Any]] = {}  # by row, and whether it is the own
    for name, row in ROWS.items():
        try:
            running[name, False] = row.make(data, asked)
            next(running[name, False])
            if row.own is not None:
                running[name, True] = row.own(data, asked)
                next(running[name, True])
        except ModuleNotFoundError as error:
            del running[name, False]
            print(f"{name}: {error}")
    taken: dict[tuple[str, bool], list[float]] = {key: [] for key in running}
    for _ in range(rounds):
        for key, batches in running.items():
            taken[key].append(microseconds(batches, count))
    print(f"\n{side}x{side}, batches of {batch_size}, {rounds} rounds of {count} batches")
    print(f"  {'us of CPU a batch':<28} {'all':>8} {'framework':>10} {'adapter':>8}")
    for name, row in ROWS.items():
        if (name, False) not in taken:
            continue
        every, base = min(taken[name, False]), min(taken[row.base, False])
        own = min(taken.get((name, True), [0.0]))
        said = f"{own:10.0f}" if row.own else " " * 10
        print(f"  {name:<28} {every:8.0f} {said} {every - base - own:+8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", help="of a server: host:port, or unix:PATH")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=200, help="a round")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--sides", type=int, nargs="+", default=[28, 128])
    given = parser.parse_args()
    data = inkstream.connect(given.target).dataset()
    for side in given.sides:
        measured(data, side, given.batch_size, given.batches, given.rounds)


if __name__ == "__main__":
    main()
