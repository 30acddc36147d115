"""Whatever the plan and whatever serves it: the same bytes, each drawing exactly once.

GRID_EXAMPLES: how many plans each test tries (default 25); a failure prints the plan and how to
try it again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import inkstream
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inkstream import Image, Strokes, View
from support.processes import Server
from support.stores import make_store

DRAWINGS = 400
EXAMPLES = int(os.environ.get("GRID_EXAMPLES", "25"))


@dataclass(frozen=True)
class Way:
    """How batches travel: which servers, what reads them, how many are ahead."""

    servers: tuple[str, ...]  # names of addresses
    library: bool
    ahead: int
    codec: str = "none"


@dataclass(frozen=True)
class Job:
    """What is asked for; `order` is all that the order of drawings depends on."""

    view: View
    order: dict[str, Any]
    world: int
    batch_size: int
    tail: str
    epochs: int = 1
    tensors: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    epoch: int
    step: int
    cursor: dict[str, Any]
    digest: str
    index: tuple[int, ...]  # of valid rows


class Grid:
    """Two servers with different numbers of threads, and clients of every kind."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses = addresses
        self._data: dict[tuple[str, ...], inkstream.Dataset] = {}

    @contextmanager
    def _dataset(self, way: Way) -> Iterator[inkstream.Dataset]:
        if way.servers not in self._data:
            client = inkstream.connect([self._addresses[name] for name in way.servers])
            self._data[way.servers] = client.dataset()
        with ExitStack() as stack:
            if not way.library:
                name = "inkstream._network.connection.native_library"
                stack.enter_context(mock.patch(name, lambda: (None, "a test")))
            yield self._data[way.servers]

    def count(self, view: View) -> int:
        with self._dataset(PLAIN) as data:
            return data.count(view)

    def read(self, way: Way, job: Job, rank: int = 0, start: Any = None) -> list[Seen]:
        """All batches of one rank."""
        with self._dataset(way) as data:
            stream = data.stream(
                job.view,
                rank=rank,
                world=job.world,
                batch_size=job.batch_size,
                tail=job.tail,
                epochs=job.epochs,
                start=start,
                codec=way.codec,
                **job.tensors,
                **job.order,
            )
            stream._iterator._ahead = way.ahead  # not for users to set
            with stream:
                return [seen(batch) for batch in stream]

    def positions(self, way: Way, job: Job, start: Any = None) -> dict[int, list[int]]:
        """Epoch → drawings in the order of positions, of all ranks together."""
        ranks = [self.read(way, job, rank, start) for rank in range(job.world)]
        assert len({len(batches) for batches in ranks}) == 1, "ranks have unlike numbers of steps"
        order: dict[int, list[int]] = {}
        for step in zip(*ranks, strict=True):
            assert len({str(batch.cursor) for batch in step}) == 1
            for batch in step:
                order.setdefault(batch.epoch, []).extend(batch.index)
        return order

    def alone(self, job: Job) -> dict[int, list[int]]:
        """What one rank sees that reads everything, in another size of batches."""
        return self.positions(PLAIN, replace(job, world=1, batch_size=150, tail="partial"))


def seen(batch: inkstream.Batch) -> Seen:
    every = hashlib.sha256()
    for name in sorted(batch):
        array = batch[name]
        every.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    index = tuple(batch.index[batch.valid].tolist())
    return Seen(batch.epoch, batch.step, dict(batch.cursor), every.hexdigest(), index)


PLAIN = Way(("one tcp",), True, 8)
VIEWS = [
    View("train"),
    View("valid[:60%]"),
    View("train", fold=(1, 3)),
    View("train", where={"recognized": True}, fraction=0.6),
    View("train[10%:55%]", where={"label": ("<", 4)}),
    View(max_per_class=7),
    View("train", where={"points": (">=", 12)}),
]
ORDERS: list[dict[str, Any]] = [
    {},
    {"shuffle": "none"},
    {"shuffle": "window:64"},
    {"sampling": "balanced:0"},
    {"sampling": "balanced:0.5", "shuffle": "window:16"},
    {
        "sampling": [
            (View(where={"recognized": True}), 1.0),
            (View(where={"label": ("<", 3)}), 2.0),
        ]
    },
]
TENSORS: list[dict[str, Any]] = [
    {"columns": ["label", "key_id"]},
    {"image": Image(9, 13), "columns": ["countrycode"]},
    {"image": Image(40, dtype="float32"), "augment": inkstream.Augment(rotation=20, jitter=1)},
    {"image": Image(16), "views": 2, "augment": inkstream.Augment(flip_x=0.5)},
    {"strokes": Strokes(30, ragged=True), "columns": ["timestamp", "recognized"]},
    {"image": Image(160), "strokes": Strokes(64, format="stroke5")},  # larger than a message
]
SERVERS = [("one tcp",), ("two tcp",), ("two unix",), ("one tcp", "two tcp"), ("one unix",)]

sizes = st.sampled_from([1, 2, 7, 16, 33, 64])
worlds = st.integers(1, 5)
tails = st.sampled_from(["drop", "partial", "pad"])
ways = st.builds(
    Way,
    servers=st.sampled_from(SERVERS),
    library=st.booleans(),
    ahead=st.sampled_from([1, 2, 3, 8]),
    codec=st.sampled_from(["none", "auto", "strokes"]),
)
jobs = st.builds(
    Job,
    view=st.sampled_from(VIEWS),
    order=st.builds(
        lambda order, seed: {**order, "seed": seed},
        st.sampled_from(ORDERS),
        st.sampled_from([0, 1, 2**40 + 3]),
    ),
    world=worlds,
    batch_size=sizes,
    tail=tails,
    epochs=st.integers(1, 2),
    tensors=st.sampled_from(TENSORS),
)
examples = settings(max_examples=EXAMPLES, deadline=None, print_blob=True)


@pytest.fixture(scope="module")
def grid(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    store = make_store(binary, tmp_path_factory.mktemp("grid"), DRAWINGS)
    homes = [tmp_path_factory.mktemp("server") for _ in range(2)]
    with (
        Server(binary, store, homes[0], "--workers", "1") as one,
        Server(binary, store, homes[1], "--workers", "4", "--memory", "256MiB") as two,
    ):
        yield Grid(
            {
                "one tcp": one.tcp,
                "one unix": one.unix,
                "two tcp": two.tcp,
                "two unix": two.unix,
            }
        )


def assume_it_can_be_cut(grid: Grid, job: Job) -> None:
    """A view smaller than one step of all ranks is refused under "drop"."""
    assume(job.tail != "drop" or grid.count(job.view) >= job.world * job.batch_size)


@examples
@given(job=jobs, one=ways, other=ways)
def test_the_bytes_are_the_same_whichever_way_they_come(
    grid: Grid, job: Job, one: Way, other: Way
) -> None:
    assume_it_can_be_cut(grid, job)
    rank = job.batch_size % job.world
    assert grid.read(one, job, rank) == grid.read(other, job, rank)


@examples
@given(job=jobs, way=ways)
def test_ranks_together_see_the_order_once(grid: Grid, job: Job, way: Way) -> None:
    assume_it_can_be_cut(grid, job)
    job = replace(job, tensors={})
    alone = grid.alone(job)
    together = grid.positions(way, job)
    for epoch, order in alone.items():
        dropped = len(order) % (job.world * job.batch_size) if job.tail == "drop" else 0
        assert together[epoch] == order[: len(order) - dropped]
        if "sampling" not in job.order:
            assert len(order) == len(set(order)) == grid.count(job.view)
    assert together.keys() == alone.keys()


@examples
@given(job=jobs, before=ways, after=ways, place=st.floats(0, 1))
def test_a_cursor_goes_on_with_the_same_bytes(
    grid: Grid, job: Job, before: Way, after: Way, place: float
) -> None:
    assume_it_can_be_cut(grid, job)
    rank = job.world - 1
    whole = grid.read(before, job, rank)
    cut = round(place * len(whole))
    assume(cut > 0)
    rest = grid.read(after, job, rank, start=whole[cut - 1].cursor)
    # Steps are counted from the cursor, and the last two share what is left.
    assert [(b.epoch, b.cursor) for b in rest] == [(b.epoch, b.cursor) for b in whole[cut:]]
    assert [b.digest for b in rest] == [b.digest for b in whole[cut:]]


@examples
@given(
    job=jobs,
    world=worlds,
    batch_size=sizes,
    before=ways,
    after=ways,
    place=st.floats(0, 1),
)
def test_a_cursor_goes_on_in_another_world(
    grid: Grid, job: Job, world: int, batch_size: int, before: Way, after: Way, place: float
) -> None:
    job = replace(job, tensors={}, epochs=1, tail="partial")
    order = grid.alone(job)[0]
    steps = grid.read(before, job)
    cut = round(place * (len(steps) - 1))
    cursor = steps[cut - 1].cursor if cut > 0 else None
    position = 0 if cursor is None else cursor["position"]
    after_job = replace(job, world=world, batch_size=batch_size)
    assert grid.positions(after, after_job, start=cursor).get(0, []) == order[position:]
