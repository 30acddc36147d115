"""A BatchReader over libinkstream: reading and gathering happen on the library's own thread."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

import numpy as np

from inkstream._library import library as _native
from inkstream._network.channels import Credentials
from inkstream._network.reader import End, ReadAhead, StreamInfo
from inkstream._request.addresses import in_words
from inkstream._request.cursor import to_state
from inkstream._request.plan import MAX_MESSAGE_BYTES
from inkstream._wire.raw_batch import Bytes, Layout, RawBatch
from inkstream._wire.status import error_of
from inkstream.errors import Closed, DataLoss, InkstreamError, Unavailable
from inkstream.v1 import batch_pb2, plan_pb2, service_pb2

# As the assembler of the other reader: a wrong number must not allocate.
MAX_BATCH_BYTES = 4 << 30
# Seconds in the library at a time: Python sees to signals in between.
_SLICE = 0.1


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
        self.handle = _native.made(library, library.ik_channel_open(ctypes.byref(options)))

    def __del__(self) -> None:
        handle = getattr(self, "handle", None)
        if handle and self._pid == os.getpid():
            self._close(handle)


class _Lent:
    """A batch's memory as NumPy takes it up, given back when the last view of it dies."""

    __slots__ = ("__array_interface__", "_handle", "_pid", "_release")

    def __init__(
        self, library: ctypes.CDLL, handle: int, address: int, size: int, own: bool
    ) -> None:
        self._release, self._handle, self._pid = library.ik_buffer_release, handle, os.getpid()
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (address, not own),
        }

    def __del__(self) -> None:
        # A forked process has a copy of the memory and none of the library's threads.
        if self._pid == os.getpid():
            self._release(self._handle)


def lent(library: ctypes.CDLL, handle: int, address: int, size: int, own: bool) -> Bytes:
    """A batch's memory, which its array takes over."""
    return np.asarray(_Lent(library, handle, address, size, own))


def metadata_of(pairs: Sequence[tuple[str, str]]) -> ctypes.Array[ctypes.c_char_p]:
    """What a call carries, as the library takes it."""
    texts = [text.encode() for pair in pairs for text in pair]
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


class NativeBatchReader:
    """See BatchReader. `stall`: seconds without a message, while one is due, that end it.

    `ahead`: what the library lets the server be ahead of `read`; nothing without `batches`.
    """

    def __init__(
        self,
        channel: NativeChannel,
        endpoint: str,
        request: service_pb2.StreamBatchesRequest,
        metadata: Sequence[tuple[str, str]],
        stall: float,
        ahead: ReadAhead,
    ) -> None:
        self._channel = channel  # kept: it must outlive the opening
        self._library = channel.library
        self._endpoint = endpoint
        self._stall = stall
        self._order_plan = ""
        self._own = ahead.own_memory
        self._event = _native.Event()
        self._event_at = ctypes.byref(self._event)
        self._read = self._library.ik_call_read
        self._layout: Layout | None = None
        self._lent_out = 0  # the last buffer that has a holder
        self._pid = os.getpid()
        self.goes_on = True
        self.reads_ahead = ahead.batches > 0
        delivery = request.open.delivery
        if delivery.transport == plan_pb2.TRANSPORT_AUTO:
            delivery.transport = plan_pb2.TRANSPORT_SHM  # where that is possible
        opening = request.SerializeToString()
        options = _native.StreamOptions(
            request=opening,
            request_size=len(opening),
            metadata=metadata_of(metadata),
            stall_seconds=stall,
            max_batch_bytes=MAX_BATCH_BYTES,
            read_ahead=ahead.batches,
            read_ahead_bytes=ahead.bytes,
            own_memory=int(ahead.own_memory),
        )
        handle = self._library.ik_call_open(channel.handle, ctypes.byref(options))
        self._handle = _native.made(self._library, handle)

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._endpoint

    @property
    def queued(self) -> int:
        """See BatchReader."""
        count: int = self._library.ik_call_queued(self._handle)
        return count

    def open(self) -> StreamInfo:
        """See BatchReader."""
        if self._next()[0] != _native.OPENED:
            self.cancel()
            raise DataLoss(f"{self._endpoint}: the stream did not begin with `opened`")
        info = StreamInfo.of(batch_pb2.StreamOpened.FromString(_native.header_of(self._event)))
        self._order_plan = info.cursor["order_plan"]
        return info

    def read(self) -> RawBatch | End:
        """See BatchReader."""
        (
            kind, _, _, _, header_size, epoch, step, cursor_epoch, position, bad, wire_bytes,
            address, size, buffer,
        ) = self._next()  # fmt: skip
        if kind != _native.BATCH:
            end = batch_pb2.StreamEnd.FromString(_native.header_of(self._event))
            return End(to_state(end.cursor, self._order_plan), end.reason)
        memory: Bytes
        if buffer:
            self._lent_out = buffer
            memory = lent(self._library, buffer, address, size, self._own)
        else:
            memory = np.empty(0, np.uint8)
        layout = self._layout
        if header_size or layout is None:
            header = batch_pb2.BatchHeader.FromString(_native.header_of(self._event))
            layout = self._layout = Layout.of(header, size, self._order_plan)
        cursor = layout.cursor.copy()
        cursor["epoch"] = cursor_epoch
        cursor["position"] = position
        return RawBatch(layout, memory, cursor, epoch, step, bad, wire_bytes)

    def grant(self, credits: int) -> None:
        """See BatchReader."""
        self._library.ik_call_grant(self._handle, credits)

    def cancel(self) -> None:
        """See BatchReader."""
        if self._pid == os.getpid():
            self._library.ik_call_cancel(self._handle)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle and self._pid == os.getpid():
            # A signal may have come between a batch and its holder.
            if self._event.buffer and self._event.buffer != self._lent_out:
                self._library.ik_buffer_release(self._event.buffer)
            self._library.ik_call_close(handle)

    def _next(self) -> tuple[int, ...]:
        """The event as `_native.EVENT` has it."""
        event = self._event
        while True:
            self._read(self._handle, _SLICE, self._event_at)
            told: tuple[int, ...] = _native.EVENT.unpack_from(event)
            if told[0] != _native.NOTHING:
                break
        self.goes_on = told[1] != 0
        if told[0] != _native.ERROR:
            return told
        text, details = _native.error_of(event)
        if event.origin == _native.CANCELLED:
            raise Closed("the stream was closed")
        if event.origin == _native.STALLED:
            raise Unavailable(
                f"{in_words(self._endpoint)}: no answer for {self._stall:g} s", reason="STALLED"
            )
        if event.origin == _native.BROKEN:
            raise DataLoss(f"{self._endpoint}: {text}")
        if event.origin == _native.FAILED:
            raise InkstreamError(f"this process cannot take what {self._endpoint} sent: {text}")
        raise error_of(event.code, text, details, self._endpoint)
