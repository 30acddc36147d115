"""A fastai DataLoader over a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastai.data.core import TfmdDL
from fastai.torch_core import to_detach

from inkstream._request.cursor import State
from inkstream.errors import FixRequest
from inkstream.fastai._drawings import Drawings
from inkstream.torch import Loader


class DrawingDL(TfmdDL):  # type: ignore[misc]
    """A TfmdDL whose batches come ready from a stream, without workers.

    A training one has a position that goes on from one `iter()` to the next, as
    `inkstream.torch.loader` does, and shares drawings out among torch.distributed's ranks; an
    evaluation is a pass of its own each time, over every drawing, on every rank.
    `one_batch` is a look: it moves nothing. Batch transforms (`after_batch`) work as ever.
    """

    def __init__(
        self, dataset: Drawings, bs: int = 64, *, training: bool = False, **keywords: Any
    ) -> None:
        self.training = training
        self._stream: Loader | None = None
        keywords.update(num_workers=0, shuffle=training or keywords.get("shuffle", False))
        keywords["drop_last"] = training
        super().__init__(dataset, bs=bs, **keywords)
        self._one_pass()

    @property
    def stream(self) -> Loader:
        """The loader of training, with its position and its `stats()`."""
        if not self.training:
            raise FixRequest("this is an evaluation, which has no position: take dls.train")
        if self._stream is None:
            self._stream = self.dataset.training(self.bs)
        return self._stream

    def state_dict(self) -> State:
        """The cursor of the last batch of training handed out, a JSON-able dict."""
        return self.stream.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves training to a cursor."""
        self.stream.load_state_dict(state)

    def __len__(self) -> int:
        if self.training:
            return len(self.stream)
        drawings: Drawings = self.dataset
        return -(-len(drawings) // int(self.bs))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self.before_iter()
        if self.training:
            batches: Any = self.stream
        else:
            batches = self.dataset.passes(self.bs, self.shuffle)
        yield from map(self._ready, batches)  # which holds no batch while the next one is drawn
        self.after_iter()

    def get_idxs(self) -> list[int]:
        """Numbers of the drawings, as an evaluation gives them."""
        if self.training:
            raise FixRequest("a training's order is its stream's: data.plan(...) tells it")
        drawings: Drawings = self.dataset
        return drawings.order(self.shuffle)

    def new(self, dataset: Any = None, cls: Any = None, **keywords: Any) -> DrawingDL:
        """Another one with a few things changed; an evaluation if it is not to shuffle or drop."""
        keywords.setdefault(
            "training",
            self.training and keywords.get("shuffle", True) and keywords.get("drop_last", True),
        )
        made: DrawingDL = super().new(dataset, cls, **keywords)
        made._one_pass()
        return made

    def one_batch(self) -> tuple[Any, ...]:
        """The batch that comes next, or a pass's first, with nothing moved."""
        self.before_iter()
        if self.training:
            return self._ready(self.stream.peek())
        batches = self.dataset.passes(self.bs, self.shuffle)
        try:
            first = next(batches, None)
        finally:
            batches.close()
        if first is None:
            raise FixRequest("there is no drawing in this view")
        return self._ready(first)

    def show_batch(self, b: Any = None, max_n: int = 9, **keywords: Any) -> Any:
        """Shows a batch; of an evaluation, which comes in the store's order, a shuffled one."""
        if b is None and not self.training and not self.shuffle:
            b = self.new(shuffle=True).one_batch()
        keywords.pop("unique", None)
        return super().show_batch(b, max_n=max_n, **keywords)

    def to_detach(self, b: Any, cpu: bool = True, gather: bool = True) -> Any:
        """As fastai asks under torch.distributed: every rank evaluates every drawing itself."""
        return to_detach(b, cpu, gather and self.training)

    def _ready(self, batch: Mapping[str, Any]) -> tuple[Any, ...]:
        drawings: Drawings = self.dataset
        ready = drawings.sample.of(batch, drawings.labelled, self.device)
        if self.after_batch.fs:
            ready = self.after_batch(ready)
        return tuple(ready)

    def _one_pass(self) -> None:
        """What fastai finds out by reading a batch, and is known here."""
        self._n_inp = self.dataset.n_inp
        self._types = self.dataset.sample.types(self.dataset.labelled)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None}
