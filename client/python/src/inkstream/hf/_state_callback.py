"""Where training stands, beside each checkpoint of Hugging Face's Trainer."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from inkstream._request.values import shown
from inkstream.errors import FixRequest
from inkstream.torch import Loader

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
