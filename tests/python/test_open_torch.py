"""torch over a store in this process: loaders, and DataLoader's workers however they start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
import torch
from inkstream import Image
from inkstream.torch import IterableDataset, MapDataset, collate, loader
from torch.utils.data import DataLoader

KEYWORDS: dict[str, Any] = {"batch_size": 40, "image": Image(24, dtype="float32", mean=0.2)}


@pytest.fixture
def here(store: Path) -> Iterator[inkstream.Dataset]:
    with inkstream.open(store) as client:
        yield client.dataset()


def alike(found: Any, wanted: Any) -> int:
    batches = 0
    for one, other in zip(found, wanted, strict=True):
        assert set(one) == set(other)
        for name in one:
            assert torch.equal(one[name], other[name]), name
        batches += 1
    return batches


def test_a_loader_gives_a_servers_tensors(here: inkstream.Dataset, data: Any) -> None:
    with loader(here, "train", **KEYWORDS) as local, loader(data, "train", **KEYWORDS) as remote:
        assert alike(local, remote) == len(local)
        assert alike(local, remote) == len(local)  # the next epoch


def test_tensors_are_their_holders_to_write_to(here: inkstream.Dataset, data: Any) -> None:
    with loader(here, "train", **KEYWORDS) as local, loader(data, "train", **KEYWORDS) as remote:
        kept = []
        for one, other in zip(local, remote, strict=True):
            assert torch.equal(one["image"], other["image"])
            one["image"].fill_(len(kept))
            kept.append(one["image"])
        for value, image in enumerate(kept):
            assert torch.equal(image, torch.full_like(image, value))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_read_by_themselves(here: inkstream.Dataset, data: Any, method: str) -> None:
    used = next(iter(here.stream("valid", batch_size=8)))  # threads of this process have begun
    assert used.rows == 8

    def through(dataset: Any) -> Any:
        given = IterableDataset(dataset, "train", **KEYWORDS)
        return DataLoader(given, batch_size=None, num_workers=2, multiprocessing_context=method)

    assert alike(through(here), through(data)) == len(IterableDataset(data, "train", **KEYWORDS))


def test_drawings_by_number_in_workers(here: inkstream.Dataset) -> None:
    mapped = MapDataset(here, "valid", image=Image(20))
    alone = DataLoader(mapped, batch_size=32, collate_fn=collate)
    workers = DataLoader(mapped, batch_size=32, collate_fn=collate, num_workers=2)
    assert alike(workers, alone) == len(alone)


class Threads(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """How many threads draw in a worker."""

    def __init__(self, data: inkstream.Dataset) -> None:
        self._data = data

    def __iter__(self) -> Iterator[int]:
        yield self._data.client.status()["workers"]


def test_workers_share_the_processors_out(here: inkstream.Dataset) -> None:
    alone = here.client.status()["workers"]
    found = DataLoader(Threads(here), batch_size=None, num_workers=2)
    assert [int(threads) for threads in found] == [max(1, alone // 2)] * 2
