"""A fit that goes on after its process has ended."""

from __future__ import annotations

import os
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.callback.core import Callback, CancelEpochException, CancelTrainException
from fastai.torch_core import get_model, rank_distrib

from inkstream._request.values import whole
from inkstream.errors import PlanMismatch

_RECORDED = ("lrs", "iters", "losses", "values")


class CheckpointCallback(Callback):  # type: ignore[misc]
    """Keeps a fit in a file every few batches, and goes on from it, in mid-epoch too.

        learn.fit_one_cycle(5, cbs=CheckpointCallback("run.ckpt", every=500))

    Typed again after a crash, that line goes on behind the last batch kept: same batches, weights,
    optimizer, schedule and random numbers. The file is replaced whole, never half written, by
    rank 0; every rank reads it. Once the fit is over it says so, and nothing is trained again.
    PlanMismatch where the file is of a fit of another length.
    """

    order = 70  # behind whatever changes the model or counts

    def __init__(self, path: str | os.PathLike[str], every: int = 1000) -> None:
        super().__init__()
        self.file = Path(path)
        self.every = whole("every", every, 1)

    def before_fit(self) -> None:
        """Takes up what is kept."""
        self.kept: dict[str, Any] | None = None
        if not self.file.exists():
            return
        device = next(self.learn.model.parameters()).device
        kept = torch.load(self.file, map_location="cpu", weights_only=True)
        length = {"n_epoch": self.learn.n_epoch, "steps": len(self.learn.dls.train)}
        for name, value in length.items():
            if kept[name] != value:
                raise PlanMismatch(
                    f"{self.file} is of a fit with {name} = {kept[name]}, and this one has "
                    f"{value}: give another path, or delete it"
                )
        if kept["epoch"] >= kept["n_epoch"]:
            warnings.warn(
                f"{self.file} is of a fit that is over: its weights are loaded and nothing is "
                "trained; give another path, or delete it",
                stacklevel=2,
            )
        get_model(self.learn.model).load_state_dict(kept["model"])
        self.learn.model.to(device)
        self.learn.opt.load_state_dict(_on(kept["opt"], device))
        self.learn.dls.train.load_state_dict(kept["place"])
        self.kept = kept

    def before_epoch(self) -> None:
        """Leaves out the epochs that are behind."""
        if self.kept is None:
            return
        if self.learn.epoch < self.kept["epoch"]:
            raise CancelEpochException

    def before_train(self) -> None:
        """The schedule, the record and the random numbers as they were."""
        kept, self.kept = self.kept, None
        if kept is None:
            return
        self.learn.pct_train, self.learn.train_iter = kept["pct_train"], kept["train_iter"]
        recorder = getattr(self.learn, "recorder", None)
        if recorder is not None:
            for name, values in kept["recorded"].items():
                setattr(recorder, name, values)
            recorder.smooth_loss.count, recorder.smooth_loss.val = kept["smooth_loss"]
        _set_random_state(kept["random"])
        if kept["trained"]:
            raise CancelTrainException

    def after_batch(self) -> None:
        """Keeps it, every so many batches of training."""
        if self.learn.training and self.learn.train_iter % self.every == 0:
            self._keep(self.learn.epoch)

    def after_epoch(self) -> None:
        """Keeps the end of the last epoch."""
        if self.learn.epoch + 1 == self.learn.n_epoch and self.kept is None:
            self._keep(self.learn.n_epoch)

    def _keep(self, epoch: int) -> None:
        place = self.learn.dls.train.state_dict()
        if rank_distrib():
            return
        recorder = getattr(self.learn, "recorder", None)
        kept = {
            "epoch": epoch,
            "n_epoch": self.learn.n_epoch,
            "steps": len(self.learn.dls.train),
            "trained": place["position"] == 0,  # this epoch; its validation may still come
            "place": place,
            "pct_train": float(self.learn.pct_train),
            "train_iter": self.learn.train_iter,
            "model": get_model(self.learn.model).state_dict(),
            "opt": _plain(self.learn.opt.state_dict()),
            "random": _random_state(),
            "recorded": {},
            "smooth_loss": (0, torch.tensor(0.0)),
        }
        if recorder is not None:
            kept["recorded"] = {name: _plain(list(getattr(recorder, name))) for name in _RECORDED}
            kept["smooth_loss"] = (recorder.smooth_loss.count, _plain(recorder.smooth_loss.val))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_name(f"{self.file.name}.{os.getpid()}.new")
        torch.save(kept, new)
        new.replace(self.file)


def _plain(value: Any) -> Any:
    """Of torch's and Python's own types alone, which is what can be loaded without trust."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if torch.is_tensor(value):
        return value.detach().cpu().as_subclass(torch.Tensor)
    if isinstance(value, np.generic):  # some of which are Python's numbers too
        return value.item()
    if isinstance(value, (str, bytes, bool, int, float)) or value is None:
        return value
    return [_plain(one) for one in value]


def _on(value: Any, device: torch.device) -> Any:
    if isinstance(value, dict):
        return {key: _on(one, device) for key, one in value.items()}
    if isinstance(value, list):
        return [_on(one, device) for one in value]
    return value.to(device) if torch.is_tensor(value) else value


def _random_state() -> dict[str, Any]:
    kind, keys, at, *normal = np.random.get_state(legacy=True)
    return {
        "python": _plain(random.getstate()),
        "numpy": [kind, np.asarray(keys).tolist(), at, *normal],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],  # type: ignore[no-untyped-call]
    }


def _set_random_state(state: dict[str, Any]) -> None:
    version, numbers, normal = state["python"]
    random.setstate((version, tuple(numbers), normal))
    np.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
