"""A BatchReader over grpcio.

A thread of its own takes messages off the call and feeds them, without the GIL, to libinkstream;
what is fed is drawn by the library's threads into memory that `read` offers. Rows are held far
ahead, since they are small, and drawn a few batches ahead, so that what is read is in the caches
still. Without the library, the server draws and the messages are put together in Python.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

import grpc

from inkstream._library.memory import Pieces
from inkstream._library.stream import MessageStream, draw_here, receive
from inkstream._network.reader import BatchReader, End, ReadAhead, StreamInfo
from inkstream._network.stream_call import StreamCall
from inkstream._request.uploaded_set import UploadedSet, wanted_by
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import DataLoss, InkstreamError, NotFound
from inkstream.v1 import plan_pb2, service_pb2

_KEPT = 4  # pieces of memory that nothing shows
# Batches of rows for one that is drawn: they take less than it.
_ROWS_FOR_ONE = 32
_JOIN_FOR = 5.0  # seconds


class FedReader(BatchReader):
    """`threads`: that draw, of the whole process; 0: see inkstream.connect."""

    def __init__(
        self,
        library: ctypes.CDLL | None,
        begin: Callable[[service_pb2.StreamBatchesRequest], StreamCall],
        upload: Callable[[UploadedSet], None],
        request: service_pb2.StreamBatchesRequest,
        endpoint: str,
        ahead: ReadAhead,
        threads: int,
    ) -> None:
        """`begin`: makes the call; `upload`: sends its server a set that it lacks."""
        super().__init__(endpoint, ahead)
        self._codec_reason = draw_here(library, request.open.delivery)
        self._library = library
        self._begin = begin
        self._upload = upload
        self._request = request
        self._threads = threads
        self._window = 0  # batches that may be received ahead
        self._granted = self._fed = self._taken = 0  # batches; each counted by one thread
        self._over = False  # nothing more is fed
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._call = begin(request)

    @property
    def queued(self) -> int:  # type: ignore[override]
        """See BatchReader."""
        # A batch may be taken before the thread that fed it comes to count it.
        return max(0, self._fed - self._taken)

    @property
    def goes_on(self) -> bool:  # type: ignore[override]
        """See BatchReader. Rows that are far ahead are not drawn only because the call is over."""
        return not self._over or self.queued > self._depth

    def open(self) -> StreamInfo:
        """See BatchReader. A server that lacks a set of keys or weights is sent it first."""
        try:
            return self._open()
        except NotFound as error:
            missing = wanted_by(error, self._request)
            if not missing:
                raise
        for keys in missing:
            self._upload(keys)
        self._call = self._begin(self._request)
        if self._cancelled:
            self._call.cancel()
        return self._open()

    def _open(self) -> StreamInfo:
        first = self._call.receive()
        if first is None:
            self.cancel()
            raise DataLoss(f"{self.endpoint}: the stream did not begin with `opened`")
        self._call.arrived(1)
        try:
            stream = receive(
                self._library,
                self._request,
                first,
                self.endpoint,
                self._threads,
                lambda size: Pieces(size, _KEPT),
                self._ahead.own_memory,
            )
        except InkstreamError:
            self.cancel()
            raise
        opened = stream.opened()
        opened.codec_reason = opened.codec_reason or self._codec_reason
        info = StreamInfo.of(opened)
        self._look_ahead(info, stream.batch_bytes, opened.codec == plan_pb2.CODEC_STROKES)
        self._opened(stream)
        self._thread = threading.Thread(
            target=self._feed, args=(stream,), name="inkstream-feed", daemon=True
        )
        self._thread.start()
        return info

    def read(self) -> RawBatch | End:
        """See BatchReader."""
        room = self._window - (self._granted - self._taken)
        if 2 * room >= self._window:  # not in drops
            self._granted += room
            self._call.grant(room)
        try:
            found = super().read()
        except InkstreamError as error:
            if error.code == grpc.StatusCode.INTERNAL.name:
                raise DataLoss(str(error)) from None
            raise
        if isinstance(found, RawBatch):
            self._taken += 1
        return found

    def cancel(self) -> None:
        """See BatchReader."""
        self._cancelled = True  # first: another call may be about to begin
        self._call.cancel()
        super().cancel()
        if (thread := self._thread) not in (None, threading.current_thread()):
            thread.join(_JOIN_FOR)

    def _broken(self) -> BaseException:
        # Where nothing failed, an OK without an end part: the server left in mid-stream.
        return self._failure or super()._broken()

    def _look_ahead(self, info: StreamInfo, batch_bytes: int, rows: bool) -> None:
        ahead = self._ahead
        if rows:
            self._window = min(info.credit_window, _ROWS_FOR_ONE * ahead.batches)
            self._depth = self._drawn_ahead(self._window, batch_bytes)
            return
        # Tensors come straight into memory, where there is some for each.
        fitting = max(2, ahead.bytes // max(1, batch_bytes))
        self._window = max(1, min(info.credit_window or ahead.batches, ahead.batches, fitting))
        self._depth = self._window

    def _feed(self, stream: MessageStream) -> None:
        try:
            while (message := self._call.receive()) is not None:
                whole = stream.feed(message)
                self._fed += whole
                self._call.arrived(whole)
        except BaseException as error:  # whatever it is, whoever reads must see it
            # Without the frames of this thread, which would live as long as the error.
            self._failure = error.with_traceback(None)
        finally:
            self._over = True
            self._call.finish()
            stream.finish()
