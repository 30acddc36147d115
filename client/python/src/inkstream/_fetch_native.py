"""FetchDrawings over libinkstream: the calling thread reads the connection itself."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from inkstream import _native
from inkstream._errors import DataLoss
from inkstream._grpc_errors import error_of
from inkstream._raw_batch import RawBatch
from inkstream._reader import Facts
from inkstream._reader_native import MAX_BATCH_BYTES, NativeChannel, lent, metadata_of
from inkstream.v1 import batch_pb2, service_pb2

# Python looks at signals between two waits.
_LOOK_EVERY = 0.2


def fetch_natively(
    channel: NativeChannel,
    endpoint: str,
    request: service_pb2.FetchDrawingsRequest,
    metadata: Sequence[tuple[str, str]],
    seconds: float,
) -> tuple[RawBatch, Facts]:
    """The batch, and what the server said before it."""
    library = channel.library
    asked = request.SerializeToString()
    options = _native.FetchOptions(
        request=asked,
        request_size=len(asked),
        metadata=metadata_of(metadata),
        timeout_seconds=seconds,
        max_batch_bytes=MAX_BATCH_BYTES,
    )
    opened, batch = _native.Event(), _native.Event()
    events = ctypes.byref(opened), ctypes.byref(batch)
    handle = library.ik_fetch_open(channel.handle, ctypes.byref(options))
    try:
        while not library.ik_fetch_wait(handle, _LOOK_EVERY, *events):
            pass
        if batch.kind == _native.BATCH:
            # First, so that the memory has an owner whatever happens.
            size = batch.data_size
            memory = memoryview(b"")
            if size:
                memory = lent(library, batch.buffer, batch.data, size, False).data
            header = batch_pb2.BatchHeader.FromString(_native.header_of(batch))
            said = batch_pb2.StreamOpened.FromString(_native.header_of(opened))
            return RawBatch.of(header, memory), Facts.of(said)
        text, details = _native.error_of(batch)
    finally:
        library.ik_fetch_close(handle)
    if batch.origin == _native.BROKEN:
        raise DataLoss(f"{endpoint}: {text}")
    raise error_of(batch.code, text, details, endpoint)
