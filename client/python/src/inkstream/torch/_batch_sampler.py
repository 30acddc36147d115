"""The server's own order as a batch sampler for torch's DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from inkstream._adapters.source import source_of
from inkstream._order.permutation import Permutation
from inkstream._order.schedule import Schedule
from inkstream._order.window_shuffle import WindowShuffle
from inkstream._request.cursor import State, check_state
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import Shuffle, Tail
from inkstream._request.plan import Plan
from inkstream._request.values import whole
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.errors import PlanMismatch
from inkstream.split import Split
from inkstream.stream import Stream
from inkstream.torch._map_dataset import IndexBatch, MapDataset
from inkstream.torch._placement import Placement


def _window_of(shuffle: str) -> int | None:
    """Drawings a window; None: the whole epoch is one; 0: no shuffling."""
    kind, _, size = shuffle.partition(":")
    return {"full": None, "none": 0}[kind] if kind != "window" else int(size)


class BatchSampler(Sampler[list[int]]):
    """Batches of ranks in a view, in the order in which the server would stream it.

    O(1) memory whatever the size. Each `iter()` is one epoch, the next one each time; a
    DataLoader with workers runs ahead of the training code, so a checkpoint keeps the `cursor` of
    a batch that the code has (`MapDataset` passes it on), and `load_state_dict` goes on behind
    it; or it keeps the state of torchdata's StatefulDataLoader.

    `source`: a MapDataset, whose view it is; a dataset, with `view`, "train" if left out; or the
    number of drawings. `rank`, `world`: torch.distributed's if left out; rank 0 of 1 for
    Accelerate, which shares batches out itself. `shuffle`: "full", "window:N" or "none"; classes
    cannot be balanced here, since only the server knows who is in them (`Dataset.stream` can).
    """

    @checked_keywords()
    def __init__(
        self,
        source: MapDataset | Split | Dataset | int,
        view: View | str | None = None,
        *,
        batch_size: int = 256,
        seed: int = 0,
        shuffle: Shuffle = "full",
        tail: Tail = "drop",
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        self._place = Placement("BatchSampler", rank, world)
        self._data, known_view = source_of(source, view)
        self._plan = Plan.of(
            known_view, batch_size=batch_size, seed=seed, shuffle=shuffle, tail=tail, columns=(),
            rank=self._place.rank, world=self._place.world,
        )  # fmt: skip
        self._window = _window_of(self._plan.shuffle)
        self._cursor: State = {}
        if isinstance(self._data, Dataset):
            size, self._cursor = self._ask(self._data, self._plan)
        else:
            size = self._data
        plan = self._plan
        self._schedule = Schedule(size, plan.batch_size, plan.rank, plan.world, plan.tail)
        self._next = (0, 0)
        self._within: tuple[int, int] | None = None  # behind the last batch of the running pass

    @property
    def batch_size(self) -> int:
        """Drawings a batch of this rank."""
        return self._plan.batch_size

    @property
    def seed(self) -> int:
        """What the order is a function of."""
        return self._plan.seed

    def __len__(self) -> int:
        """Batches of one full epoch."""
        self._place.check()
        return self._schedule.steps_from(0)

    def __iter__(self) -> Iterator[IndexBatch]:
        self._place.check()
        self._within = None
        return _Pass(self)

    def set_epoch(self, epoch: int) -> None:
        """The next `iter()` gives `epoch`; one that a loaded cursor has begun is kept."""
        epoch = whole("epoch", epoch, 0)
        if self._next[1] == 0:
            self._next = (epoch, 0)

    def state_dict(self) -> State:
        """The place behind the last batch of the running pass, else where the next one starts."""
        epoch, position = self._next if self._within is None else self._within
        return {**self._cursor, "seed": self.seed, "epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next `iter()` goes on at a cursor, for the rest of its epoch.

        A cursor of another seed is of another order, whose hash the server is asked for.
        """
        checked = check_state(state)
        plan, known = self._plan, self._cursor
        if checked["seed"] != plan.seed:
            plan = plan.with_seed(checked["seed"])
            if isinstance(self._data, Dataset):
                _, known = self._ask(self._data, plan)
        for name in ("fingerprint", "plan_hash"):
            if known.get(name) and checked[name] and known[name] != checked[name]:
                raise PlanMismatch(
                    f"cursor.{name} is {checked[name]}, this sampler's is {known[name]}"
                )
        self._plan, self._cursor = plan, known
        self._next, self._within = (checked["epoch"], checked["position"]), None

    def __repr__(self) -> str:
        step = self._schedule
        return (
            f"BatchSampler({step.size} drawings, batch_size={step.batch_size}, seed={self.seed}, "
            f"rank {step.rank} of {step.world}, epoch {self._next[0]})"
        )

    def _begin(self, place: tuple[int, int] | None) -> Iterator[IndexBatch]:
        """The pass at `place`, (epoch, position), or else the next one."""
        if place is None:
            place = self._next
            if self._schedule.steps_from(place[1]) == 0:
                place = (place[0] + 1, 0)
        self._next = (place[0] + 1, 0)
        return self._batches(*place)

    def _batches(self, epoch: int, entered: int) -> Iterator[IndexBatch]:
        size = self._schedule.size
        shuffled: Permutation | WindowShuffle | None = None
        if self._window is None:
            shuffled = Permutation(size, self.seed, epoch)
        elif self._window > 0:
            shuffled = WindowShuffle(size, self._window, self.seed, epoch)
        for number in range(self._schedule.steps_from(entered)):
            step = self._schedule.step_at(epoch, entered, number)
            ranks = (step.first + np.arange(step.rows)) % size
            if shuffled is not None:
                ranks = shuffled(ranks)
            self._within = step.after
            cursor = self.state_dict() if self._cursor else None
            yield IndexBatch(ranks.tolist(), cursor, step.valid_rows, epoch, self.seed)

    @staticmethod
    def _ask(data: Dataset, plan: Plan) -> tuple[int, State]:
        """Drawings an epoch, and the cursor of its start."""
        with Stream(data, plan) as stream:
            info = stream._iterator.info()
        return info.view_size, info.cursor


class _Pass(Iterator[IndexBatch]):
    """One epoch of a sampler. Its state is what torchdata keeps of a pass under way.

    It begins with its first batch: a DataLoader with workers calls iter() twice a pass and reads
    the second, so only what is read may count as a pass.
    """

    def __init__(self, sampler: BatchSampler) -> None:
        self._sampler = sampler
        self._batches: Iterator[IndexBatch] | None = None
        self._at: tuple[int, int] | None = None  # epoch, and drawings of it that are behind

    def __next__(self) -> IndexBatch:
        if self._batches is None:
            self._batches = self._sampler._begin(self._at)
        batch = next(self._batches)
        after = self._sampler._within
        inside = after is not None and after[0] == batch.epoch
        self._at = after if inside else (batch.epoch, self._sampler._schedule.size)
        return batch

    def state_dict(self) -> State:
        """Unlike a sampler's, behind the last batch it is still of that epoch."""
        epoch, position = self._sampler._next if self._at is None else self._at
        return {"epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on there: with nothing, if the epoch's last batch is behind."""
        self._batches, self._at = None, (int(state["epoch"]), int(state["position"]))
