"""Drawings to batches, as torch's DataLoader asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import torch
from torch.utils.data import default_collate
from torch.utils.data._utils.collate import default_collate_fn_map

from inkstream._request.values import shown
from inkstream.errors import FixRequest
from inkstream.torch._tensor_batch import TensorBatch

# Tensors that one drawing has with a dimension; all others are a number a drawing.
_OF_ONE_DRAWING = ("image", "strokes", "offsets", "length")


class Rows(Sequence[TensorBatch]):
    """A ready batch that can be read drawing by drawing.

    Torch wants a list of what it asked for by number; `collate` takes the batch out of it, and
    other collate functions find drawings. By name it gives the batch's tensors.
    """

    def __init__(self, batch: TensorBatch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch["index"])

    @overload
    def __getitem__(self, which: int) -> TensorBatch: ...
    @overload
    def __getitem__(self, which: slice) -> list[TensorBatch]: ...
    @overload
    def __getitem__(self, which: str) -> torch.Tensor: ...
    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            return self.batch[which]
        if isinstance(which, slice):
            return [self.batch.row(i) for i in range(len(self))[which]]
        return self.batch.row(which)

    def __repr__(self) -> str:
        return f"Rows({self.batch!r})"


def collate(samples: Any) -> Any:
    """Passes ready batches through and joins single drawings, ragged strokes too.

    torch's default collate function does the same where it meets a TensorBatch.
    FixRequest for several ready batches: an IterableDataset's are not to be joined.
    """
    if isinstance(samples, Mapping):
        return samples
    if isinstance(samples, Rows):
        return samples.batch
    if not isinstance(samples, Sequence) or not samples or not all(map(_is_drawing, samples)):
        raise FixRequest(
            f"collate joins drawings as a MapDataset gives them, and was given {shown(samples)}: "
            "for other datasets use a collate_fn of their own"
        )
    first = samples[0]
    if any(tensor.ndim for name, tensor in first.items() if name not in _OF_ONE_DRAWING):
        if len(samples) == 1:
            return first
        raise FixRequest(
            f"{len(samples)} ready batches to be joined: give DataLoader batch_size=None (in the "
            "Hugging Face Trainer: per_device_train_batch_size=1), and the dataset the batch_size"
        )
    ragged = ("strokes", "offsets") if "offsets" in first else ()
    even = [{k: v for k, v in sample.items() if k not in ragged} for sample in samples]
    joined: dict[str, torch.Tensor] = default_collate(even)
    if ragged:
        sizes = torch.cat([sample["offsets"].diff() for sample in samples])
        joined["offsets"] = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        joined["strokes"] = torch.cat([sample["strokes"] for sample in samples])
    if not isinstance(first, TensorBatch):
        return TensorBatch(joined)
    return TensorBatch(
        joined,
        classes=first.classes,
        vocabulary=first.vocabulary,
        strokes_spec=first.strokes_spec,
    )


def _is_drawing(sample: Any) -> bool:
    return isinstance(sample, Mapping) and all(map(torch.is_tensor, sample.values()))


def _collate_by_default(samples: Any, *, collate_fn_map: Any = None) -> Any:
    return collate(samples)


# How torch.utils.data.default_collate is told of a type.
default_collate_fn_map[TensorBatch] = _collate_by_default
