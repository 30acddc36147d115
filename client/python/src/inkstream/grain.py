"""Grain: a stream as an IterDataset, whose iterators hold their place."""

# ruff: noqa: E402 - first whether the framework is there
from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.grain", "grain", ["grain"])

from typing import TYPE_CHECKING, Any

import grain

from inkstream._adapters.source import dataset_of
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import StreamOptions
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["IterDataset"]


class IterDataset(grain.IterDataset):  # type: ignore[misc]
    """Ready batches, dicts of NumPy arrays, for Grain's transformations.

    Keywords are those of `Dataset.stream`; leave `batch` and `shuffle` to it. Each iterator is a
    stream of its own; its state is a cursor, which goes on with any number of ranks. No worker
    processes are needed (`mp_prefetch`): the server draws.
    """

    @checked_keywords(StreamOptions)
    def __init__(
        self, data: Dataset, view: View | str = "train", **stream: Unpack[StreamOptions]
    ) -> None:
        super().__init__()
        self._data, self._view, self._asked = dataset_of(data), view, dict(stream)
        self._data.stream(view, **stream).close()  # what is wrong is told here

    def __iter__(self) -> grain.DatasetIterator:
        asked: Any = self._asked
        return _Iterator(self._data.stream(self._view, **asked))

    def __repr__(self) -> str:
        return f"IterDataset({self._data.name!r}, {self._view!r})"


class _Iterator(grain.DatasetIterator):  # type: ignore[misc]
    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def __next__(self) -> dict[str, Any]:
        return dict(next(self._stream))

    def get_state(self) -> dict[str, Any]:
        return dict(self._stream.state_dict())

    def set_state(self, state: dict[str, Any]) -> None:
        self._stream.load_state_dict(state)

    def close(self) -> None:
        self._stream.close()
