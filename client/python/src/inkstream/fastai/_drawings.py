"""Drawings as a fastai dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np
import torch
from fastcore.foundation import L
from numpy.typing import NDArray

from inkstream._request.augment import Augment
from inkstream._request.values import holds_many, shown, whole
from inkstream._request.view import View, as_view
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest, OutOfRange, PlanMismatch
from inkstream.fastai._sample import Sample
from inkstream.split import Split
from inkstream.torch import Loader, loader
from inkstream.torch._tensors import from_batch


class Drawings:
    """What a DrawingDL reads: a view of a dataset, drawings by number, or arrays.

    `dataset[i]` is a tuple of inputs and targets. `split_idx`: 0 as training sees them, augmented;
    1 as validation does. `labelled`: whether targets come along. Holds no drawings, unless they
    were given as arrays. Picklable.
    """

    def __init__(
        self,
        sample: Sample,
        source: Dataset | None = None,
        view: View | None = None,
        *,
        split_idx: int = 1,
        labelled: bool = True,
        augment: Augment | None = None,
        seed: int = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.sample = sample
        self.source = source
        self.view = View() if view is None else view
        self.split_idx = split_idx
        self.labelled = labelled
        self.augment = augment
        self.seed = seed
        self.options = dict(options or {})
        self.chosen: NDArray[np.int64] | None = None  # indices in the store
        self.given: tuple[torch.Tensor, ...] | None = None  # inputs, as they are
        self._passes = 0  # that were augmented

    @property
    def n_inp(self) -> int:
        """Elements of a tuple that are the model's input."""
        return len(self.sample.inputs)

    @property
    def vocab(self) -> Any:
        """What the numbers of the target mean: a CategoryMap; of several targets, a list."""
        return self.sample.vocab

    @property
    def c(self) -> Any:
        """Outputs that the target wants of a model; of several targets, a list."""
        return self.sample.c

    @property
    def loss_func(self) -> Any:
        """What fits the target, None of several."""
        return self.sample.loss_func

    @property
    def items(self) -> Items:
        """The drawings' indices in the store, what `test_dl` takes."""
        return Items(self)

    def __len__(self) -> int:
        if self.given is not None:
            return len(self.given[0])
        if self.chosen is not None:
            return len(self.chosen)
        return 0 if self.source is None else len(self.source[self.view])

    def __getitem__(self, i: int) -> tuple[Any, ...]:
        batch = self._rows([whole("i", i, -len(self), len(self) - 1, OutOfRange)])
        return tuple(tensor[0] for tensor in self.sample.of(batch, self.labelled))

    def decode(self, sample: Sequence[Any], full: bool = True) -> tuple[Any, ...]:
        """One drawing as what is shown: a picture or a sketch, and words."""
        return self.sample.decode(sample)

    def get_index(self, i: int | Sequence[int]) -> int | list[int]:
        """The original key (`key_id`) of the i-th drawing; of several, a list."""
        keys: list[int] = self._read(i, ["key_id"])["key_id"].tolist()
        return keys if holds_many(i) else keys[0]

    def new_empty(self) -> Drawings:
        """The same without drawings, and without the servers: what `export` keeps."""
        return Drawings(self.sample, split_idx=self.split_idx, labelled=self.labelled)

    @contextmanager
    def set_split_idx(self, i: int) -> Iterator[Drawings]:
        """As training sees them (0) or validation (1), for a while."""
        before, self.split_idx = self.split_idx, i
        try:
            yield self
        finally:
            self.split_idx = before

    def seen_as(self, split_idx: int) -> Drawings:
        """The same drawings as training sees them (0), or as validation does (1)."""
        other = copy(self)
        other.split_idx = split_idx
        return other

    def others(self, items: Any, labelled: bool) -> Drawings:
        """Other drawings, seen as these are.

        `items`: a View or a split's name; a Split, of any dataset; indices in the store; or
        arrays, each one drawing's input as the model takes it.
        """
        if isinstance(items, Drawings):
            return items
        new = copy(self)
        new.labelled, new.split_idx, new.chosen, new.given = labelled, 1, None, None
        if isinstance(items, (View, str)):
            new.view = as_view(items)
            return new._counting_alike("test_dl", self)
        if isinstance(items, Split):
            if not isinstance(items.dataset, Dataset):
                raise FixRequest(f"{shown(items)} is of no dataset that can be streamed")
            new.source, new.view = items.dataset, items.plan.view
            return new._counting_alike("test_dl", self)
        listed = list(items) if holds_many(items) else []
        if listed and all(getattr(item, "ndim", 0) >= 2 for item in listed):
            if self.n_inp != 1:
                raise FixRequest(f"arrays are for one input, and these are {self.sample.inputs}")
            new.given = (torch.stack([torch.as_tensor(item) for item in listed]),)
            new.labelled = False
            return new
        if not listed:
            raise FixRequest(
                f"{shown(items)}: give a view, a split, indices in the store, or arrays as the "
                "model takes them"
            )
        new._served()
        new.chosen = np.array([whole(f"items[{k}]", n, 0) for k, n in enumerate(listed)], np.int64)
        return new

    def training(self, batch_size: int) -> Loader:
        """The endless loader of training, with a position; shared out among the ranks."""
        return loader(self._served(), self.view, batch_size=batch_size, **self._asked())

    def passes(self, batch_size: int, shuffled: bool) -> Iterator[Any]:
        """All of them once, as dicts of tensors; where augmented, anew each time."""
        if self.given is not None or self.chosen is not None:
            order = self.order(shuffled)
            for first in range(0, len(order), batch_size):
                yield self._rows(order[first : first + batch_size])
            return
        epoch = None
        if self.split_idx == 0 and self.augment is not None:
            epoch, self._passes = self._passes, self._passes + 1
        asked = {**self._asked(), "tail": "partial", "sampling": "uniform"}
        asked.update(shuffle="full" if shuffled else "none", rank=0, world=1)
        with loader(
            self._served(), self.view, batch_size=batch_size, train=epoch is not None, **asked
        ) as made:
            if epoch is not None:
                made.set_epoch(epoch)
            yield from made

    def order(self, shuffled: bool) -> list[int]:
        """Numbers of the drawings, as a pass gives them."""
        from inkstream import Permutation

        count = len(self)
        if not shuffled:
            return list(range(count))
        ranks: list[int] = Permutation(count, self.seed, 0)(np.arange(count)).tolist()
        return ranks

    def _asked(self) -> dict[str, Any]:
        sample = self.sample
        asked = {**self.options, "seed": self.seed, "columns": sample.columns}
        asked.update(image=sample.image, strokes=sample.strokes)
        if self.split_idx == 0 and self.augment is not None:
            asked["augment"] = self.augment
        return asked

    def _served(self) -> Dataset:
        if self.source is None:
            raise FixRequest(
                "a Learner that was loaded has no data of its own: give test_dl() a split of some, "
                'such as data["test"], or arrays as the model takes them'
            )
        return self.source

    def _counting_alike(self, what: str, other: Drawings) -> Drawings:
        """This, if its labels mean what those of `other` do."""
        words = list(self.view.classes or self._served().classes)
        labels = [t.vocab for t in self.sample.targets if t.column == "label"]
        if self.labelled and labels and list(labels[0]) != words:
            raise PlanMismatch(
                f"{what}: labels would count {shown(words)}, and those of training count "
                f"{shown(list(labels[0]))}: give a View with these as classes"
            )
        return self

    def _read(self, ranks: Any, columns: Sequence[str], **drawn: Any) -> Any:
        ranks = list(ranks) if holds_many(ranks) else [ranks]
        options = {k: v for k, v in self.options.items() if k in ("ignore_index", "on_corrupt")}
        data = self._served()
        if self.chosen is not None:
            picked = self.chosen[ranks]
            return data.fetch(picked, view=self.view, columns=columns, **options, **drawn)
        return data.split(self.view, columns=columns, **options, **drawn)[ranks]

    def _rows(self, ranks: list[int]) -> Any:
        if self.given is not None:
            return dict(zip(self.sample.inputs, (t[ranks] for t in self.given), strict=True))
        asked = self._asked()
        drawn = {k: asked[k] for k in ("image", "strokes", "augment", "seed") if k in asked}
        return from_batch(self._read(ranks, asked["columns"], **drawn))


class Items:
    """Indices in the store of a dataset's drawings, asked for when they are wanted."""

    def __init__(self, drawings: Drawings) -> None:
        self._drawings = drawings

    @property
    def iloc(self) -> Items:
        """Where fastai looks first."""
        return self

    def __len__(self) -> int:
        return len(self._drawings)

    def __getitem__(self, ranks: Any) -> Any:
        if isinstance(ranks, slice):
            ranks = list(range(len(self))[ranks])
        if torch.is_tensor(ranks):
            ranks = ranks.tolist()
        many = holds_many(ranks)
        for rank in ranks if many else [ranks]:
            whole("item", rank, -len(self), len(self) - 1, OutOfRange)
        indices = self._drawings._read(ranks, [])["index"].tolist()
        return L(indices) if many else indices[0]
