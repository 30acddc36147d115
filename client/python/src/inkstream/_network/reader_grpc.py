"""A BatchReader over grpcio: messages stay raw bytes, so that no parser copies the bulk."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import grpc

from inkstream._network.reader import End, StreamInfo
from inkstream._network.stall import unwatch, watch
from inkstream._request.addresses import in_words
from inkstream._request.cursor import to_state
from inkstream._request.plan import planned_batch_bytes
from inkstream._wire.assembly import Assembler
from inkstream._wire.part import Part, parse_part
from inkstream._wire.raw_batch import RawBatch
from inkstream._wire.status import from_grpc
from inkstream._wire.unpacking import without_native
from inkstream.errors import Closed, DataLoss, Unavailable
from inkstream.v1 import plan_pb2, service_pb2

STREAM_METHOD = "/inkstream.v1.DrawingService/StreamBatches"


class _Requests:
    """The client's side of the stream; None ends it."""

    def __init__(self, first: service_pb2.StreamBatchesRequest) -> None:
        self._queue: queue.SimpleQueue[service_pb2.StreamBatchesRequest | None] = (
            queue.SimpleQueue()
        )
        self._queue.put(first)

    def put(self, request: service_pb2.StreamBatchesRequest | None) -> None:
        self._queue.put(request)

    def __iter__(self) -> _Requests:
        return self

    def __next__(self) -> service_pb2.StreamBatchesRequest:
        request = self._queue.get()
        if request is None:
            raise StopIteration
        return request


class GrpcBatchReader:
    """See BatchReader. `stall`: seconds without a message, while one is due, that end it."""

    reads_ahead = False
    goes_on = True
    queued = 0

    def __init__(
        self,
        channel: grpc.Channel,
        endpoint: str,
        request: service_pb2.StreamBatchesRequest,
        metadata: Sequence[tuple[str, str]],
        stall: float,
    ) -> None:
        self._endpoint = endpoint
        delivery = request.open.delivery
        delivery.transport = plan_pb2.TRANSPORT_GRPC
        self._codec_reason = without_native(delivery)
        self._dataset = request.dataset
        self._requests = _Requests(request)
        packed = delivery.codec != plan_pb2.CODEC_NONE
        self._assembler = Assembler(packed, planned_batch_bytes(delivery))
        self._ready: deque[RawBatch] = deque()
        self._end: End | None = None
        self._stall = stall
        self._lock = threading.Lock()
        self._due = 1 + request.credits  # messages the server owes: `opened`, then batches
        self._last_message = time.monotonic()
        self._cancelled = self._stalled = False
        method: Any = channel.stream_stream(
            STREAM_METHOD,
            request_serializer=service_pb2.StreamBatchesRequest.SerializeToString,
        )
        self._call: Any = method(self._requests, metadata=metadata)
        watch(self)

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._endpoint

    def open(self) -> StreamInfo:
        """See BatchReader."""
        part = self._receive()
        if part is None or part.opened is None:
            self.cancel()
            raise DataLoss(f"{self._endpoint}: the stream did not begin with `opened`")
        with self._lock:
            self._due -= 1
        if not part.opened.transport_reason:
            part.opened.transport_reason = "grpcio reads, which cannot share memory"
        if not part.opened.codec_reason:
            part.opened.codec_reason = self._codec_reason
        info = StreamInfo.of(part.opened)
        self._assembler.order_plan = info.cursor["order_plan"]
        self._accept(part)
        return info

    def read(self) -> RawBatch | End:
        """See BatchReader."""
        while not self._ready and self._end is None:
            part = self._receive()
            if part is None:
                # OK without an end part: the server left in mid-stream.
                raise Unavailable(f"{self._endpoint}: the stream stopped without an end")
            self._accept(part)
        if self._ready:
            return self._ready.popleft()
        assert self._end is not None
        self._finish()
        return self._end

    def grant(self, credits: int) -> None:
        """See BatchReader."""
        with self._lock:
            if self._due <= 0:
                self._last_message = time.monotonic()
            self._due += credits
        self._requests.put(service_pb2.StreamBatchesRequest(dataset=self._dataset, credits=credits))

    def cancel(self) -> None:
        """See BatchReader."""
        self._cancelled = True
        self._finish()

    def check(self, now: float) -> None:
        """Called by the stall watchdog."""
        with self._lock:
            late = self._due > 0 and now - self._last_message > self._stall
        if late:
            self._stalled = True
            self._finish()

    def _accept(self, part: Part) -> None:
        try:
            whole = self._assembler.feed(part)
        except DataLoss:
            self._finish()
            raise
        if whole:
            with self._lock:
                self._due -= len(whole)
            self._ready.extend(whole)
        if part.end is not None:
            self._end = End(to_state(part.end.cursor, self._assembler.order_plan), part.end.reason)

    def _receive(self) -> Part | None:
        try:
            message = next(self._call)
            with self._lock:
                self._last_message = time.monotonic()
            return parse_part(message)
        except StopIteration:
            self._finish()
            return None
        except DataLoss:
            self._finish()
            raise
        except grpc.RpcError as error:
            self._finish()
            if self._cancelled:
                raise Closed("the stream was closed") from None
            if self._stalled:
                raise Unavailable(
                    f"{in_words(self._endpoint)}: no answer for {self._stall:g} s", reason="STALLED"
                ) from None
            raise from_grpc(error, self._endpoint) from None

    def _finish(self) -> None:
        unwatch(self)
        self._call.cancel()
        self._requests.put(None)


class GrpcFetch:
    """One FetchDrawings under way; see FetchCall."""

    def __init__(self, call: Any, endpoint: str) -> None:
        self._call = call
        self._endpoint = endpoint

    def result(self) -> tuple[RawBatch, StreamInfo | None]:
        """See FetchCall."""
        return read_one_batch(self._call, self._endpoint)

    def close(self) -> None:
        """See FetchCall."""
        self._call.cancel()


def read_one_batch(parts: Iterable[bytes], endpoint: str) -> tuple[RawBatch, StreamInfo | None]:
    """Gathers the answer of FetchDrawings, which is one batch."""
    assembler = Assembler()
    info: StreamInfo | None = None
    found: list[RawBatch] = []
    for message in parts:
        part = parse_part(message)
        if part.opened is not None:
            info = StreamInfo.of(part.opened)
            assembler.order_plan = info.cursor["order_plan"]
        found.extend(assembler.feed(part))
    if len(found) != 1:
        raise DataLoss(f"{endpoint}: the answer has {len(found)} batches instead of one")
    return found[0], info
