"""What a client has beneath it: its servers, and the calls to them that the package makes."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any, TypeVar

import grpc

from inkstream._library.library import library as native_library
from inkstream._library.memory import SparePieces
from inkstream._library.stream import MessageStream, draw_here, receive
from inkstream._network.channels import Channels
from inkstream._network.credentials import Credentials
from inkstream._network.fetch import fetch_at
from inkstream._network.reader import BatchReader, ReadAhead
from inkstream._network.reader_fed import FedReader
from inkstream._network.retry import Retry
from inkstream._network.service import Fetched, Waits
from inkstream._network.stream_call import StreamCall
from inkstream._request.addresses import is_name
from inkstream._request.uploaded_set import UploadedSet, wanted_by
from inkstream._wire.status import from_grpc
from inkstream.errors import Closed, InkstreamError
from inkstream.v1 import dataset_pb2, service_pb2

_KEPT = 4  # pieces of memory that nothing shows
_SERVICE = "/inkstream.v1.DrawingService/"
Answer = TypeVar("Answer")


class Connection:
    """Connects when first used, separately in each process. Picklable. Thread-safe.

    `timeout`, `retry_for`, `stall`: seconds, as `inkstream.connect` has them; `threads`: that
    draw, 0 for its default.
    """

    def __init__(
        self,
        addresses: tuple[str, ...],
        credentials: Credentials,
        *,
        timeout: float,
        retry_for: float,
        stall: float,
        threads: int = 0,
    ) -> None:
        self.target = ", ".join(addresses)
        self._addresses = addresses
        self.timeout = timeout
        self.retry_for = retry_for
        self.stall = stall
        self._threads = threads
        self._credentials = credentials
        self._closed = False
        self._per_process: Channels | None = None
        self._for_fetches = SparePieces(_KEPT)

    def close(self) -> None:
        """Closes the channels of this process. Idempotent."""
        self._closed = True
        if self._per_process is not None and self._per_process.pid == os.getpid():
            self._per_process.close()
        self._per_process = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_per_process": None}

    def channels(self) -> Channels:
        """This process's channels."""
        if self._closed:
            raise Closed("this client was closed; connect anew")
        channels = self._per_process
        if channels is None or channels.pid != os.getpid():
            # After a fork the parent's channels are left alone: closing them here would
            # disturb gRPC's threads, which this process does not have.
            _inherited.append(channels)
            channels = self._per_process = Channels(self._addresses, self._credentials)
        return channels

    @property
    def transport(self) -> str:
        """What reads the drawings of this process."""
        found, said = native_library()
        return f"grpcio ({said})" if found is None else "libinkstream"

    def call(self, method: str, request: Any, answer: type[Answer]) -> Answer:
        """One unary call: every endpoint may be tried, within `timeout` altogether.

        Each gets an even share of it, so that one that hangs does not hide the others; a name
        two, since several servers may be behind it.
        """

        def attempt(channel: grpc.Channel, _: str, seconds: float) -> Answer:
            return self._ask(channel, method, request, answer, seconds)

        shares = sum(2 if is_name(one) else 1 for one in self.channels().endpoints())
        answered: Answer = self._attempts(attempt, self.timeout, self.timeout / shares, request)
        return answered

    def waits_of(self, endpoint: str, stream_id: int, seconds: float) -> Waits | None:
        """What the server at `endpoint` says of one stream; None where it knows none."""
        request = dataset_pb2.GetStatusRequest(stream_id=stream_id)
        channel = self.channels().channel(endpoint)
        try:
            answer = self._ask(
                channel, "GetStatus", request, dataset_pb2.GetStatusResponse, seconds
            )
        except grpc.RpcError as error:
            raise from_grpc(error, endpoint) from None
        return Waits.of(answer)

    def fetch(self, request: service_pb2.FetchDrawingsRequest) -> Fetched:
        """Random access; goes on elsewhere for as long as a stream would."""
        library, _ = native_library()
        draw_here(library, request.delivery)

        def attempt(channel: grpc.Channel, endpoint: str, seconds: float) -> Fetched:
            invoke: Any = channel.unary_stream(
                _SERVICE + "FetchDrawings",
                request_serializer=service_pb2.FetchDrawingsRequest.SerializeToString,
            )
            begin = partial(invoke, timeout=seconds, metadata=self._credentials.metadata())

            def receiving(first: bytes) -> MessageStream:
                memory = self._for_fetches.of
                return receive(library, request, first, endpoint, self._threads, memory)

            return fetch_at(begin, receiving, endpoint, request)

        fetched: Fetched = self._attempts(attempt, self.retry_for, self.stall, request)
        return fetched

    def open_reader(
        self, endpoint: str, request: service_pb2.StreamBatchesRequest, ahead: ReadAhead
    ) -> BatchReader:
        """A stream at one endpoint."""

        def begin(request: service_pb2.StreamBatchesRequest) -> StreamCall:
            channel = self.channels().channel(endpoint, streams=True)
            return StreamCall(channel, endpoint, request, self._credentials.metadata(), self.stall)

        def upload(keys: UploadedSet) -> None:
            self._upload(self.channels().channel(endpoint), keys, self.timeout)

        library, _ = native_library()
        return FedReader(library, begin, upload, request, endpoint, ahead, self._threads)

    def _ask(
        self, channel: grpc.Channel, method: str, request: Any, answer: type[Answer], seconds: float
    ) -> Answer:
        invoke: Any = channel.unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,  # type: ignore[attr-defined]
        )
        said: Answer = invoke(request, timeout=seconds, metadata=self._credentials.metadata())
        return said

    def _upload(self, channel: grpc.Channel, keys: UploadedSet, seconds: float) -> None:
        invoke: Any = channel.stream_unary(
            _SERVICE + "UploadKeys",
            request_serializer=service_pb2.UploadKeysRequest.SerializeToString,
            response_deserializer=service_pb2.UploadKeysResponse.FromString,
        )
        try:
            invoke(keys.messages(), timeout=seconds, metadata=self._credentials.metadata())
        except grpc.RpcError as error:
            raise from_grpc(error, "UploadKeys") from None

    def _attempts(self, attempt: Any, within: float, each: float, request: Any) -> Any:
        retry = Retry(self.channels, within, time.monotonic())
        uploaded: set[tuple[str, str]] = set()
        while True:
            endpoint = "no server"
            try:
                channels = self.channels()
                endpoint = channels.endpoints()[0]
                channel = channels.channel(endpoint)
                seconds = max(0.1, min(retry.left, each))
                answer = attempt(channel, endpoint, seconds)
                retry.succeeded(endpoint)
                return answer
            except (grpc.RpcError, InkstreamError) as error:
                failure = from_grpc(error, endpoint) if isinstance(error, grpc.RpcError) else error
                missing = [
                    keys
                    for keys in wanted_by(failure, request)
                    if (endpoint, keys.hash) not in uploaded
                ]
                if missing:
                    for keys in missing:
                        self._upload(channel, keys, seconds)
                        uploaded.add((endpoint, keys.hash))
                    continue
                time.sleep(retry.failed(endpoint, failure))


_inherited: list[Channels | None] = []
