"""FetchDrawings over libinkstream: the calling thread reads the connection itself."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from inkstream._library import library as _native
from inkstream._network.reader import StreamInfo
from inkstream._network.reader_native import MAX_BATCH_BYTES, NativeChannel, lent, metadata_of
from inkstream._wire.raw_batch import RawBatch
from inkstream._wire.status import error_of
from inkstream.errors import DataLoss, InkstreamError
from inkstream.v1 import batch_pb2, service_pb2

# Python looks at signals between two waits.
_LOOK_EVERY = 0.2


class NativeFetch:
    """One FetchDrawings under way. `result` may be asked once, by one thread; close it anyway."""

    def __init__(
        self,
        channel: NativeChannel,
        endpoint: str,
        request: service_pb2.FetchDrawingsRequest,
        metadata: Sequence[tuple[str, str]],
        seconds: float,
    ) -> None:
        self._library = channel.library
        self._channel = channel  # outlives the call
        self._endpoint = endpoint
        asked = request.SerializeToString()
        options = _native.FetchOptions(
            request=asked,
            request_size=len(asked),
            metadata=metadata_of(metadata),
            timeout_seconds=seconds,
            max_batch_bytes=MAX_BATCH_BYTES,
        )
        handle = self._library.ik_fetch_open(channel.handle, ctypes.byref(options))
        self._handle: int | None = _native.made(self._library, handle)

    def result(self) -> tuple[RawBatch, StreamInfo]:
        """The batch, and what the server said before it; waits."""
        opened, batch = _native.Event(), _native.Event()
        events = ctypes.byref(opened), ctypes.byref(batch)
        while not self._library.ik_fetch_wait(self._handle, _LOOK_EVERY, *events):
            pass
        if batch.kind == _native.BATCH:
            # First, so that the memory has an owner whatever happens.
            size = batch.data_size
            memory = memoryview(b"")
            if size:
                memory = lent(self._library, batch.buffer, batch.data, size, False).data
            header = batch_pb2.BatchHeader.FromString(_native.header_of(batch))
            said = batch_pb2.StreamOpened.FromString(_native.header_of(opened))
            return RawBatch.of(header, memory), StreamInfo.of(said)
        text, details = _native.error_of(batch)
        if batch.origin == _native.BROKEN:
            raise DataLoss(f"{self._endpoint}: {text}")
        if batch.origin == _native.FAILED:
            raise InkstreamError(f"this process cannot take what {self._endpoint} sent: {text}")
        raise error_of(batch.code, text, details, self._endpoint)

    def close(self) -> None:
        """Ends the call where it is still under way."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.ik_fetch_close(handle)
