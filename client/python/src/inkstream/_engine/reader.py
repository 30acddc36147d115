"""Streams and fetches of an engine in this process, as readers and calls like any other's."""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable

from inkstream._engine.memory import Piece, Pieces
from inkstream._library.functions import BATCH, END, EngineBatch, check
from inkstream._network.reader import End, ReadAhead, StreamInfo
from inkstream._request.cursor import to_state
from inkstream._wire.raw_batch import Layout, RawBatch
from inkstream.errors import Closed
from inkstream.v1 import batch_pb2

# Seconds in the library at a time: Python sees to signals in between.
_SLICE = 0.1
# What is drawn ahead should still be in the caches when it is read.
_BYTES_AHEAD = 8 << 20
_LEAST_AHEAD = 2


class EngineStream:
    """A handle of the library and the memory that it draws into.

    `next` from one thread at a time, the rest from any.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        handle: int,
        store: str,
        pieces: Callable[[int], Pieces],
        own_memory: bool = False,
    ) -> None:
        self._library = library
        self._handle = handle
        self._store = store
        self._own = own_memory
        self._close = library.ik_stream_close
        self.batch_bytes: int = library.ik_stream_batch_bytes(handle)
        self._pieces = pieces(self.batch_bytes)
        self._offered: dict[int, Piece] = {}
        self._tokens = itertools.count()
        self._batch = EngineBatch()
        self._batch_at = ctypes.byref(self._batch)
        self._layout: Layout | None = None
        self.order_plan = ""

    @property
    def offered(self) -> int:
        """Batches that may be drawn, and are not taken."""
        return len(self._offered)

    def opened(self) -> StreamInfo:
        """What the stream begins with."""
        said = self._library.ik_stream_opened(self._handle).copied()
        info = StreamInfo.of(batch_pb2.StreamOpened.FromString(said), transport="here")
        self.order_plan = info.cursor["order_plan"]
        return info

    def offer(self) -> None:
        """Lets one more batch be drawn."""
        piece, token = self._pieces.take(), next(self._tokens)
        self._offered[token] = piece
        failure = self._library.ik_stream_offer(self._handle, token, piece.address, piece.size)
        if failure is not None:
            del self._offered[token]
            check(self._library, failure, self._store)

    def next(self) -> RawBatch | End:
        """The next batch, or the end."""
        batch = self._batch
        while True:
            failure = self._library.ik_stream_next(self._handle, _SLICE, self._batch_at)
            check(self._library, failure, self._store)
            if batch.kind == BATCH:
                break
            if batch.kind == END:
                said = ctypes.string_at(batch.header, batch.header_size)
                end = batch_pb2.StreamEnd.FromString(said)
                return End(to_state(end.cursor, self.order_plan), end.reason)
        size = batch.size
        memory = self._pieces.lent(self._offered.pop(batch.token), size, self._own)
        layout = self._layout
        if batch.header_size or layout is None:
            said = ctypes.string_at(batch.header, batch.header_size)
            header = batch_pb2.BatchHeader.FromString(said)
            layout = self._layout = Layout.of(header, size, self.order_plan)
        cursor = layout.cursor.copy()
        cursor["epoch"] = batch.cursor_epoch
        cursor["position"] = batch.cursor_position
        return RawBatch(layout, memory, cursor, batch.epoch, batch.step, batch.bad, 0)

    def cancel(self) -> None:
        """Ends it; nothing is written to memory behind that. Idempotent."""
        self._library.ik_stream_cancel(self._handle)

    def __del__(self) -> None:
        # Before the memory that is offered goes.
        if handle := getattr(self, "_handle", None):
            self._close(handle)


class EngineReader:
    """See BatchReader. `open_stream` may take as long as a scan of the store."""

    goes_on = True
    queued = 0

    def __init__(
        self, open_stream: Callable[[bool], EngineStream], store: str, ahead: ReadAhead
    ) -> None:
        self._open_stream = open_stream
        self._store = store
        self._ahead = ahead
        self.reads_ahead = ahead.batches > 0
        self._lock = threading.Lock()
        self._cancelled = False
        self._stream: EngineStream | None = None
        self._depth = 0  # batches ahead
        self._granted = 0  # before it was open

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._store

    def open(self) -> StreamInfo:
        """See BatchReader."""
        stream = self._open_stream(self._ahead.own_memory)
        info = stream.opened()
        if self.reads_ahead:
            fitting = min(_BYTES_AHEAD, self._ahead.bytes) // max(1, stream.batch_bytes)
            most = min(self._ahead.batches, info.credit_window)
            self._depth = max(1, min(most, max(_LEAST_AHEAD, fitting)))
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
        return stream.next()

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
