"""Streams: a position in an epoch's order, and the batches from there on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, cast

from inkstream._batch.batch import Batch, decode
from inkstream._batch.words import Classed
from inkstream._network.reader import StreamInfo
from inkstream._network.source import Source
from inkstream._request.cursor import Cursor
from inkstream._request.keywords import checked_keywords
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes
from inkstream._stream.stream_iterator import StreamIterator, cannot_be_pickled
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import FixRequest
from inkstream.plan_report import PlanReport, explain


class _ToBatch:
    """Views the bytes where they are."""

    own_memory = slow = False

    def __init__(self, strokes: Strokes | None) -> None:
        self._strokes = strokes

    def __call__(self, raw: RawBatch, info: StreamInfo) -> Batch:
        return decode(raw, info.classes, self._strokes)


class Stream(Classed):
    """Batches as NumPy arrays, in an order that the seed alone decides.

    Iterating goes on from the position: the start, or behind the last batch handed out, or
    where `seek` or `load_state_dict` moved to. At the end nothing more comes until one of them.
    A server that fails is replaced by another one at the same position; nothing is lost or
    repeated. Read and moved by one thread at a time (WrongThread says that another one is at it);
    `state_dict`, `stats` and `close` may come from any. Bound to the process that took its first
    batch.
    """

    def __init__(self, dataset: Source, plan: Plan, start: Mapping[str, Any] | None = None) -> None:
        self._iterator = StreamIterator(dataset, plan, start, _ToBatch(plan.strokes))

    @property
    def dataset(self) -> Source:
        """What it streams."""
        return self._iterator.dataset

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        item = self._iterator.take()
        if item is None:
            raise StopIteration
        return item.value

    def __len__(self) -> int:
        """Batches from epoch 0 to the end, wherever the stream stands now."""
        epochs = self._iterator.plan.epochs
        if epochs is None:
            raise TypeError('an endless stream (epochs="forever") has no len()')
        return epochs * self._iterator.steps()

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, _: object) -> NoReturn:
        # What torch's DataLoader would ask of it.
        raise FixRequest(
            "a Stream is read in its order, and not by number: iterate it; drawings by number are "
            "data.split(...)[i], and inkstream.torch has what a DataLoader takes"
        )

    def state_dict(self) -> Cursor:
        """The cursor of the last batch handed out, a JSON-able dict."""
        return cast(Cursor, self._iterator.state())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves the stream to a cursor, of this stream or of another world or batch size."""
        self._iterator.load(state)

    @checked_keywords()
    def seek(self, epoch: int = 0, step: int = 0, position: int | None = None) -> None:
        """Moves to a step of an epoch, that is position step · world · batch_size, or to any
        position: drawings of the epoch's order that come before, over all ranks."""
        self._iterator.seek(epoch, step, position)

    @checked_keywords()
    def explain(self, epoch: int = 0, step: int = 0, steps: int = 1) -> PlanReport:
        """What steps of an epoch deliver, without moving; see `Dataset.plan`."""
        return explain(self.dataset, self._iterator.plan, None, epoch, step, steps, False)

    def stats(self) -> dict[str, Any]:
        """Counts since the stream was made, and who waits for whom.

        `waits`: seconds by what the server says of the present stream; it is asked at most once
        a second, and `waits` is empty where it does not answer at once.
        """
        return self._iterator.stats()

    def close(self) -> None:
        """Ends the stream on the server and its thread here. Idempotent."""
        self._iterator.close()

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self._iterator.plan.view.classes or self.dataset.classes

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise cannot_be_pickled("a Stream")

    def __repr__(self) -> str:
        epoch, position = self._iterator.epoch_position
        return f"Stream({self.dataset.name!r}, epoch {epoch}, position {position})"
