"""Requests that no server can grant: refused by name, before memory is taken for them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from beside import Beside, own_mib
from inkstream.v1 import plan_pb2, service_pb2
from raw_calls import SERVICE
from serving import RunningServer

MEMORY_MIB = 512
GROWTH_MIB = 16
OWN = [("grpc.use_local_subchannel_pool", 1)]
Request = service_pb2.StreamBatchesRequest


@pytest.fixture(scope="module")
def server(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("limits")
    flags = ("--memory", f"{MEMORY_MIB}MiB")
    with RunningServer(binary, [f"quickdraw={store}"], folder / "log", *flags) as running:
        yield running


def good() -> Request:
    request = Request(dataset="quickdraw", credits=1)
    delivery = request.open.delivery
    delivery.image.height = delivery.image.width = 28
    delivery.batch_size = 8
    return request


def spoilt(**fields: Any) -> bytes:
    """A request with these fields; `image__height` is the image's."""
    request = good()
    for path, value in fields.items():
        *outer, name = path.split("__")
        message: Any = request.open.delivery
        for part in outer:
            message = getattr(message, part)
        if isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return request.SerializeToString()


def with_credits(number: int) -> bytes:
    request = good()
    request.credits = number
    return request.SerializeToString()


def with_cursor(flip: int) -> bytes:
    request = good()
    cursor = request.open.cursor
    cursor.version, cursor.fingerprint, cursor.plan_hash = 1, "a" * 64, "b" * 32
    text = bytearray(request.SerializeToString())
    text[text.index(b"a" * 64) + flip] ^= 0x80  # no UTF-8 any more
    return bytes(text)


INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
# What is asked for, and what the refusal says of it.
STREAMS: dict[str, tuple[bytes, grpc.StatusCode, list[str]]] = {
    "batch": (spoilt(batch_size=2**31), INVALID, ["batch_size", "2147483648", "65536"]),
    "side": (spoilt(image__height=10**6), INVALID, ["image.height", "1000000", "1024"]),
    "product": (
        spoilt(image__height=2**32 - 1, image__width=2**32 - 1, batch_size=2**32 - 1),
        INVALID,
        ["batch_size", "4294967295", "65536"],
    ),
    "mean": (
        spoilt(image__dtype=plan_pb2.DTYPE_FLOAT32, image__mean=[float("nan")]),
        INVALID,
        ["image.mean", "nan"],
    ),
    "std": (
        spoilt(image__dtype=plan_pb2.DTYPE_FLOAT32, image__std=[-1.0]),
        INVALID,
        ["image.std", "-1"],
    ),
    "strokes": (spoilt(strokes__max_len=2**31), INVALID, ["max_len", "2147483648", "4096"]),
    "columns": (spoilt(columns=["word"] * 10_000), INVALID, ["columns[1]", "word"]),
    "rank": (spoilt(rank=2, world=2), INVALID, ["delivery.rank", "2"]),
    "tail": (spoilt(tail=99), INVALID, ["tail", "99"]),
    "codec": (spoilt(codec=99), INVALID, ["codec", "99"]),
    "credits": (with_credits(2**32 - 1), EXHAUSTED, ["credits", "4294967295"]),
    "cursor": (with_cursor(3), INVALID, []),
}


def refusal(server: RunningServer, method: str, request: bytes, **call: Any) -> Any:
    with grpc.insecure_channel(server.address, OWN) as channel:
        invoke: Any = channel.stream_stream(SERVICE + method)
        with pytest.raises(grpc.RpcError) as refused:
            list(invoke(iter([request]), timeout=60, **call))
    return refused.value


def costs_nothing(server: RunningServer, ask: Callable[[], object]) -> None:
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        alone = beside.rate()
        before = own_mib(server.process.pid)
        beside.keeps_half(alone, ask)
        grown = own_mib(server.process.pid) - before
    assert grown < GROWTH_MIB, f"{grown:.0f} MiB"


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_refused_with_field_and_value(server: RunningServer, name: str) -> None:
    request, code, named = STREAMS[name]
    refused = refusal(server, "StreamBatches", request)
    assert refused.code() == code, refused
    for part in named:
        assert part in refused.details(), refused


def test_more_indices_than_a_call_gives_are_refused(server: RunningServer) -> None:
    # What goes into the message that a request may be.
    for many, code, said in ((300_000, INVALID, "4096"), (10**6, EXHAUSTED, "1048576")):
        request = service_pb2.FetchDrawingsRequest(dataset="quickdraw", index=[300] * many)
        refused = refusal(server, "FetchDrawings", request.SerializeToString())
        assert refused.code() == code, refused
        assert said in refused.details()


def test_messages_and_metadata_beyond_what_grpc_takes_are_refused(server: RunningServer) -> None:
    refused = refusal(server, "StreamBatches", bytes(5 << 20))
    assert refused.code() == EXHAUSTED
    refused = refusal(
        server, "StreamBatches", good().SerializeToString(), metadata=[("x", "x" * 65536)]
    )
    assert refused.code() == EXHAUSTED


def test_all_of_them_together_cost_no_memory_and_nobody_else(server: RunningServer) -> None:
    def ask() -> None:
        for request, _, _ in STREAMS.values():
            refusal(server, "StreamBatches", request)
        refusal(server, "StreamBatches", struct.pack(">Q", 2**63) * 100_000)

    costs_nothing(server, ask)
