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
        self, open_stream: Callable[[bool], LibraryStream], store: str, ahead: ReadAhead
    ) -> None:
        self._open_stream = open_stream
        self._store = store
        self._ahead = ahead
        self.reads_ahead = ahead.batches > 0
        self._lock = threading.Lock()
        self._cancelled = False
        self._stream: LibraryStream | None = None
        self._depth = 0  # batches ahead
        self._granted = 0  # before it was open

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._store

    def open(self) -> StreamInfo:
        """See BatchReader."""
        stream = self._open_stream(self._ahead.own_memory)
        info = StreamInfo.of(stream.opened(), transport="here")
        if self.reads_ahead:
            self._depth = drawn_ahead(self._ahead, info.credit_window, stream.batch_bytes)
        with self._lock:
            self._stream = stream
            if self._cancelled:
                stream.cancel()
            else:
                for _ in range(self._granted):
                    stream.offer()
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

    def grant(self, credits: int) -> None:
        """See BatchReader."""
        with self._lock:
            if self._stream is None:
                self._granted += credits
            elif not self._cancelled:
                for _ in range(credits):
                    self._stream.offer()

    def cancel(self) -> None:
        """See BatchReader."""
        with self._lock:
            self._cancelled = True
            if self._stream is not None:
                self._stream.cancel()
