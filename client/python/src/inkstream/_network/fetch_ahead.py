"""Several fetches in a row: while the answer to one is read, the next one is drawn."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import grpc

from inkstream._network.service import FetchCall, Fetched, Service
from inkstream.errors import InkstreamError
from inkstream.v1 import service_pb2

_UNDER_WAY = 2


def fetch_each(
    connection: Service, requests: Sequence[service_pb2.FetchDrawingsRequest]
) -> Generator[Fetched, None, None]:
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
