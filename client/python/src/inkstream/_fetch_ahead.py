"""Several fetches in a row: while the answer to one is read, the next one is drawn."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

import grpc

from inkstream._errors import InkstreamError
from inkstream._raw_batch import RawBatch
from inkstream._reader import Facts
from inkstream.v1 import service_pb2

if TYPE_CHECKING:
    from inkstream._connection import Connection
    from inkstream._engine import EngineConnection

Answer = tuple[RawBatch, Facts | None]

_UNDER_WAY = 2


class FetchCall(Protocol):
    """One FetchDrawings under way at one endpoint. For one thread."""

    def result(self) -> Answer:
        """Waits for the answer. Asked once. grpc.RpcError or InkstreamError."""

    def close(self) -> None:
        """Ends the call where it is still under way. Idempotent."""


def fetch_each(
    connection: Connection | EngineConnection, requests: Sequence[service_pb2.FetchDrawingsRequest]
) -> Generator[Answer, None, None]:
    """The answers in the order of the requests. Close it: calls may be under way.

    A call that fails is made again as `Connection.fetch` does it: with key sets that the server
    lacks, after a pause, elsewhere.
    """
    begun: list[FetchCall] = []
    try:
        for i, request in enumerate(requests):
            for following in requests[i + len(begun) : i + _UNDER_WAY]:
                begun.append(connection.begin_fetch(following))
            try:
                answer = begun[0].result()
            except (grpc.RpcError, InkstreamError):
                answer = connection.fetch(request)
            begun.pop(0).close()
            yield answer
    finally:
        for call in begun:
            call.close()
