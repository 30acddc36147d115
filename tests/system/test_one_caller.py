"""Whatever one host opens and asks for, somebody else is served: here, over the Unix socket."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import inkstream
import pytest
from beside import Beside
from inkstream.v1 import dataset_pb2, plan_pb2, service_pb2
from raw_calls import RawCalls
from serving import RunningServer

MEMORY_MIB = 512
STREAMS = 80
OWN = [("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture
def server(binary: Path, store: Path, tmp_path: Path) -> Iterator[RunningServer]:
    flags = (f"--memory={MEMORY_MIB}MiB", f"--max-streams={STREAMS}", f"--unix={tmp_path}/socket")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as running:
        yield running


@pytest.fixture
def newcomer(server: RunningServer, tmp_path: Path) -> Iterator[inkstream.Client]:
    """A client of another caller."""
    with inkstream.connect(f"unix:{tmp_path}/socket", timeout=60, retry_for=60) as client:
        yield client


@pytest.fixture
def beside(newcomer: inkstream.Client, server: RunningServer, tmp_path: Path) -> Iterator[Beside]:
    with Beside(f"unix:{tmp_path}/socket", server.process.pid, MEMORY_MIB) as beside:
        yield beside


def test_streams_that_it_opens_and_leaves(
    server: RunningServer, beside: Beside, newcomer: inkstream.Client
) -> None:
    request = service_pb2.StreamBatchesRequest(dataset="quickdraw")  # without credits
    request.open.delivery.image.height = 8
    request.open.delivery.batch_size = 4
    alone = beside.rate()
    with grpc.insecure_channel(server.address, OWN) as channel:
        method: Any = channel.stream_stream("/inkstream.v1.DrawingService/StreamBatches")
        over = threading.Event()

        def opening() -> Iterator[bytes]:
            yield request.SerializeToString()
            over.wait()

        calls = [method(opening()) for _ in range(STREAMS)]
        opened = 0
        refusals = set()
        for call in calls:
            try:
                next(call)
                opened += 1
            except grpc.RpcError as error:
                refusals.add(error.details() or "")
        assert opened == STREAMS * 7 // 8
        (refusal,) = refusals
        assert f"has {opened} streams open, as many as one caller may" in refusal
        next(newcomer.dataset().stream("train", batch_size=10, image=inkstream.Image(8)))
        beside.keeps_half(alone)
        over.set()


def scan(number: int) -> dataset_pb2.DescribeDatasetRequest:
    """A view of its own for each number, found by a scan for thousands of keys."""
    view = plan_pb2.View()
    term = view.where.add(column="key_id", op=plan_pb2.Where.OP_IN)
    term.values.extend(str(5 * 10**15 + number * 5000 + i) for i in range(5000))
    return dataset_pb2.DescribeDatasetRequest(dataset="quickdraw", view=view)


def test_scans_that_it_asks_for(
    server: RunningServer, beside: Beside, newcomer: inkstream.Client
) -> None:
    requests = [scan(number) for number in range(600)]
    with contextlib.ExitStack() as stack:
        channels = [
            stack.enter_context(grpc.insecure_channel(server.address, OWN)) for _ in range(4)
        ]
        calls = [
            RawCalls(channels[number % 4]).DescribeDataset.future(request, timeout=500)
            for number, request in enumerate(requests)
        ]
        while not calls[0].done():
            beside.goes_on(1)
        # In its turn, and not behind them all.
        newcomer.dataset().count("train")
        assert not all(call.done() for call in calls)
        for call in calls:
            call.cancel()
