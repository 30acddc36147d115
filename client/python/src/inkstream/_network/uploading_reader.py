"""Readers whose servers may lack a set of keys or weights."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inkstream._network.reader import BatchReader, End, StreamInfo
from inkstream._request.uploaded_set import UploadedSet, wanted_by
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import NotFound
from inkstream.v1 import service_pb2


class UploadingReader:
    """A reader that sends sets which its server lacks, then opens again."""

    def __init__(
        self,
        make: Callable[[], BatchReader],
        request: service_pb2.StreamBatchesRequest,
        upload: Callable[[UploadedSet], None],
    ) -> None:
        self._make = make
        self._request = request
        self._upload = upload
        self._reader = make()
        self._cancelled = False
        self._lock = threading.Lock()
        self._granted = 0  # all in all; guarded by _lock, as the reader that they are for

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._reader.endpoint

    @property
    def reads_ahead(self) -> bool:
        """As any reader's."""
        return self._reader.reads_ahead

    @property
    def goes_on(self) -> bool:
        """As any reader's."""
        return self._reader.goes_on

    @property
    def queued(self) -> int:
        """As any reader's."""
        return self._reader.queued

    def open(self) -> StreamInfo:
        """As any reader's."""
        try:
            return self._reader.open()
        except NotFound as error:
            missing = wanted_by(error, self._request)
            if not missing:
                raise
            for keys in missing:
                self._upload(keys)
        with self._lock:
            self._reader = self._make()
            if self._granted:
                self._reader.grant(self._granted)
        if self._cancelled:
            self._reader.cancel()
        return self._reader.open()

    def read(self) -> RawBatch | End:
        """As any reader's."""
        return self._reader.read()

    def grant(self, credits: int) -> None:
        """As any reader's."""
        with self._lock:
            self._granted += credits
            self._reader.grant(credits)

    def cancel(self) -> None:
        """As any reader's."""
        self._cancelled = True
        self._reader.cancel()
