"""Clients that do not read, and many that read in turn: nobody takes the memory from the others.

A well-behaved stream beside keeps at least half of the rate that it has alone, and the server
its --memory.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import inkstream
import pytest
from beside import Beside
from inkstream.v1 import dataset_pb2, plan_pb2, service_pb2
from raw_calls import RawCalls
from serving import RunningServer
from unreading_client import UnreadingClient

STALL = 4
MEMORY_MIB = 512


@pytest.fixture
def serve(binary: Path, store: Path, tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    running: list[RunningServer] = []

    def start(*flags: str) -> RunningServer:
        log = tmp_path / f"server{len(running)}.log"
        running.append(RunningServer(binary, [f"quickdraw={store}"], log, *flags))
        return running[-1]

    yield start
    for server in running:
        with server:
            pass


def streams_of(address: str) -> list[dataset_pb2.StreamStatus]:
    with grpc.insecure_channel(address) as channel:
        return list(RawCalls(channel).GetStatus(dataset_pb2.GetStatusRequest()).streams)


def fetch_request(drawings: int) -> service_pb2.FetchDrawingsRequest:
    """Float pixels of 256x256: a quarter of a MiB each."""
    request = service_pb2.FetchDrawingsRequest(dataset="quickdraw", index=range(drawings))
    image = request.delivery.image
    image.height = image.width = 256
    image.dtype = plan_pb2.DTYPE_FLOAT32
    return request


def stream_request(drawings: int) -> service_pb2.StreamBatchesRequest:
    request = service_pb2.StreamBatchesRequest(dataset="quickdraw", credits=8)
    delivery = request.open.delivery
    delivery.image.height = delivery.image.width = 256
    delivery.batch_size = drawings
    return request


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve("--memory", f"{MEMORY_MIB}MiB", "--stall", f"{STALL}s")


@pytest.fixture
def beside(server: RunningServer) -> Iterator[Beside]:
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        yield beside


def test_fetches_that_are_not_read(server: RunningServer, beside: Beside) -> None:
    alone = beside.rate()
    with UnreadingClient(server.address) as client:
        fetches = [client.call("FetchDrawings", fetch_request(256)) for _ in range(2)]
        beside.keeps_half(alone)
        # Another one is answered beside them.
        drawn = inkstream.connect(server.address).dataset("quickdraw").split("train")[:1]
        assert len(drawn["label"]) == 1
        # And they end: one as nobody reads it, the other one likewise, or for want of memory.
        ends = [client.await_end(fetch, 20 * STALL) for fetch in fetches]
        assert any(b"SLOW_READER" in end for end in ends), ends
        assert all(b"SLOW_READER" in end or b"room for one batch" in end for end in ends), ends


def test_streams_that_are_not_read(server: RunningServer, beside: Beside) -> None:
    alone = beside.rate()
    with UnreadingClient(server.address) as client:
        calls = [client.call("StreamBatches", stream_request(64), close=False) for _ in range(20)]
        ends: list[bytes] = []

        def open_again() -> None:
            for i, call in enumerate(calls):
                if client.ended(call):
                    ends.append(client.await_end(call, 0))
                    calls[i] = client.call("StreamBatches", stream_request(64), close=False)

        beside.keeps_half(alone, open_again)
        deadline = time.monotonic() + 40 * STALL
        while len(ends) < len(calls):
            assert time.monotonic() < deadline, f"{len(ends)} have ended"
            beside.goes_on()
            open_again()
        beside.keeps_half(alone, open_again)
        assert all(b"SLOW_READER" in end for end in ends)


def test_who_reads_slowly_is_no_slow_reader(server: RunningServer) -> None:
    """A batch takes far longer than the stall, and some of it is taken all the while."""
    with UnreadingClient(server.address) as client:
        client.widen(0, 1 << 30)
        call = client.call("StreamBatches", stream_request(64), close=False)
        fetch = client.call("FetchDrawings", fetch_request(16))
        for _ in range(10 * STALL):
            time.sleep(0.25)
            for number in (call, fetch):
                assert not client.ended(number)
                client.widen(number, 100_000)


def test_a_client_that_is_stopped(serve: Callable[..., RunningServer], binary: Path) -> None:
    server = serve("--memory", f"{MEMORY_MIB}MiB")
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        alone = beside.rate()
        command = [str(binary), "bench", "--target", server.address, "--streams", "32"]
        command += ["--image", "128x128", "--seconds", "600", "--codec", "none"]
        bench = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while sum(stream.batches > 0 for stream in streams_of(server.address)) < 33:
                assert bench.poll() is None
                time.sleep(0.1)
            bench.send_signal(signal.SIGSTOP)
            beside.keeps_half(alone)
            unread = sum(stream.unread_bytes > 0 for stream in streams_of(server.address))
            assert unread > 1, "GetStatus does not show what is not read"
        finally:
            bench.send_signal(signal.SIGCONT)
            bench.terminate()
            assert bench.wait(30) == 128 + signal.SIGTERM


def test_one_process_that_steps_through_its_streams(
    serve: Callable[..., RunningServer],
) -> None:
    server = serve("--memory", "270MiB")
    dataset = inkstream.connect(server.address).dataset("quickdraw")
    streams = [
        iter(
            dataset.stream(
                "train",
                batch_size=256,
                image=inkstream.Image(256, 256),
                epochs=10**6,
                seed=seed,
                codec="none",
            )
        )
        for seed in range(3)
    ]
    # As it was, two steps came, and then none for the whole stall, which is a minute.
    for _ in range(40):
        for stream in streams:
            assert len(next(stream)["label"]) == 256
