"""The drawings of a view by their number in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from inkstream._batch.batch import Batch
from inkstream._batch.words import Classed
from inkstream._fetch.random_access import RandomAccess, ranks_of
from inkstream._network.source import Source
from inkstream._request.plan import Plan
from inkstream._request.values import holds_many, is_bool
from inkstream._request.view import View


class Split(Classed):
    """A view as a sequence: `split[17]`, `split[[5, 9, 5]]`, `split[10:20]`, `len(split)`.

    An integer gives one drawing without the batch dimension, anything else a batch. A mask, one
    flag for each drawing, picks those that are True, whether it is a list or an array of NumPy's
    or torch's. OutOfRange (an IndexError) where there is no such drawing. Picklable.
    """

    def __init__(self, dataset: Source, plan: Plan, epoch: int = 0, first_view: int = 0) -> None:
        self.dataset = dataset
        self.plan = plan
        self.epoch = epoch
        self.first_view = first_view
        self._size: int | None = None

    def in_epoch(self, epoch: int, seed: int) -> Split:
        """The same drawings, augmented as a stream of `seed` gives them in `epoch`."""
        plan = self.plan if seed == self.plan.seed else self.plan.with_seed(seed)
        other = Split(self.dataset, plan, epoch, self.first_view)
        other._size = self._size
        return other

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self.plan.view.classes or self.dataset.classes

    def __len__(self) -> int:
        if self._size is None:
            view = self.plan.view
            plain = view.split is not None and view == View(view.split)
            known = self.dataset.splits.get(view.split or "") if plain else None
            self._size = self.dataset.count(view) if known is None else known
        return self._size

    def __getitem__(self, which: int | slice | Sequence[int] | NDArray[Any]) -> Batch:
        access = RandomAccess(self.dataset, self.plan, self.epoch, self.first_view)
        if isinstance(which, slice) or holds_many(which) or is_bool(which):
            return access.fetch("rank", ranks_of(which, len(self)))
        return access.fetch("rank", ranks_of([which], len(self))).row(0)

    def __repr__(self) -> str:
        size = "" if self._size is None else f", {self._size} drawings"
        return f"Split({self.dataset.name!r}, {self.plan.view}{size})"
