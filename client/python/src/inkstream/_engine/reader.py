"""Streams of an engine in this process, as readers like any other's."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inkstream._library.stream import LibraryStream
from inkstream._network.reader import End, ReadAhead, StreamInfo, drawn_ahead
from inkstream._request.cursor import to_state
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import Closed


class EngineReader:
    """See BatchReader. `open_stream` may take as long as a scan of the store."""

    goes_on = True
    queued = 0

    def __init__(
        self, open_stream: Callable[[], LibraryStream], store: str, ahead: ReadAhead
    ) -> None:
        self._open_stream = open_stream
        self.endpoint = store
        self._ahead = ahead
        self._lock = threading.Lock()
        self._cancelled = False
        self._stream: LibraryStream | None = None
        self._depth = 0  # batches ahead

    def open(self) -> StreamInfo:
        """See BatchReader."""
        stream = self._open_stream()
        info = StreamInfo.of(stream.opened(), transport="here")
        self._depth = drawn_ahead(self._ahead, info.credit_window, stream.batch_bytes)
        with self._lock:
            self._stream = stream
            if self._cancelled:
                stream.cancel()
        return info

    def read(self) -> RawBatch | End:
        """See BatchReader."""
        stream = self._stream
        if stream is None:
            raise Closed("the stream was closed")
        while stream.offered < self._depth:
            stream.offer()
        found = stream.next()
        assert found is not None
        if isinstance(found, RawBatch):
            return found
        return End(to_state(found.cursor, stream.common.order_plan), found.reason)

    def cancel(self) -> None:
        """See BatchReader."""
        with self._lock:
            self._cancelled = True
            if self._stream is not None:
                self._stream.cancel()
