"""Accelerate shares batches out by itself: nobody's data may be shared out twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Image
from inkstream.torch import BatchSampler, IterableDataset, Loader, MapDataset, loader
from support.processes import Server
from support.ranks import run_ranks
from torch.utils.data import DataLoader

accelerate = pytest.importorskip("accelerate")

BATCH = 50

# Each source in turn under one configuration: what was seen, or why not.
RANK = """
import json, sys
import torch.distributed as dist
from torch.utils.data import DataLoader
import inkstream, inkstream.torch as T
from accelerate import Accelerator, DataLoaderConfiguration
configuration = json.loads(sys.argv[2])
data = inkstream.connect(sys.argv[1]).dataset()
shared = {"batch_size": 50, "image": 8}
dist.init_process_group("gloo")
early = T.IterableDataset(data, "train", **shared), T.BatchSampler(data, "train", batch_size=50)
accelerator = Accelerator(
    cpu=True, dataloader_config=DataLoaderConfiguration(**configuration)
)
mapped = T.MapDataset(data, "train", image=8)
whole = {"rank": 0, "world": 1}
own = {"rank": accelerator.process_index, "world": accelerator.num_processes}
sources = {
    "Loader": lambda: T.loader(data, "train", **shared),
    "IterableDataset": lambda: DataLoader(T.IterableDataset(data, "train", **shared)),
    "IterableDataset, rank 0 of 1": lambda: DataLoader(
        T.IterableDataset(data, "train", **shared, **whole)
    ),
    "BatchSampler": lambda: DataLoader(mapped, batch_sampler=T.BatchSampler(mapped, batch_size=50)),
    "BatchSampler, rank 0 of 1": lambda: DataLoader(
        mapped, batch_sampler=T.BatchSampler(mapped, batch_size=50, **whole)
    ),
    "MapDataset": lambda: DataLoader(mapped, batch_size=50, shuffle=True),
    "made early": lambda: DataLoader(early[0]),
    "made early, spawn": lambda: DataLoader(
        early[0], num_workers=1, multiprocessing_context="spawn"
    ),
    "sampler made early": lambda: DataLoader(mapped, batch_sampler=early[1]),
}
seen = {}
for name, make in sources.items():
    try:
        seen[name] = [i for b in accelerator.prepare(make()) for i in b["index"].tolist()]
    except inkstream.FixRequest as error:
        seen[name] = str(error)
padded = T.loader(data, "valid", batch_size=50, train=False, tail="pad")
gathered = []
for b in padded:
    index, valid = accelerator.gather_for_metrics((b["index"], b["valid"]))
    gathered += index[valid].tolist()
seen["gathered"] = gathered
unprepared = DataLoader(T.IterableDataset(data, "train", **shared, **own), batch_size=None)
seen["own share"] = [i for b in unprepared for i in b["index"].tolist()]
print(json.dumps(seen))
dist.destroy_process_group()
"""
TAKEN = ["Loader", "IterableDataset, rank 0 of 1", "BatchSampler, rank 0 of 1", "MapDataset"]
REFUSED = [
    "IterableDataset",
    "BatchSampler",
    "made early",
    "made early, spawn",
    "sampler made early",
]


@pytest.mark.parametrize(
    "configuration",
    [{}, {"dispatch_batches": False}, {"dispatch_batches": True}, {"split_batches": True}],
    ids=str,
)
def test_two_ranks_see_each_drawing_or_an_error(
    server: Server, data: inkstream.Dataset, configuration: dict[str, bool]
) -> None:
    found = run_ranks(2, RANK, server.tcp, json.dumps(configuration))
    size = len(data["train"])
    for name in [*TAKEN, "own share"]:
        seen = {i for rank in found for i in rank[name]}
        # All whole steps of two ranks, whatever else a framework fills up with.
        assert len(seen) >= size - size % (2 * BATCH), name
    for rank in found:
        assert sorted(rank["gathered"]) == sorted(data["valid"][:].index.tolist())
    for name in REFUSED:
        for rank in found:
            assert "rank=0, world=1" in rank[name], name
            assert "2 processes" in rank[name], name


@pytest.fixture
def alone() -> Iterator[Any]:
    from accelerate.state import AcceleratorState, PartialState

    yield accelerate.Accelerator(cpu=True)
    AcceleratorState._reset_state(True)
    PartialState._reset_state()


def test_one_process_is_refused_nothing(data: inkstream.Dataset, alone: Any) -> None:
    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH)]
    mapped = MapDataset(data, "train")
    for source in (
        loader(data, "train", batch_size=BATCH),
        DataLoader(IterableDataset(data, "train", batch_size=BATCH), batch_size=None),
        DataLoader(mapped, batch_sampler=BatchSampler(mapped, batch_size=BATCH)),
    ):
        assert [b["index"].tolist() for b in alone.prepare(source)] == wanted


def test_its_checkpoints_hold_a_loaders_place(
    data: inkstream.Dataset, alone: Any, tmp_path: Path
) -> None:
    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH)]
    train = loader(data, "train", batch_size=BATCH)
    alone.register_for_checkpointing(train)
    list(islice(alone.prepare(train), 4))
    alone.save_state(str(tmp_path))
    list(islice(train, 3))
    alone.load_state(str(tmp_path))
    assert [b["index"].tolist() for b in train] == wanted[4:]


class TestSkippedBatches:
    """`skip_first_batches`, with which programs and the Trainer resume within an epoch."""

    def make(self, data: inkstream.Dataset, **keywords: Any) -> Loader:
        return loader(data, "train", batch_size=BATCH, image=Image(8), **keywords)

    def of(self, batches: Any) -> list[list[int]]:
        return [batch["index"].tolist() for batch in batches]

    @pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
    @pytest.mark.parametrize("skip", [0, 1, 7, "last but one", "last", "all"])
    def test_the_rest_follows_and_what_is_skipped_is_never_asked_for(
        self, data: inkstream.Dataset, alone: Any, tail: str, skip: Any
    ) -> None:
        stream = data.stream("train", batch_size=BATCH, epochs=2, tail=tail)
        wanted = self.of(stream)
        steps = len(wanted) // 2
        skip = {"last but one": steps - 2, "last": steps - 1, "all": steps}.get(skip, skip)
        train = self.make(data, tail=tail)
        rest = accelerate.skip_first_batches(train, skip)
        assert len(rest) == steps - skip
        assert self.of(rest) == wanted[skip:steps]
        assert train.stats()["batches"] == steps - skip
        if skip < steps:
            assert self.of(train) == wanted[steps:]

    def test_an_epoch_that_is_named_counts(self, data: inkstream.Dataset, alone: Any) -> None:
        wanted = self.of(data.stream("train", batch_size=BATCH, epochs=3))
        steps = len(wanted) // 3
        named = self.make(data)
        named.set_epoch(1)
        assert self.of(accelerate.skip_first_batches(named, 3)) == wanted[steps + 3 : 2 * steps]
        begun = self.make(data)
        next(iter(begun))
        rest = accelerate.skip_first_batches(begun, 4)
        rest.batch_sampler.batch_sampler.set_epoch(2)  # as the Trainer does
        assert self.of(rest) == wanted[2 * steps + 4 :]

    def test_a_loaded_state_is_not_skipped_once_more(
        self, data: inkstream.Dataset, alone: Any
    ) -> None:
        wanted = self.of(data.stream("train", batch_size=BATCH))
        train = self.make(data)
        list(islice(train, 5))
        resumed = self.make(data)
        resumed.load_state_dict(train.state_dict())
        assert self.of(accelerate.skip_first_batches(resumed, 5)) == wanted[5:]

    def test_an_older_iterator_is_told(self, data: inkstream.Dataset, alone: Any) -> None:
        train = self.make(data)
        older = iter(train)
        next(older)
        next(iter(accelerate.skip_first_batches(train, 3)))
        with pytest.raises(inkstream.Closed, match="newer"):
            next(older)

    def test_an_evaluation_stays_where_it_starts(self, data: inkstream.Dataset, alone: Any) -> None:
        valid = loader(data, "valid", batch_size=BATCH, train=False)
        whole = self.of(valid)
        valid.batch_sampler.sampler.set_epoch(3)  # as Lightning does with every loader
        assert self.of(accelerate.skip_first_batches(valid, 2)) == whole[2:]
        assert self.of(valid) == whole


def test_what_a_trainer_looks_at_without_accelerate(data: inkstream.Dataset) -> None:
    """The parts of a DataLoader that Accelerate makes another one of."""
    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH)]
    train = loader(data, "train", batch_size=BATCH, image=Image(8))
    assert len(train.dataset) == len(data["train"])
    assert train.dataset[3]["index"] == data["train"][3].index
    rest = DataLoader(
        train.dataset,
        batch_sampler=list(train.batch_sampler)[4:],
        num_workers=train.num_workers,
        prefetch_factor=train.prefetch_factor,
    )
    assert [batch["index"].tolist() for batch in rest] == wanted[4:]
