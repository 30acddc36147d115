"""Bytes that are no message, and calls without one: each method says what is wrong with them."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from inkstream.v1 import dataset_pb2, service_pb2
from raw_calls import SERVICE, RawCalls
from serving import RunningServer

HEALTH = "/grpc.health.v1.Health/"
METHODS = {
    SERVICE + "ListDatasets": "inkstream.v1.ListDatasetsRequest",
    SERVICE + "DescribeDataset": "inkstream.v1.DescribeDatasetRequest",
    SERVICE + "InspectDrawing": "inkstream.v1.InspectDrawingRequest",
    SERVICE + "ExplainPlan": "inkstream.v1.ExplainPlanRequest",
    SERVICE + "GetStatus": "inkstream.v1.GetStatusRequest",
    SERVICE + "FetchDrawings": "inkstream.v1.FetchDrawingsRequest",
    SERVICE + "StreamBatches": "inkstream.v1.StreamBatchesRequest",
    SERVICE + "UploadKeys": "inkstream.v1.UploadKeysRequest",
    HEALTH + "Check": "grpc.health.v1.HealthCheckRequest",
    HEALTH + "Watch": "grpc.health.v1.HealthCheckRequest",
}
# No tag; a length that is not there; a field that ends too early; text that is not UTF-8.
MALFORMED = [b"\xff\xff\xff", b"\x0a\x7f", b"\x0a\x03ab", b"\x0a\x02\xff\xfe"]


@pytest.fixture
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def refusal_of(channel: grpc.Channel, method: str, requests: list[bytes]) -> Any:
    invoke: Any = channel.stream_stream(method)
    call = invoke(iter(requests), timeout=60)
    with pytest.raises(grpc.RpcError):
        list(call)
    return call


@pytest.mark.parametrize(
    ("method", "request_bytes"),
    [
        (method, request_bytes)
        for method, request_bytes in itertools.product(METHODS, MALFORMED)
        # It has no text: a field that is newer than the server may be anything.
        if (method, request_bytes) != (SERVICE + "ListDatasets", MALFORMED[3])
    ],
)
def test_what_is_no_message_is_an_invalid_argument(
    channel: grpc.Channel, method: str, request_bytes: bytes
) -> None:
    refused = refusal_of(channel, method, [request_bytes])
    assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.details() == f"the request is not an encoded {METHODS[method]}"


@pytest.mark.parametrize("method", METHODS)
def test_a_call_without_a_request_is_an_invalid_argument(
    channel: grpc.Channel, method: str
) -> None:
    refused = refusal_of(channel, method, [])
    assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.details()


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (MALFORMED[0], grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(2 << 20), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_a_message_of_an_upload_that_is_none_does_not_end_it_well(
    channel: grpc.Channel, second: bytes, code: grpc.StatusCode
) -> None:
    first = service_pb2.UploadKeysRequest(key_id=[5, 6, 7]).SerializeToString()
    assert refusal_of(channel, SERVICE + "UploadKeys", [first, second]).code() == code
    # Nor is what came before it kept.
    stub = RawCalls(channel)
    kept = stub.UploadKeys(iter([service_pb2.UploadKeysRequest(key_id=[5, 6, 7, 8])]), timeout=60)
    assert kept.keys == 4


def test_messages_that_are_well_formed_are_answered_beside(channel: grpc.Channel) -> None:
    call: Any = channel.unary_unary(SERVICE + "ListDatasets")
    # A field that is newer than the server.
    assert b"quickdraw" in call(b"\x78\x01", timeout=60)
    stub = RawCalls(channel)
    assert stub.DescribeDataset(dataset_pb2.DescribeDatasetRequest(), timeout=60).drawings > 0


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def senseless(chance: random.Random) -> bytes:
    """Bytes, or frames of any kind, flags and stream with any content, behind a right beginning."""
    if chance.random() < 0.2:
        return chance.randbytes(500)
    frames = b""
    for _ in range(20):
        payload = chance.randbytes(chance.randrange(100))
        kind, flags, number = chance.randrange(12), chance.randrange(256), chance.randrange(5)
        frames += struct.pack(">I", len(payload))[1:]
        frames += struct.pack(">BBI", kind, flags, number) + payload
    return PREFACE + SETTINGS + frames


def test_bytes_that_are_no_http2_end_their_connection_alone(
    server: RunningServer, channel: grpc.Channel
) -> None:
    host, port = server.address.rsplit(":", 1)
    chance = random.Random(0)
    status = RawCalls(channel).GetStatus
    for _ in range(300):
        with (
            contextlib.suppress(ConnectionError),  # it has seen enough
            socket.create_connection((host, int(port)), 60) as connection,
        ):
            connection.sendall(senseless(chance))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        assert status(dataset_pb2.GetStatusRequest(), timeout=60).workers > 0
    assert server.process.poll() is None
