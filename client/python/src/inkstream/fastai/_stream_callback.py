"""What fastai's own callbacks would do wrong with a stream."""

from __future__ import annotations

from typing import Any

from fastai.callback.core import Callback
from fastai.callback.schedule import LRFinder
from fastai.distributed import DistributedDL
from fastcore.basics import defaults

from inkstream.fastai._drawing_dl import DrawingDL


def use_stream_callback() -> None:
    """Every Learner made from now on has it, as it has fastai's Recorder; others' data lose it."""
    if StreamCallback not in defaults.callbacks:
        defaults.callbacks.append(StreamCallback)


class StreamCallback(Callback):  # type: ignore[misc]
    """Puts the training back where it stood after `lr_find`, and shares out once among ranks."""

    order = 12  # behind DistributedTrainer, which wraps the DataLoaders

    def after_create(self) -> None:
        """Leaves a Learner alone that trains on something else."""
        if not isinstance(self.dls.train, DrawingDL):
            self.learn.remove_cb(self)

    def before_fit(self) -> None:
        """Notes where training stands, if a learning rate is to be found."""
        self.learn.dls.loaders = [_ours(dl) for dl in self.learn.dls.loaders]
        finding = any(isinstance(cb, LRFinder) for cb in self.learn.cbs)
        self.stood_at = self.learn.dls.train.state_dict() if finding else None

    def before_train(self) -> None:
        """fastai shares a DataLoader out among ranks; a DrawingDL has done so."""
        self.learn.dl = _ours(self.learn.dl)

    def before_validate(self) -> None:
        """The same."""
        self.learn.dl = _ours(self.learn.dl)

    def after_fit(self) -> None:
        """Goes back there."""
        stood_at, self.stood_at = self.stood_at, None
        if stood_at is not None:
            self.learn.dls.train.load_state_dict(stood_at)


def _ours(dl: Any) -> Any:
    inner = dl.dl if isinstance(dl, DistributedDL) else dl
    return inner if isinstance(inner, DrawingDL) else dl
