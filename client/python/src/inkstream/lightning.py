"""Lightning: a DataModule over views, whose place is in Trainer's checkpoints."""

# ruff: noqa: E402 - first whether the framework is there
from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.lightning", "lightning", ["torch", "lightning"])

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lightning.pytorch import LightningDataModule

from inkstream._request.cursor import State
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import OrderOptions
from inkstream._request.strokes import Strokes
from inkstream._request.values import shown, whole
from inkstream._request.view import View, as_view
from inkstream.client import Client, connect, open
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest
from inkstream.torch import Loader, TensorBatch, loader

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["InkstreamDataModule"]

_PATHS = ("/", "./", "../", "~")
_ORDER = ("shuffle", "sampling", "tail", "augment", "views", "seed", "epochs")


class InkstreamDataModule(LightningDataModule):
    """Views of a dataset for Trainer's fit, validate, test and predict.

        trainer.fit(model, InkstreamDataModule(data, image=Image(64), augment=Augment(rotation=10)))

    `data`: a Dataset, a Client with one, the path of a store, or a server's address.
    `valid`, `test`, `predict`: views, or None where there is nothing of the kind.
    `stream`: every other keyword of `Dataset.stream`; what decides the order, and `augment`, is of
    training alone. An evaluation is every drawing once, in the store's order, shared out among
    the ranks.

    Batches are `inkstream.torch`'s, dicts of tensors. Where training stands is in every
    checkpoint, in mid-epoch and at an epoch's end, and goes on with any number of ranks. A Trainer
    with `limit_train_batches` gets that many each epoch, on and on through the data; with
    `overfit_batches`, the same ones each time.
    """

    @checked_keywords(OrderOptions)
    def __init__(
        self,
        data: Dataset | Client | str | os.PathLike[str],
        train: View | str = "train",
        valid: View | str | None = "valid",
        test: View | str | None = None,
        predict: View | str | None = None,
        *,
        batch_size: int = 256,
        eval_batch_size: int | None = None,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        **stream: Unpack[OrderOptions],
    ) -> None:
        super().__init__()
        self.data = _dataset(data)
        if "epochs" in stream:
            raise FixRequest("epochs is Trainer's to say: give it max_epochs=")
        others = {"valid": valid, "test": test, "predict": predict}
        self._views: dict[str, Any] = {"train": as_view(train)}
        for name, view in others.items():
            self._views[name] = None if view is None else as_view(view)
        self._drawn: dict[str, Any] = {"image": image, "strokes": strokes, "columns": columns}
        self._stream: dict[str, Any] = dict(stream)
        evaluated = batch_size if eval_batch_size is None else eval_batch_size
        self._sizes = (
            whole("batch_size", batch_size, 1), whole("eval_batch_size", evaluated, 1)
        )  # fmt: skip
        self._state: State | None = None  # loaded, for the loader that is not made yet
        self._train: _OnAndOn | None = None

    def train_dataloader(self) -> Any:
        """The loader of training; the same one each time, with its position."""
        overfit = getattr(self.trainer, "overfit_batches", 0)
        if overfit:
            return self._evaluated("train")
        if self._train is None:
            # Once torch.distributed knows of its ranks.
            made = loader(
                self.data, self._views["train"], batch_size=self._sizes[0],
                start=self._state, **self._drawn, **self._stream,
            )  # fmt: skip
            self._train = _OnAndOn(made)
        return self._train

    def val_dataloader(self) -> Any:
        """Every drawing of `valid`; nothing if that is None."""
        return [] if self._views["valid"] is None else self._evaluated("valid")

    def test_dataloader(self) -> Any:
        """Every drawing of `test`."""
        return self._evaluated("test")

    def predict_dataloader(self) -> Any:
        """Every drawing of `predict`, else of `test`."""
        return self._evaluated("test" if self._views["predict"] is None else "predict")

    def state_dict(self) -> dict[str, Any]:
        """Where training stands, for a checkpoint."""
        if self._train is not None:
            return dict(self._train.state_dict())
        return dict(self._state or {})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Training goes on there."""
        self._state = dict(state_dict)
        if self._train is not None:
            self._train.load_state_dict(self._state)

    def _evaluated(self, name: str) -> Loader:
        view = self._views[name]
        if view is None:
            raise FixRequest(
                f"this data module has no view for it: give InkstreamDataModule {name}="
            )
        options = {k: v for k, v in self._stream.items() if k not in _ORDER}
        return loader(
            self.data, view, train=False, shuffle="none", batch_size=self._sizes[1],
            **self._drawn, **options,
        )  # fmt: skip


class _OnAndOn:
    """A training loader for a Trainer, which counts the batches of an epoch itself.

    It goes on from one epoch of the data into the next within an `iter()`: with
    `limit_train_batches` Trainer's epochs are shorter than those, and would else be cut short
    where the data's end.
    """

    def __init__(self, made: Loader) -> None:
        self._loader = made

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[TensorBatch]:
        while True:
            yield from self._loader

    def state_dict(self) -> State:
        return self._loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._loader.load_state_dict(state)


def _dataset(given: Any) -> Dataset:
    if isinstance(given, Dataset):
        return given
    if isinstance(given, Client):
        return given.dataset()
    if not isinstance(given, (str, os.PathLike)):
        raise FixRequest(
            f"data = {shown(given)}: give a dataset, a client, the path of a store or the address "
            "of a server"
        )
    path = os.fspath(given)
    # An address may hold a slash behind a colon; a path that begins with one is none.
    if os.path.exists(path) or isinstance(given, os.PathLike) or path.startswith(_PATHS):
        return open(path).dataset()
    return connect(path).dataset()
