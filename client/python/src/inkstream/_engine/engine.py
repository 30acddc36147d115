"""A store in this process: what a Connection does, done here, without a server."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from inkstream._library.functions import (
    FETCH_DRAWINGS,
    STREAM_BATCHES,
    EngineBytes,
    EngineOptions,
    check,
)
from inkstream._library.library import library as native_library
from inkstream._library.memory import Pieces, SparePieces
from inkstream._library.stream import LibraryStream
from inkstream._library.threads import shares, threads_of
from inkstream._network.fetch import begun
from inkstream._network.reader import BatchReader, ReadAhead, StreamInfo
from inkstream._network.service import Fetched, Waits
from inkstream._request.addresses import is_address
from inkstream._request.uploaded_set import UploadedSet, wanted_by
from inkstream._request.values import shown, whole
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import Closed, FixRequest, NotFound
from inkstream.v1 import dataset_pb2, service_pb2


class EngineReader(BatchReader):
    """`open_stream` may take as long as a scan of the store."""

    def __init__(
        self, open_stream: Callable[[], LibraryStream], store: str, ahead: ReadAhead
    ) -> None:
        super().__init__(store, ahead)
        self._open_stream = open_stream

    def open(self) -> StreamInfo:
        """See BatchReader."""
        stream = self._open_stream()
        info = StreamInfo.of(stream.opened(), transport="here")
        self._depth = self._drawn_ahead(info.credit_window, stream.batch_bytes)
        self._opened(stream)
        return info


Answer = TypeVar("Answer")

_LEAST_MEMORY = 1 << 20  # bytes
_WAITED_FOR = {
    "store": "pages of the store that are not in memory",
    "decode": "records to be decoded",
    "draw": "batches to be drawn",
    "queue": "threads that are at other batches",
}
_KEPT = 4  # pieces of memory that nothing shows


class Engine:
    """The engine of one process, closed with its last user; streams outlive it."""

    def __init__(
        self, library: ctypes.CDLL, path: str, fingerprint: str, threads: int, memory: int
    ) -> None:
        self.pid = os.getpid()
        self.library = library
        self.store = path
        self._close = library.ik_engine_close
        options = EngineOptions(
            struct_size=ctypes.sizeof(EngineOptions),
            path=os.fsencode(path),
            fingerprint=fingerprint.encode(),
            shares=shares(),
            threads=threads,
            memory=memory,
        )
        handle = ctypes.c_void_p()
        failure = library.ik_engine_open(ctypes.byref(options), ctypes.byref(handle))
        check(library, failure, path)
        self._handle = handle.value
        self._for_fetches = SparePieces(_KEPT)

    def call(self, method: str, request: bytes) -> bytes:
        """One method of the contract."""
        answer = ctypes.POINTER(EngineBytes)()
        failure = self.library.ik_engine_call(
            self._handle, method.encode(), request, len(request), ctypes.byref(answer)
        )
        check(self.library, failure, self.store)
        try:
            return answer.contents.copied()
        finally:
            self.library.ik_bytes_free(answer)

    def stream(self, request: bytes, own_memory: bool) -> LibraryStream:
        """A StreamBatches. `own_memory`: who takes a batch may write to it."""
        return self._open(STREAM_BATCHES, request, lambda size: Pieces(size, _KEPT), own_memory)

    def fetch(self, request: bytes) -> LibraryStream:
        """A FetchDrawings, of one batch."""
        return self._open(FETCH_DRAWINGS, request, self._for_fetches.of)

    def _open(
        self,
        kind: int,
        request: bytes,
        pieces: Callable[[int], Pieces],
        own_memory: bool = False,
    ) -> LibraryStream:
        handle = ctypes.c_void_p()
        failure = self.library.ik_stream_open(
            self._handle, kind, request, len(request), ctypes.byref(handle)
        )
        check(self.library, failure, self.store)
        assert handle.value is not None
        return LibraryStream(self.library, handle.value, self.store, pieces, own_memory)

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._close(handle)


def _meant_by(path: str) -> str:
    """What to do about one that is no directory."""
    home = os.path.expanduser(path)
    if home != path and os.path.isdir(home):
        return f"'~' is the shell's; {home!r} is probably meant"
    if is_address(path):
        return f"a server is reached by inkstream.connect({path!r})"
    return "a store is a directory that `inkstream ingest` makes"


class EngineConnection:
    """What Connection is to servers, to a store in this process. Picklable. Thread-safe.

    The engine is opened when first used, separately in each process, in the generation that the
    first one found.
    """

    retry_for = 0.0  # what fails here fails again
    token_is_read = False

    def __init__(self, path: str, threads: int, memory: int) -> None:
        self.target = path
        self._fingerprint = ""
        self._threads = threads
        self._memory = memory
        self._closed = False
        self._per_process: Engine | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str], threads: Any, memory: Any) -> EngineConnection:
        """From what users give. NotFound where there is no store."""
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise FixRequest(f"path = {shown(path)}: give the directory of a store")
        if not Path(path).is_dir():
            given = os.fsdecode(path)
            raise NotFound(f"{given!r} is not a store: {_meant_by(given)}")
        made = cls(
            str(Path(path).resolve()),
            threads_of(threads),
            0 if memory is None else whole("memory", memory, _LEAST_MEMORY),
        )
        made.engine()
        return made

    def engine(self) -> Engine:
        """This process's."""
        if self._closed:
            raise Closed("this client was closed; open the store anew")
        engine = self._per_process
        if engine is None or engine.pid != os.getpid():
            library, said = native_library()
            if library is None:
                raise FixRequest(
                    f"a store is opened in this process by libinkstream, and {said}; "
                    "or `inkstream serve` it, and connect"
                )
            engine = Engine(library, self.target, self._fingerprint, self._threads, self._memory)
            if not self._fingerprint:
                said_of = dataset_pb2.ListDatasetsResponse.FromString(
                    engine.call("ListDatasets", b"")
                )
                self._fingerprint = said_of.datasets[0].fingerprint
            self._per_process = engine
        return engine

    def close(self) -> None:
        """Lets go of the store; streams keep it until they are closed. Idempotent."""
        self._closed = True
        self._per_process = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_per_process": None}

    def channels(self) -> EngineConnection:
        """Where its streams are: here alone; see Endpoints."""
        self.engine()
        return self

    def endpoints(self) -> list[str]:
        """The store."""
        return [self.target]

    def leave(self, endpoint: str, hangs: bool = False) -> None:
        """There is nowhere to go."""

    def renew(self, endpoint: str) -> None:
        """There is nothing to make anew."""

    @property
    def transport(self) -> str:
        """What reads the drawings of this process."""
        return "libinkstream, in this process"

    def call(self, method: str, request: Any, answer: type[Answer]) -> Answer:
        """One unary call."""
        asked = request.SerializeToString()
        engine = self.engine()
        said = self._with_keys(request, lambda: _watched(lambda: engine.call(method, asked)))
        parsed: Answer = answer.FromString(said)  # type: ignore[attr-defined]
        return parsed

    def waits_of(self, endpoint: str, stream_id: int, seconds: float) -> Waits | None:
        """Where the time of one stream goes; None where there is none."""
        del endpoint, seconds
        request = dataset_pb2.GetStatusRequest(stream_id=stream_id)
        said = self.engine().call("GetStatus", request.SerializeToString())
        waits = Waits.of(dataset_pb2.GetStatusResponse.FromString(said))
        if waits is None:
            return None
        worst = max(_WAITED_FOR, key=lambda name: waits.seconds[name])
        return Waits(
            waits.seconds,
            f"This process is the bottleneck: the loop waits for {_WAITED_FOR[worst]}; "
            "open(threads=...) says how many threads there are.",
        )

    def fetch(self, request: service_pb2.FetchDrawingsRequest) -> Fetched:
        """Random access."""
        engine, asked = self.engine(), request.SerializeToString()

        def drawn() -> Fetched:
            stream = engine.fetch(asked)
            stream.offer()
            batch = stream.next()
            assert isinstance(batch, RawBatch)
            return batch, StreamInfo.of(stream.opened(), transport="here")

        return self._with_keys(request, lambda: _watched(drawn))

    def open_reader(
        self, endpoint: str, request: service_pb2.StreamBatchesRequest, ahead: ReadAhead
    ) -> BatchReader:
        """A stream."""
        engine, asked = self.engine(), request.SerializeToString()

        def opened() -> LibraryStream:
            return self._with_keys(request, lambda: engine.stream(asked, ahead.own_memory))

        return EngineReader(opened, endpoint, ahead)

    def _upload(self, keys: UploadedSet) -> None:
        self.engine().call("UploadKeys", keys.message().SerializeToString())

    def _with_keys(self, request: Any, attempt: Callable[[], Answer]) -> Answer:
        try:
            return attempt()
        except NotFound as error:
            missing = wanted_by(error, request)
            if not missing:
                raise
        for keys in missing:
            self._upload(keys)
        return attempt()


def _watched(work: Callable[[], Answer]) -> Answer:
    """What `work` gives, which is in the library for as long as it takes.

    Only the main thread sees Ctrl-C, and not while it is there: so another one works.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    return begun(work).result()
