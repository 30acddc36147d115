"""FetchDrawings: one over grpcio, and several in a row."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import grpc

from inkstream._library.stream import MessageStream
from inkstream._network.reader import StreamInfo
from inkstream._network.service import Fetched, Service
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import DataLoss, InkstreamError
from inkstream.v1 import plan_pb2, service_pb2

_UNDER_WAY = 2
T = TypeVar("T")


def fetch_at(
    begin: Callable[[service_pb2.FetchDrawingsRequest], Any],
    receive: Callable[[bytes], MessageStream],
    endpoint: str,
    request: service_pb2.FetchDrawingsRequest,
) -> Fetched:
    """The answer of one endpoint. `begin` makes the call, `receive` a stream of what it gives.

    The thread that asks draws it, with those that are free. grpc.RpcError or InkstreamError.
    """
    try:
        return _answer(begin(request), receive, endpoint)
    except grpc.RpcError as error:
        if not _has_the_server_draw(request.delivery, error):
            raise
        return _answer(begin(request), receive, endpoint)
    except InkstreamError as error:
        if error.code == grpc.StatusCode.INTERNAL.name:
            raise DataLoss(str(error)) from None
        raise


def _answer(call: Any, receive: Callable[[bytes], MessageStream], endpoint: str) -> Fetched:
    try:
        first = next(call, None)
        if first is None:
            raise DataLoss(f"{endpoint}: the answer did not begin with `opened`")
        stream = receive(first)
        info = StreamInfo.of(stream.opened())
        stream.offer()
        for message in call:
            stream.feed(message)
        stream.finish()
        batch = stream.next()
        if not isinstance(batch, RawBatch):
            raise DataLoss(f"{endpoint}: the answer has 0 batches instead of one")
        return batch, info
    finally:
        call.cancel()


def _has_the_server_draw(delivery: plan_pb2.Delivery, refused: Any) -> bool:
    """Whether a server of an earlier release has rows for streams alone, and may be asked again,
    for what it draws."""
    if (
        delivery.codec != plan_pb2.CODEC_STROKES
        or refused.code() != grpc.StatusCode.INVALID_ARGUMENT
        or not refused.details().startswith("delivery.codec")
    ):
        return False
    delivery.codec = plan_pb2.CODEC_NONE
    return True


def fetch_each(
    service: Service, requests: Sequence[service_pb2.FetchDrawingsRequest]
) -> Generator[Fetched, None, None]:
    """The answers in the order of the requests; while one is read, the next one is drawn."""
    under_way: deque[Future[Fetched]] = deque()
    for request in requests:
        under_way.append(begun(partial(service.fetch, request)))
        if len(under_way) == _UNDER_WAY:
            yield under_way.popleft().result()
    for future in under_way:
        yield future.result()


def begun(work: Callable[[], T]) -> Future[T]:
    """`work` on a thread of its own, which no interpreter waits for.

    Whoever waits for its result sees Ctrl-C, which a thread in a library's function does not.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # whatever it is, who waits must see it
            # Without the frames of this thread, which would live as long as the error.
            future.set_exception(error.with_traceback(None))

    threading.Thread(target=run, name="inkstream-call", daemon=True).start()
    return future
