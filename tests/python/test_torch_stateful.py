"""torchdata's StatefulDataLoader over our datasets goes on where its state was taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import inkstream
import pytest
import torch
from inkstream import Image
from inkstream.torch import BatchSampler, IterableDataset, MapDataset, collate
from torch.utils.data import DataLoader

stateful = pytest.importorskip("torchdata.stateful_dataloader")

BATCH = 100
EPOCHS = 4

Make = Callable[..., Any]


def started(workers: int) -> dict[str, Any]:
    """Hundreds are started here, and a fork beside a call of gRPC seldom ends the worker."""
    return {"num_workers": workers, "multiprocessing_context": "forkserver" if workers else None}


def map_style(data: inkstream.Dataset, workers: int, **more: Any) -> Any:
    dataset = MapDataset(data, "train", image=Image(8))
    return stateful.StatefulDataLoader(
        dataset,
        batch_sampler=BatchSampler(dataset, batch_size=BATCH),
        collate_fn=collate,
        **started(workers) | more,
    )


def iterable(data: inkstream.Dataset, workers: int, **more: Any) -> Any:
    dataset = IterableDataset(data, "train", batch_size=BATCH, image=Image(8))
    return stateful.StatefulDataLoader(dataset, batch_size=None, **started(workers) | more)


def of(batches: Any) -> list[list[int]]:
    return [batch["index"].tolist() for batch in batches]


@pytest.fixture
def wanted(data: inkstream.Dataset) -> list[list[int]]:
    return of_stream(data)


def of_stream(data: inkstream.Dataset) -> list[list[int]]:
    stream = data.stream("train", batch_size=BATCH, columns=(), epochs=EPOCHS)
    return [batch.index.tolist() for batch in stream]


def taken(loader: Any, count: int) -> list[list[int]]:
    """`count` batches, as many passes as it takes, the last of them left in its midst."""
    found: list[list[int]] = []
    for _ in range(EPOCHS + 1):
        found += of(islice(loader, count - len(found)))
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("workers", [0, 2, 3])
@pytest.mark.parametrize("make", [map_style, iterable])
@pytest.mark.parametrize("after", [0, 1, 8, "last but one", "last"])
def test_it_goes_on_in_a_new_loader(
    data: inkstream.Dataset,
    wanted: list[list[int]],
    make: Make,
    workers: int,
    persistent: bool,
    after: Any,
) -> None:
    if persistent and not workers:
        pytest.skip("there is no worker to stay")
    steps = len(wanted) // EPOCHS
    more = {"persistent_workers": True} if persistent else {}
    after = {"last but one": steps - 1, "last": steps}.get(after, after)
    loader = make(data, workers, **more)
    running = iter(loader)
    assert of(islice(running, after)) == wanted[:after]
    state = loader.state_dict()
    assert of(running) == wanted[after:steps]

    resumed = make(data, workers, **more)
    resumed.load_state_dict(state)
    first = of(resumed)
    # Behind an epoch's last batch torchdata's own way is an empty rest; ours the next epoch.
    assert first in (wanted[after:steps], wanted[steps : 2 * steps] if after == steps else None)
    assert first + taken(resumed, 2 * steps - after - len(first)) == wanted[after : 2 * steps]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("make", [map_style, iterable])
def test_a_state_taken_when_an_epoch_was_read_to_its_end_begins_the_next(
    data: inkstream.Dataset, wanted: list[list[int]], make: Make, workers: int
) -> None:
    steps = len(wanted) // EPOCHS
    for more in [{}, {"persistent_workers": True}] if workers else [{}]:
        loader = make(data, workers, **more)
        assert of(loader) == wanted[:steps]
        resumed = make(data, workers, **more)
        resumed.load_state_dict(loader.state_dict())
        assert of(resumed) == wanted[steps : 2 * steps]
        assert of(resumed) == wanted[2 * steps : 3 * steps]


@pytest.mark.parametrize("workers", [0, 2, 3])
@pytest.mark.parametrize("make", [map_style, iterable])
def test_it_is_resumed_twice_and_in_a_later_epoch(
    data: inkstream.Dataset, wanted: list[list[int]], make: Make, workers: int
) -> None:
    steps = len(wanted) // EPOCHS
    loader = make(data, workers)
    at = 0
    for more in (5, 2, steps, 7):
        found = taken(loader, more)
        assert found == wanted[at : at + more]
        at += more
        state = loader.state_dict()
        loader = make(data, workers)
        loader.load_state_dict(state)
    assert taken(loader, steps) == wanted[at : at + steps]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("make", [map_style, iterable])
def test_the_same_loader_goes_back_to_its_state(
    data: inkstream.Dataset, wanted: list[list[int]], make: Make, workers: int
) -> None:
    loader = make(data, workers)
    taken(loader, 4)
    state = loader.state_dict()
    for _ in range(2):
        taken(loader, 3)
        loader.load_state_dict(state)
        assert of(loader) == wanted[4 : len(wanted) // EPOCHS]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_may_be_started_in_any_way(
    data: inkstream.Dataset, wanted: list[list[int]], start: str
) -> None:
    loader = iterable(data, 2, multiprocessing_context=start)
    found = taken(loader, 5)
    resumed = iterable(data, 2, multiprocessing_context=start)
    resumed.load_state_dict(loader.state_dict())
    assert found + of(resumed) == wanted[: len(wanted) // EPOCHS]


@pytest.mark.parametrize(("kept", "loaded"), [(2, 3), (3, 2)])
def test_a_state_of_another_number_of_workers_is_refused(
    data: inkstream.Dataset, kept: int, loaded: int
) -> None:
    loader = iterable(data, kept)
    taken(loader, 3)
    other = iterable(data, loaded)
    other.load_state_dict(loader.state_dict())
    with pytest.raises(inkstream.WrongProcess, match=f"num_workers={kept}"):
        iter(other)


def test_a_state_of_another_seed_is_refused_by_workers(data: inkstream.Dataset) -> None:
    loader = iterable(data, 2)
    taken(loader, 3)
    dataset = IterableDataset(data, "train", batch_size=BATCH, image=Image(8), seed=7)
    other = stateful.StatefulDataLoader(dataset, batch_size=None, **started(2))
    other.load_state_dict(loader.state_dict())
    with pytest.raises(inkstream.FixRequest, match="seed=0"):
        iter(other)


def test_a_workers_state_is_told_from_a_cursor(data: inkstream.Dataset) -> None:
    loader = iterable(data, 2)
    taken(loader, 3)
    state = json.loads(json.dumps(loader.state_dict()))
    worker = state["_snapshot"]["_worker_snapshots"]["worker_0"]["dataset_state"]
    dataset = IterableDataset(data, "train", batch_size=BATCH)
    with pytest.raises(inkstream.FixRequest, match="one of 2"):
        dataset.load_state_dict(worker)
    resumed = iterable(data, 2)
    resumed.load_state_dict(state)
    assert of(resumed) == of_stream(data)[3 : len(loader)]


def test_the_main_process_does_not_guess_where_workers_are(data: inkstream.Dataset) -> None:
    dataset = IterableDataset(data, "train", batch_size=BATCH)
    batches: list[Any] = list(islice(DataLoader(dataset, batch_size=None, num_workers=2), 3))
    with pytest.raises(inkstream.WrongProcess, match="`cursor` of the last batch"):
        dataset.state_dict()
    dataset.load_state_dict(batches[-1].cursor)
    assert dataset.state_dict()["position"] == 3 * BATCH
    assert of(DataLoader(dataset, batch_size=None)) == of_stream(data)[3 : len(dataset)]
    assert dataset.state_dict()["epoch"] == 1


class Loads(IterableDataset):
    """Loads a cursor where it must not."""

    def __iter__(self) -> Any:
        self.load_state_dict({"epoch": 1})
        return super().__iter__()


def test_a_cursor_is_not_loaded_in_a_worker(data: inkstream.Dataset) -> None:
    loader: Any = DataLoader(Loads(data, "train", batch_size=10), batch_size=None, num_workers=1)
    with pytest.raises(inkstream.WrongProcess, match="main process"):
        next(iter(loader))


class TestSampler:
    """What torchdata leaves to a sampler, without torchdata."""

    def test_in_a_pass_the_state_is_behind_the_last_batch(self, data: inkstream.Dataset) -> None:
        sampler = BatchSampler(data, "train", batch_size=BATCH)
        batches = list(sampler)
        assert sampler.state_dict() == batches[-1].cursor
        assert (sampler.state_dict()["epoch"], sampler.state_dict()["position"]) == (1, 0)
        iter(sampler)
        assert sampler.state_dict()["epoch"] == 1
        running = iter(sampler)
        second = [next(running) for _ in range(3)]
        assert sampler.state_dict() == second[-1].cursor
        resumed = BatchSampler(data, "train", batch_size=BATCH)
        resumed.load_state_dict(sampler.state_dict())
        assert list(resumed) == list(running)
        assert list(resumed) == list(sampler)

    def test_a_cursor_of_another_seed_brings_its_own_order(self, data: inkstream.Dataset) -> None:
        def make(seed: int = 0) -> BatchSampler:
            return BatchSampler(data, "train", batch_size=BATCH, seed=seed)

        of_seven = list(make(7))
        sampler = make()
        sampler.load_state_dict(of_seven[2].cursor)
        assert sampler.seed == 7
        assert sampler.state_dict() == of_seven[2].cursor
        found = list(sampler)
        assert found == of_seven[3:]
        assert [batch.cursor for batch in found] == [batch.cursor for batch in of_seven[3:]]
        # Everybody takes its cursors: another sampler, a stream, a loader.
        again = make()
        again.load_state_dict(found[1].cursor)
        assert list(again) == of_seven[5:]
        again.load_state_dict(again.state_dict())
        stream = data.stream("train", batch_size=BATCH, start=found[1].cursor)
        assert next(stream).cursor == found[2].cursor
        loader = inkstream.torch.loader(data, "train", batch_size=BATCH)
        loader.load_state_dict(again.state_dict())
        next(iter(loader))
        # And back.
        sampler.load_state_dict({"seed": 0})
        assert list(sampler) == list(make())

    def test_a_cursor_of_another_order_is_refused_whatever_its_seed(
        self, data: inkstream.Dataset
    ) -> None:
        sampler = BatchSampler(data, "train", batch_size=BATCH)
        before = sampler.state_dict()
        for seed in (0, 7):
            other = BatchSampler(data, "train", batch_size=BATCH, seed=seed, shuffle="none")
            with pytest.raises(inkstream.PlanMismatch, match="plan_hash"):
                sampler.load_state_dict(next(iter(other)).cursor)
            assert sampler.state_dict() == before

    def test_a_number_of_drawings_needs_no_server(self) -> None:
        sampler = BatchSampler(1000, batch_size=100)
        first = list(sampler)
        sampler.load_state_dict({"seed": 3, "position": 500})
        assert len(list(sampler)) == 5
        sampler.load_state_dict({"seed": 0})
        assert list(sampler) == first


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_pinned_batches_keep_their_cursor(data: inkstream.Dataset) -> None:
    loader = iterable(data, 2, pin_memory=True)
    batch = next(iter(loader))
    assert batch.cursor["position"] == BATCH
    assert batch["image"].is_pinned()
