"""A BatchReader over libinkstream: reading and gathering happen on the library's own thread."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence

from inkstream import _native
from inkstream._batch import RawBatch
from inkstream._channels import Credentials
from inkstream._cursor import to_state
from inkstream._errors import Closed, DataLoss, FixRequest, Unavailable
from inkstream._grpc_errors import error_of
from inkstream._plan import MAX_MESSAGE_BYTES
from inkstream._reader import End, Facts
from inkstream.v1 import batch_pb2, plan_pb2, service_pb2

# As the assembler of the other reader: a wrong number must not allocate.
_MAX_BATCH_BYTES = 4 << 30


class NativeChannel:
    """One of the library's connections, closed with its last user."""

    def __init__(self, library: ctypes.CDLL, endpoint: str, credentials: Credentials) -> None:
        self._close = library.ik_channel_close
        self._pid = os.getpid()
        files = credentials.files()
        options = _native.ChannelOptions(
            target=endpoint.encode(),
            max_message_bytes=MAX_MESSAGE_BYTES,
            tls=int(credentials.tls is not False),
            ca=files.get("ca"),
            key=files.get("key"),
            cert=files.get("cert"),
        )
        self.library = library
        self.handle = library.ik_channel_open(ctypes.byref(options))

    def __del__(self) -> None:
        if self._pid == os.getpid():
            self._close(self.handle)


class _Lent:
    """A batch's memory, given back when the last view of it dies."""

    __slots__ = ("_handle", "_pid", "_release")

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._release, self._handle, self._pid = library.ik_buffer_release, handle, os.getpid()

    def __del__(self) -> None:
        # A forked process has a copy of the memory and none of the library's threads.
        if self._pid == os.getpid():
            self._release(self._handle)


class NativeBatchReader:
    """See BatchReader. `stall`: seconds without a message, while one is due, that end it."""

    def __init__(
        self,
        channel: NativeChannel,
        endpoint: str,
        request: service_pb2.StreamBatchesRequest,
        metadata: Sequence[tuple[str, str]],
        stall: float,
    ) -> None:
        self._channel = channel  # kept: it must outlive the opening
        self._library = channel.library
        self._endpoint = endpoint
        self._stall = stall
        self._order_plan = ""
        self._event = _native.Event()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        delivery = request.open.delivery
        if delivery.transport == plan_pb2.TRANSPORT_AUTO:
            delivery.transport = plan_pb2.TRANSPORT_SHM  # where that is possible
        opening = request.SerializeToString()
        pairs = [text.encode() for pair in metadata for text in pair]
        options = _native.StreamOptions(
            request=opening,
            request_size=len(opening),
            metadata=(ctypes.c_char_p * (len(pairs) + 1))(*pairs, None),
            stall_seconds=stall,
            max_batch_bytes=_MAX_BATCH_BYTES,
        )
        self._handle = self._library.ik_stream_open(channel.handle, ctypes.byref(options))
        if not self._handle:
            raise FixRequest("libinkstream cannot read the request: it is older than this package")

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._endpoint

    def open(self) -> Facts:
        """See BatchReader."""
        if self._next() != _native.OPENED:
            self.cancel()
            raise DataLoss(f"{self._endpoint}: the stream did not begin with `opened`")
        facts = Facts.of(batch_pb2.StreamOpened.FromString(self._header()))
        self._order_plan = facts.cursor["order_plan"]
        return facts

    def read(self) -> RawBatch | End:
        """See BatchReader."""
        if self._next() == _native.BATCH:
            event = self._event
            lent = _Lent(self._library, event.buffer)
            memory = (ctypes.c_uint8 * event.data_size).from_address(event.data or 0)
            # Arrays keep `memory`, and it keeps the buffer.
            memory._lent = lent
            header = batch_pb2.BatchHeader.FromString(self._header())
            return RawBatch(header, memoryview(memory).cast("B").toreadonly())
        end = batch_pb2.StreamEnd.FromString(self._header())
        return End(to_state(end.cursor, self._order_plan), end.reason)

    def grant(self, credits: int) -> None:
        """See BatchReader."""
        self._library.ik_stream_grant(self._handle, credits)

    def cancel(self) -> None:
        """See BatchReader."""
        if self._pid == os.getpid():
            self._library.ik_stream_cancel(self._handle)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle and self._pid == os.getpid():
            self._library.ik_stream_close(handle)

    def _next(self) -> int:
        event = self._event
        self._library.ik_stream_read(self._handle, ctypes.byref(event))
        kind: int = event.kind
        if kind != _native.ERROR:
            return kind
        text = ctypes.string_at(event.message, event.message_size).decode("utf-8", "replace")
        if event.origin == _native.CANCELLED:
            raise Closed("the stream was closed")
        if event.origin == _native.STALLED:
            raise Unavailable(
                f"{self._endpoint}: no answer for {self._stall:g} s", reason="STALLED"
            )
        if event.origin == _native.BROKEN:
            raise DataLoss(f"{self._endpoint}: {text}")
        details = ctypes.string_at(event.details, event.details_size)
        raise error_of(event.code, text, details, self._endpoint)

    def _header(self) -> bytes:
        return ctypes.string_at(self._event.header, self._event.header_size)
