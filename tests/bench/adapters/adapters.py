"""CPU that an adapter takes a batch, beside the bare stream that it reads.

    inkstream serve --store drawings.ink --unix /tmp/inkstream.sock &
    python tests/bench/adapters/adapters.py unix:/tmp/inkstream.sock

Adapters take turns, round by round, so that all see the same machine; a row is the median of the
rounds: CPU of this process, its threads included, a batch, and what that is more than the bare
stream of the same pixels. Nothing is trained, and what an adapter gives is dropped. Those whose
framework is missing are named. "device_put" is what JAX itself takes for a batch of NumPy arrays.
Take a store whose epoch is some hundred batches.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import inkstream
from inkstream import Image

_WARM = 16  # batches before each round
Endless = Callable[[Any, dict[str, Any]], Iterator[Any]]


def bare(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from data.stream("train", epochs="forever", **asked)


def as_floats(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "image": Image(asked["image"].height, dtype="float32")}


def bare_float(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from bare(data, as_floats(asked))


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


def jax(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from inkstream.jax.batches(data.stream("train", epochs="forever", **asked))


def device_put(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    inkstream.jax  # noqa: B018 - says what to install
    import jax

    with data.stream("train", **asked) as stream:
        arrays = dict(next(stream))
    while True:
        yield jax.device_put(arrays)


def grain(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    yield from iter(inkstream.grain.IterDataset(data, "train", epochs="forever", **asked))


def tensorflow(data: Any, asked: dict[str, Any]) -> Iterator[Any]:
    made = inkstream.tf.dataset(data, "train", **asked)
    while True:
        yield from made


ADAPTERS: dict[str, Endless] = {
    "stream": bare,
    "stream, float32": bare_float,
    "torch.loader": torch_loader,
    "DataLoader(IterableDataset)": torch_dataset,
    "lightning": lightning,
    "fastai, uint8 to float": fastai,
    "fastai, float32 as drawn": fastai_float,
    "jax": jax,
    "jax, device_put alone": device_put,
    "grain": grain,
    "tf": tensorflow,
}


def microseconds(batches: Iterator[Any], count: int) -> float:
    """CPU a batch, once what was read ahead is behind and another's reading has ended."""
    for _ in islice(batches, _WARM):
        pass
    begin = time.process_time()
    for _ in islice(batches, count):
        pass
    return (time.process_time() - begin) / count * 1e6


def measured(data: Any, side: int, batch_size: int, count: int, rounds: int) -> None:
    asked = {"batch_size": batch_size, "image": Image(side)}
    running: dict[str, Iterator[Any]] = {}
    for name, make in ADAPTERS.items():
        try:
            running[name] = make(data, asked)
            next(running[name])
        except ModuleNotFoundError as error:
            del running[name]
            print(f"{name}: {error}")
    taken: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, batches in running.items():
            taken[name].append(microseconds(batches, count))
    middle = {name: statistics.median(times) for name, times in taken.items()}
    base = {name: "stream, float32" if "float32" in name else "stream" for name in running}
    print(f"\n{side}x{side}, batches of {batch_size}, {rounds} rounds of {count} batches")
    for name, value in middle.items():
        more = value - middle[base[name]]
        print(f"  {name:<28} {value:8.0f} us a batch, {more:+7.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", help="of a server: host:port, or unix:PATH")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=100, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="+", default=[28, 128])
    given = parser.parse_args()
    data = inkstream.connect(given.target).dataset()
    for side in given.sides:
        measured(data, side, given.batch_size, given.batches, given.rounds)


if __name__ == "__main__":
    main()
