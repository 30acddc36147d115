"""The server's own order as a batch sampler for torch's DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from inkstream._cursor import State, check_state
from inkstream._dataset import Dataset
from inkstream._errors import FixRequest, PlanMismatch
from inkstream._permutation import Permutation
from inkstream._plan import Plan
from inkstream._schedule import Schedule
from inkstream._stream import Stream
from inkstream._view import View
from inkstream._window_shuffle import WindowShuffle
from inkstream.torch._placement import place_of


class IndexBatch(list[int]):
    """Ranks of one batch that carry where they belong: `cursor` is the place after it."""

    def __init__(
        self,
        ranks: Any = (),
        cursor: State | None = None,
        valid_rows: int = -1,
        epoch: int = 0,
    ) -> None:
        super().__init__(ranks)
        self.epoch = epoch
        self.cursor = cursor
        self.valid_rows = len(self) if valid_rows < 0 else valid_rows


def _window_of(shuffle: str) -> int | None:
    """Drawings a window; None: the whole epoch is one; 0: no shuffling."""
    if shuffle in ("full", "none"):
        return None if shuffle == "full" else 0
    kind, _, number = shuffle.partition(":")
    if kind != "window" or not number.isdecimal() or int(number) < 1:
        raise FixRequest(f'shuffle = {shuffle!r}: a sampler has "full", "window:N" and "none"')
    return int(number)


class BatchSampler(Sampler[list[int]]):
    """Batches of ranks in a view, in the order in which the server would stream it.

    O(1) memory whatever the size. Each `iter()` is one epoch, the next one each time; a
    DataLoader runs ahead of the training code, so a checkpoint keeps the `cursor` of a batch
    that the code has (`MapDataset` passes it on), and `load_state_dict` goes on behind it.

    `source`: a dataset, or the number of drawings. `rank`, `world`: torch.distributed's if
    left out. `shuffle`: "full", "window:N" or "none"; classes cannot be balanced here, since only
    the server knows who is in them (`Dataset.stream` can).
    """

    def __init__(
        self,
        source: Dataset | int,
        view: View | str = "train",
        *,
        batch_size: int = 256,
        seed: int = 0,
        shuffle: str = "full",
        tail: str = "drop",
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        self._window = _window_of(shuffle)
        rank, world = place_of(rank, world)
        self._cursor: State = {}
        if isinstance(source, int):
            size = source
        else:
            plan = Plan.of(
                view, batch_size=batch_size, seed=seed, shuffle=shuffle, tail=tail, columns=(),
                rank=rank, world=world,
            )  # fmt: skip
            with Stream(source, plan) as stream:
                facts = stream.facts()
            size, self._cursor = facts.view_size, facts.cursor
        self.schedule = Schedule(size, batch_size, rank, world, tail)
        self.batch_size = batch_size
        self.seed = seed
        self._next = (0, 0)

    def __len__(self) -> int:
        """Batches of one full epoch."""
        return self.schedule.steps_from(0)

    def __iter__(self) -> Iterator[IndexBatch]:
        # A generator: a DataLoader with workers calls iter() twice a pass and reads the second,
        # so only what is read may count as a pass.
        epoch, entered = self._next
        if self.schedule.steps_from(entered) == 0:
            epoch, entered = epoch + 1, 0
        self._next = (epoch + 1, 0)
        size = self.schedule.size
        shuffled: Permutation | WindowShuffle | None = None
        if self._window is None:
            shuffled = Permutation(size, self.seed, epoch)
        elif self._window > 0:
            shuffled = WindowShuffle(size, self._window, self.seed, epoch)
        for number in range(self.schedule.steps_from(entered)):
            step = self.schedule.step_at(epoch, entered, number)
            ranks = (step.first + np.arange(step.rows)) % size
            if shuffled is not None:
                ranks = shuffled(ranks)
            cursor = None
            if self._cursor:
                after = {"epoch": step.after[0], "position": step.after[1]}
                cursor = {**self._cursor, "seed": self.seed, **after}
            yield IndexBatch(ranks.tolist(), cursor, step.valid_rows, epoch)

    def set_epoch(self, epoch: int) -> None:
        """The next `iter()` gives `epoch`; one that a loaded cursor has begun is kept."""
        if self._next[1] == 0:
            self._next = (epoch, 0)

    def state_dict(self) -> State:
        """The place at which the next `iter()` starts; see the class on checkpoints."""
        return {
            **self._cursor,
            "seed": self.seed,
            "epoch": self._next[0],
            "position": self._next[1],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next `iter()` goes on at a cursor, for the rest of its epoch."""
        checked = check_state(state)
        for name in ("fingerprint", "plan_hash"):
            known = self._cursor.get(name)
            if known and checked[name] and known != checked[name] and checked["seed"] == self.seed:
                raise PlanMismatch(f"cursor.{name} is {checked[name]}, this sampler's is {known}")
        self.seed = checked["seed"]
        self._next = (checked["epoch"], checked["position"])
