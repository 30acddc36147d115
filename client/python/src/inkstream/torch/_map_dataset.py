"""Drawings by number for torch's own DataLoader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch.utils.data import Dataset as TorchDataset

from inkstream._adapters.source import dataset_of
from inkstream._batch.words import Classed
from inkstream._request.cursor import State
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import DrawOptions
from inkstream._request.strokes import Strokes
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.split import Split
from inkstream.torch._collate import Rows
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.torch._tensors import from_batch

if TYPE_CHECKING:
    from typing_extensions import Unpack


class IndexBatch(list[int]):
    """What a BatchSampler gives: ranks that carry where they belong, `cursor` behind them.

    `epoch`, `seed`: of the order that they are of, and so of how a stream would augment them.
    """

    def __init__(
        self,
        ranks: Any = (),
        cursor: State | None = None,
        valid_rows: int = -1,
        epoch: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(ranks)
        self.epoch = epoch
        self.seed = seed
        self.cursor = cursor
        self.valid_rows = len(self) if valid_rows < 0 else valid_rows


class MapDataset(TorchDataset[TensorBatch], Classed):
    """Drawings of a view by number, fetched a batch at a time.

    For `DataLoader(dataset, batch_size=...)`, and in a stream's order
    `DataLoader(dataset, batch_sampler=BatchSampler(dataset, ...))`: one round trip a batch.
    A dataset that wraps this one ought to pass `__getitems__` on, as torch's Subset does; drawing
    by drawing each costs a round trip.
    Picklable; holds no drawings.
    Keywords are those of `Dataset.split`. With `augment`, batches of a BatchSampler are
    augmented anew each epoch, as a stream of the sampler's seed does; otherwise `epoch` and
    `seed` say how.
    """

    @checked_keywords(DrawOptions)
    def __init__(
        self,
        data: Dataset,
        view: View | str = "train",
        *,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        epoch: int = 0,
        first_view: int = 0,
        **draw: Unpack[DrawOptions],
    ) -> None:
        self.split: Split = dataset_of(data).split(
            view,
            image=image,
            strokes=strokes,
            columns=columns,
            epoch=epoch,
            first_view=first_view,
            **draw,
        )

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self.split.classes

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> TensorBatch:
        """One drawing, without the batch dimension; a batch for a list."""
        if isinstance(index, list):
            return self._batch(index)
        return from_batch(self.split[index])

    def __getitems__(self, indices: Sequence[int]) -> Rows:
        """A ready batch, in the order asked, for `collate` or torch's default to take out."""
        return Rows(self._batch(indices))

    def __repr__(self) -> str:
        plan = self.split.plan
        return f"MapDataset({self.split.dataset.name!r}, {plan.view!r}, image={plan.image!r})"

    def _batch(self, indices: Sequence[int]) -> TensorBatch:
        split = self.split
        if isinstance(indices, IndexBatch):
            split = split.in_epoch(indices.epoch, indices.seed)
        batch = from_batch(split[list(indices)])
        if isinstance(indices, IndexBatch):
            batch.cursor = indices.cursor or {}
            batch["valid"][indices.valid_rows :] = False
        return batch
