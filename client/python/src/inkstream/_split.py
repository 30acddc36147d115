"""The drawings of a view by their number in it."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inkstream._batch import Batch
from inkstream._errors import OutOfRange
from inkstream._plan import Plan
from inkstream._random_access import fetch_request, fetched, integers
from inkstream._view import View

if TYPE_CHECKING:
    from inkstream._dataset import Dataset


class Split:
    """A view as a sequence: `split[17]`, `split[[5, 9, 5]]`, `split[10:20]`, `len(split)`.

    An integer gives one drawing without the batch dimension, anything else a batch; each is
    one round trip. Picklable.
    """

    def __init__(self, dataset: Dataset, plan: Plan, epoch: int = 0, first_view: int = 0) -> None:
        self.dataset = dataset
        self.plan = plan
        self.epoch = epoch
        self.first_view = first_view
        self._size: int | None = None

    def in_epoch(self, epoch: int) -> Split:
        """The same drawings, augmented as a stream gives them in `epoch`."""
        other = Split(self.dataset, self.plan, epoch, self.first_view)
        other._size = self._size
        return other

    def __len__(self) -> int:
        if self._size is None:
            view = self.plan.view
            known = self.dataset.splits.get(view.split) if view == View(view.split) else None
            self._size = self.dataset.count(view) if known is None else known
        return self._size

    def __getitem__(self, which: Any) -> Batch:
        if isinstance(which, slice):
            return self._rows(range(*which.indices(len(self))))
        if isinstance(which, np.ndarray) and which.dtype == np.bool_:
            which = np.flatnonzero(which)
        try:
            rank = operator.index(which)
        except TypeError:
            return self._rows(which)
        return self._rows([rank]).row(0)

    def _rows(self, ranks: Sequence[int]) -> Batch:
        size = len(self)
        wanted = []
        for rank in integers("ranks", ranks):
            if not -size <= rank < size:
                raise OutOfRange(f"no drawing {rank}: the view has {size}, 0..{size - 1}")
            wanted.append(rank % size)
        request = fetch_request(self.dataset, self.plan, self.epoch, self.first_view)
        request.view.CopyFrom(self.plan.view.to_proto())
        request.rank.extend(wanted)
        return fetched(self.dataset, request, self.plan)
