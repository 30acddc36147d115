"""Batches under the names that a model's `forward` has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from inkstream import torch as ours
from inkstream.errors import NotFound


def collate(**names: str) -> Callable[[Any], dict[str, torch.Tensor]]:
    """A `data_collator` for a MapDataset or an IterableDataset.

    `names`: what the model calls a tensor = what the batch calls it; others are left out. Without
    any, the whole batch with `label` as `labels`.

        Trainer(..., data_collator=inkstream.hf.collate(pixel_values="image", labels="label"))

    Give TrainingArguments `remove_unused_columns=False`, or Trainer takes away what is not called
    as `forward` calls it before it can be renamed. NotFound, at the first batch, for a tensor
    that is not there.
    """

    def collated(samples: Any) -> dict[str, torch.Tensor]:
        batch = ours.collate(samples)
        for name in names.values():
            if name not in batch:
                raise NotFound(
                    f"no tensor {name!r} in this batch; there are {list(batch)}: ask the dataset "
                    "for it, and give TrainingArguments remove_unused_columns=False, or Trainer "
                    "takes away what forward() does not name"
                )
        if names:
            return {theirs: batch[name] for theirs, name in names.items()}
        return {"labels" if name == "label" else name: batch[name] for name in batch}

    return collated
