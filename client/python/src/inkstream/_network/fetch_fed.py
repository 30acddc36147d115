"""A FetchDrawings over grpcio whose answer libinkstream makes a batch of, and draws."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import grpc

from inkstream._library.functions import FETCH_DRAWINGS
from inkstream._library.memory import SparePieces
from inkstream._library.stream import receive
from inkstream._network.reader import StreamInfo
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import DataLoss, InkstreamError
from inkstream.v1 import plan_pb2, service_pb2


class FedFetch:
    """See FetchCall. The thread that asks for the result draws it, with those that are free.

    `begin`: makes the call. `threads`: that draw; 0: see inkstream.connect.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        begin: Callable[[service_pb2.FetchDrawingsRequest], Any],
        endpoint: str,
        request: service_pb2.FetchDrawingsRequest,
        threads: int,
        memory: SparePieces,
    ) -> None:
        if request.delivery.codec == plan_pb2.CODEC_STROKES:
            request.delivery.raster_version = library.ik_raster_version()
        self._library = library
        self._endpoint = endpoint
        self._request = request
        self._threads = threads
        self._memory = memory
        self._begin = begin
        self._call = begin(request)

    def result(self) -> tuple[RawBatch, StreamInfo | None]:
        """See FetchCall."""
        try:
            try:
                return self._result()
            except grpc.RpcError as error:
                if not self._has_the_server_draw(error):
                    raise
                self._call = self._begin(self._request)
                return self._result()
        except InkstreamError as error:
            if error.code == grpc.StatusCode.INTERNAL.name:
                raise DataLoss(str(error)) from None
            raise

    def _has_the_server_draw(self, refused: Any) -> bool:
        """Whether a server of an earlier release has rows for streams alone, and may be asked
        again, for what it draws."""
        delivery = self._request.delivery
        if (
            delivery.codec != plan_pb2.CODEC_STROKES
            or refused.code() != grpc.StatusCode.INVALID_ARGUMENT
            or not refused.details().startswith("delivery.codec")
        ):
            return False
        delivery.codec = plan_pb2.CODEC_NONE
        return True

    def _result(self) -> tuple[RawBatch, StreamInfo | None]:
        messages = iter(self._call)
        first = next(messages, None)
        if first is None:
            raise DataLoss(f"{self._endpoint}: the answer did not begin with `opened`")
        stream = receive(
            self._library,
            FETCH_DRAWINGS,
            self._request.SerializeToString(),
            first,
            self._endpoint,
            self._threads,
            self._memory.of,
        )
        info = StreamInfo.of(stream.opened())
        stream.offer()
        for message in messages:
            stream.feed(message)
        stream.finish()
        batch = stream.next()
        if not isinstance(batch, RawBatch):
            raise DataLoss(f"{self._endpoint}: the answer has 0 batches instead of one")
        return batch, info

    def close(self) -> None:
        """See FetchCall."""
        self._call.cancel()
