"""A stream of the library: a store's, or one that a server sends."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable

from inkstream._library.functions import (
    BATCH,
    END,
    FETCH_DRAWINGS,
    STREAM_BATCHES,
    EngineBatch,
    ReceiveOptions,
    check,
)
from inkstream._library.memory import Piece, Pieces
from inkstream._library.threads import shares
from inkstream._wire.assembled_stream import AssembledStream
from inkstream._wire.raw_batch import Common, Layout, RawBatch
from inkstream.v1 import batch_pb2, plan_pb2, service_pb2

# Seconds in the library at a time: Python sees to signals in between.
_SLICE = 0.1


def draw_here(library: ctypes.CDLL | None, delivery: plan_pb2.Delivery) -> str:
    """Fits what is asked for to what this process can draw; why that changed it."""
    if delivery.codec != plan_pb2.CODEC_STROKES:
        return ""
    if library is not None:
        delivery.raster_version = library.ik_raster_version()
        return ""
    delivery.codec = plan_pb2.CODEC_NONE
    return "libinkstream, which draws, is not used (inkstream.connect(...).transport says why)"


def receive(
    library: ctypes.CDLL | None,
    request: service_pb2.StreamBatchesRequest | service_pb2.FetchDrawingsRequest,
    first: bytes,
    endpoint: str,
    threads: int,
    pieces: Callable[[int], Pieces],
    own_memory: bool = False,
) -> MessageStream:
    """What a server at `endpoint` answers to `request`, whose messages are then fed.

    `first`: the message with `opened`. `threads`: that draw, of the whole process; 0: see
    inkstream.connect.
    """
    opening = request.open if isinstance(request, service_pb2.StreamBatchesRequest) else None
    if library is None:
        return AssembledStream(first, endpoint, None if opening is None else opening.delivery)
    asked = request.SerializeToString()
    options = ReceiveOptions(
        struct_size=ctypes.sizeof(ReceiveOptions),
        request=asked,
        request_size=len(asked),
        first=first,
        first_size=len(first),
        endpoint=endpoint.encode(),
        shares=shares(),
        threads=threads,
        kind=STREAM_BATCHES if opening is not None else FETCH_DRAWINGS,
    )
    handle = ctypes.c_void_p()
    failure = library.ik_stream_receive(ctypes.byref(options), ctypes.byref(handle))
    check(library, failure, endpoint)
    assert handle.value is not None
    return LibraryStream(library, handle.value, endpoint, pieces, own_memory)


class LibraryStream:
    """A handle of the library and the memory that it draws into.

    `next` from one thread at a time, likewise `feed`; the rest from any.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        handle: int,
        whence: str,
        pieces: Callable[[int], Pieces],
        own_memory: bool = False,
    ) -> None:
        """`whence`: the store or the server, for texts."""
        self._library = library
        self._handle = handle
        self._whence = whence
        self._own = own_memory
        self._close = library.ik_stream_close
        self.batch_bytes: int = library.ik_stream_batch_bytes(handle)
        self._pieces = pieces(self.batch_bytes)
        self._offered: dict[int, Piece] = {}
        self._tokens = itertools.count()
        self._batch = EngineBatch()
        self._batch_at = ctypes.byref(self._batch)
        self._whole = ctypes.c_uint32()
        self._whole_at = ctypes.byref(self._whole)
        self._layout: Layout | None = None
        self._common: Common | None = None

    @property
    def offered(self) -> int:
        """Batches that may be drawn, and are not taken."""
        return len(self._offered)

    def opened(self) -> batch_pb2.StreamOpened:
        """What the stream begins with; of a store's fetch, there with its batch."""
        said = self._library.ik_stream_opened(self._handle).copied()
        opened = batch_pb2.StreamOpened.FromString(said)
        self._common = Common.of(opened)
        return opened

    @property
    def common(self) -> Common:
        """What it says of all batches."""
        if self._common is None:
            self.opened()
        assert self._common is not None
        return self._common

    def offer(self) -> None:
        """Lets one more batch be drawn."""
        piece, token = self._pieces.take(), next(self._tokens)
        self._offered[token] = piece
        failure = self._library.ik_stream_offer(self._handle, token, piece.address, piece.size)
        if failure is not None:
            del self._offered[token]
            check(self._library, failure, self._whence)

    def feed(self, message: bytes) -> int:
        """The next message; answers how many batches became whole."""
        check(
            self._library,
            self._library.ik_stream_feed(self._handle, message, len(message), self._whole_at),
            self._whence,
        )
        return self._whole.value

    def finish(self) -> None:
        """Nothing more is fed."""
        self._library.ik_stream_finish(self._handle)

    def next(self) -> RawBatch | batch_pb2.StreamEnd | None:
        """The next batch, or the end; None where nothing more was fed, and no end."""
        batch = self._batch
        while True:
            failure = self._library.ik_stream_next(self._handle, _SLICE, self._batch_at)
            check(self._library, failure, self._whence)
            if batch.kind == BATCH:
                break
            if batch.kind == END:
                if not batch.header_size:
                    return None
                said = ctypes.string_at(batch.header, batch.header_size)
                return batch_pb2.StreamEnd.FromString(said)
        size = batch.size
        memory = self._pieces.lent(self._offered.pop(batch.token), size, self._own)
        layout = self._layout
        if batch.header_size or layout is None:
            said = ctypes.string_at(batch.header, batch.header_size)
            header = batch_pb2.BatchHeader.FromString(said)
            layout = self._layout = Layout.of(header, size, self.common)
        cursor = layout.cursor.copy()
        cursor["epoch"] = batch.cursor_epoch
        cursor["position"] = batch.cursor_position
        return RawBatch(
            layout, memory, cursor, batch.epoch, batch.step, batch.bad, batch.wire_bytes
        )

    def cancel(self) -> None:
        """Ends it; nothing is written to memory behind that. Idempotent."""
        self._library.ik_stream_cancel(self._handle)

    def __del__(self) -> None:
        # Before the memory that is offered goes.
        if handle := getattr(self, "_handle", None):
            self._close(handle)


MessageStream = LibraryStream | AssembledStream
