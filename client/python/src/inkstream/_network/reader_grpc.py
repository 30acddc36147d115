"""A BatchReader over grpcio: messages stay raw bytes, so that no parser copies the bulk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import grpc

from inkstream._network.reader import End, StreamInfo
from inkstream._network.stream_call import StreamCall
from inkstream._request.cursor import to_state
from inkstream._request.plan import planned_batch_bytes
from inkstream._wire.assembly import Assembler
from inkstream._wire.part import Part, parse_part
from inkstream._wire.raw_batch import Common, RawBatch
from inkstream.errors import DataLoss, Unavailable
from inkstream.v1 import plan_pb2, service_pb2


def _has_the_server_draw(delivery: plan_pb2.Delivery) -> str:
    """Makes `delivery` what grpcio alone can read; answers why, where that changed it."""
    if delivery.codec != plan_pb2.CODEC_STROKES:
        return ""
    delivery.codec = plan_pb2.CODEC_NONE
    return "libinkstream, which draws, is not used (inkstream.connect(...).transport says why)"


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
        self._codec_reason = _has_the_server_draw(delivery)
        self._assembler = Assembler(planned_batch_bytes(delivery))
        self._ready: deque[RawBatch] = deque()
        self._end: End | None = None
        self._call = StreamCall(channel, endpoint, request, metadata, stall)

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
        self._call.arrived(1)
        if not part.opened.codec_reason:
            part.opened.codec_reason = self._codec_reason
        info = StreamInfo.of(part.opened)
        self._assembler.common = Common.of(part.opened)
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
        self._call.finish()
        return self._end

    def grant(self, credits: int) -> None:
        """See BatchReader."""
        self._call.grant(credits)

    def cancel(self) -> None:
        """See BatchReader."""
        self._call.cancel()

    def _accept(self, part: Part) -> None:
        try:
            whole = self._assembler.feed(part)
        except DataLoss:
            self._call.finish()
            raise
        if whole:
            self._call.arrived(len(whole))
            self._ready.extend(whole)
        if part.end is not None:
            order_plan = self._assembler.common.order_plan
            self._end = End(to_state(part.end.cursor, order_plan), part.end.reason)

    def _receive(self) -> Part | None:
        message = self._call.receive()
        try:
            return None if message is None else parse_part(message)
        except DataLoss:
            self._call.finish()
            raise


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
            assembler.common = Common.of(part.opened)
        found.extend(assembler.feed(part))
    if len(found) != 1:
        raise DataLoss(f"{endpoint}: the answer has {len(found)} batches instead of one")
    return found[0], info
