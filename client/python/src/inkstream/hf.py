"""Hugging Face's Trainer: a loader's state in its checkpoints, and batches under its names."""

# ruff: noqa: E402 - first whether the framework is there
from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.hf", "hf", ["torch", "transformers"])

from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback

from inkstream import torch as ours
from inkstream._request.values import shown
from inkstream.errors import FixRequest, NotFound
from inkstream.torch import Loader

__all__ = ["StateCallback", "collate"]


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


_KEY = "inkstream"  # no class's name: Trainer would make one anew of what it finds under that


class StateCallback(TrainerCallback):  # type: ignore[misc]
    """Keeps a loader's cursor in `trainer_state.json`, and goes on there.

        train = inkstream.torch.loader(data, "train", batch_size=64, image=Image(64))

        class OnAStream(Trainer):
            def get_train_dataloader(self):
                return train

        OnAStream(..., callbacks=[StateCallback(train)]).train(resume_from_checkpoint=True)

    Trainer by itself skips as many batches as it has trained, which is the same place while ranks
    and batch size stay. The cursor is the place with others, too; Trainer is told to skip nothing
    (`ignore_data_skip`).
    """

    def __init__(self, loader: Loader) -> None:
        if not isinstance(loader, Loader) or not loader.train:
            raise FixRequest(
                f"loader = {shown(loader)}: give the inkstream.torch.loader(...) that trains"
            )
        self._loader = loader

    def on_init_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Trainer is to skip nothing by itself."""
        args.ignore_data_skip = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """What is written down if a checkpoint follows."""
        state.stateful_callbacks[_KEY] = {"cursor": dict(self._loader.state_dict())}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Goes on where the checkpoint was made."""
        if not state.global_step:
            return
        kept = state.stateful_callbacks.get(_KEY)
        if not kept:
            raise FixRequest(
                "the checkpoint has no cursor: it was made without StateCallback; resume it "
                "without, too, and Trainer skips what it has trained"
            )
        self._loader.load_state_dict(kept["cursor"])
