"""CPU that an adapter takes a batch, beside the bare stream that it reads.

    inkstream serve --store drawings.ink --unix /tmp/inkstream.sock &
    OMP_NUM_THREADS=1 python tests/bench/adapters/adapters.py unix:/tmp/inkstream.sock

A row is CPU of this process a batch, but for the threads that draw, which do the same for all;
what the bare stream takes, through the framework by the shortest way there is if it has a price of
its own; and the difference, which is the adapter's. Both read the same stream: ready arrays would
find the caches otherwise than drawn ones do. They take turns, and a figure is the median of the
rounds, of the difference too.
Nothing is trained, and what an adapter gives is dropped; what has no framework here is named.
Take a store whose epoch is some hundred batches. One thread of OpenMP: others of torch's spin.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import inkstream
from inkstream import Image

_WARM = 16  # batches before each round
Endless = Callable[[Any, dict[str, Any]], Iterator[Any]]


def bare(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from data.stream("train", epochs="forever", **asked)


def bare_float(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from bare(data, as_floats(asked))


def as_floats(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "image": Image(asked["image"].height, dtype="float32")}


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


def torch_workers(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    """CPU of the process that trains alone: what the workers take comes on top."""
    from torch.utils.data import DataLoader

    dataset = inkstream.torch.IterableDataset(data, "train", **asked)
    context = "forkserver"
    made: Any = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context)
    while True:
        yield from made


def torch_map(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    from torch.utils.data import DataLoader

    dataset = inkstream.torch.MapDataset(data, "train", image=asked["image"], columns=["label"])
    sampler = inkstream.torch.BatchSampler(data, "train", batch_size=asked["batch_size"])
    made: Any = DataLoader(dataset, batch_sampler=sampler, collate_fn=inkstream.torch.collate)
    while True:
        yield from made


def torch_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch
    from torch.utils.data import DataLoader, IterableDataset

    class Ready(IterableDataset):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[Any]:
            for arrays in bare(data, asked):
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


def typed(image: Any, label: Any) -> tuple[Any, Any]:
    from fastai.torch_core import TensorCategory
    from fastai.vision.core import TensorImageBW

    return image.as_subclass(TensorImageBW), label.as_subclass(TensorCategory)


def to_float_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch

    for arrays in bare(data, asked):
        image, label = torch.from_numpy(arrays["image"]), torch.from_numpy(arrays["label"])
        yield typed(image.float().div_(255), label)


def types_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import torch

    for arrays in bare_float(data, asked):
        yield typed(torch.from_numpy(arrays["image"]), torch.from_numpy(arrays["label"]))


def jax(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from inkstream.jax.batches(data.stream("train", epochs="forever", **asked))


def device_put_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import jax

    for arrays in bare(data, asked):
        yield jax.device_put(
            {n: a.astype("int32") if a.dtype == "int64" else a for n, a in arrays.items()}
        )


def grain(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from iter(inkstream.grain.IterDataset(data, "train", epochs="forever", **asked))


def grain_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import grain

    class Ready(grain.DatasetIterator):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._batches = bare(data, asked)

        def __next__(self) -> Any:
            return dict(next(self._batches))

        def get_state(self) -> dict[str, Any]:
            return {}

        def set_state(self, state: dict[str, Any]) -> None:
            pass

    yield from Ready()


def tensorflow(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    made = inkstream.tf.dataset(data, "train", **asked)
    while True:
        yield from made


def from_generator_alone(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    import tensorflow as tf

    first = next(bare(data, asked))
    yield from tf.data.Dataset.from_generator(
        lambda: map(dict, bare(data, asked)),
        output_signature={
            name: tf.TensorSpec(a.shape, tf.as_dtype(a.dtype)) for name, a in first.items()
        },
    )


class Row(NamedTuple):
    """What is measured, and what is taken away of it."""

    make: Endless
    base: str | Endless = "stream"  # a row, or the shortest way through the framework


ROWS = {
    "stream": Row(bare),
    "stream, float32": Row(bare_float, "stream, float32"),
    "torch.loader": Row(torch_loader),
    "DataLoader(IterableDataset)": Row(torch_dataset, torch_alone),
    "the same, 2 workers": Row(torch_workers),
    "DataLoader(MapDataset)": Row(torch_map),
    "lightning": Row(lightning),
    "fastai, uint8 to float": Row(fastai, to_float_alone),
    "fastai, float32 as drawn": Row(fastai_float, types_alone),
    "jax": Row(jax, device_put_alone),
    "grain": Row(grain, grain_alone),
    "tf": Row(tensorflow, from_generator_alone),
}


def busy() -> float:
    """Seconds of CPU of this process, but for the threads that draw: those are nicer."""
    main = os.getpid()
    used = time.process_time()
    tasks = Path("/proc/self/task")
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has ended meanwhile
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
    running: dict[str | Endless, Iterator[Any]] = {}  # by row, or by what has none
    for name, row in ROWS.items():
        try:
            for key, make in ((name, row.make), (row.base, row.base)):
                if callable(make) and key not in running:
                    running[key] = make(data, asked)
                    next(running[key])
        except ModuleNotFoundError as error:
            del running[name]
            print(f"{name}: {error}")
    print(f"\n{side}x{side}, batches of {batch_size}, {rounds} rounds of {count} batches")
    print(f"  {'us of CPU a batch':<28} {'all':>8} {'without':>8} {'adapter':>8}")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ROWS if name in running}
    for _ in range(rounds):
        for name, pairs in taken.items():
            every = microseconds(running[name], count)
            pairs.append((every, microseconds(running[ROWS[name].base], count)))
    for name, pairs in taken.items():
        every, base = (median(column) for column in zip(*pairs, strict=True))
        adapter = median(e - b for e, b in pairs)
        print(f"  {name:<28} {every:8.0f} {base:8.0f} {adapter:+8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", help="of a server: host:port, or unix:PATH")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=50, help="a round")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--sides", type=int, nargs="+", default=[28, 128])
    given = parser.parse_args()
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    data = inkstream.connect(given.target).dataset()
    for side in given.sides:
        measured(data, side, given.batch_size, given.batches, given.rounds)


if __name__ == "__main__":
    main()
