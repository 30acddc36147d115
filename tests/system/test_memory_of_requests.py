"""Whatever requests a client makes, the server stays within --memory.

The resident memory of the server, less what it is at rest, while and after each kind of request
is made by the hundred, and a stream beside, which goes on all the while: its rate says nothing
where requests cost the server's processor time. `FLOOD=20` makes twenty times as many.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import inkstream
import pytest
from beside import Beside
from google.protobuf.message import Message
from inkstream.v1 import dataset_pb2, plan_pb2, service_pb2
from raw_calls import SERVICE, RawCalls
from serving import RunningServer
from unreading_client import UnreadingClient

FLOOD = float(os.environ.get("FLOOD", "1"))
MEMORY_MIB = 256
# What it may come to beside the budgets of batches (64 MiB, not touched here) and views (13 MiB):
# threads, gRPC's buffers of calls in flight, and what malloc keeps.
MORE_MIB = 96


@pytest.fixture
def server(binary: Path, store: Path, tmp_path: Path) -> Iterator[RunningServer]:
    flags = ("--memory", f"{MEMORY_MIB}MiB", "--stall", "2s", "--unix", f"{tmp_path}/socket")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as running:
        yield running


@pytest.fixture(autouse=True)
def beside(server: RunningServer) -> Iterator[Beside]:
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        yield beside
        if server.process.poll() is None:
            beside.goes_on()


def resident_mib(server: RunningServer) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


class Watch:
    """The most resident memory from `with` to its end, in MiB beyond that at its begin."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._before = resident_mib(server)
        self.most = 0.0

    def _sample(self) -> None:
        while True:
            self.most = max(self.most, resident_mib(self._server) - self._before)
            if self._over.wait(0.02):
                return

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def details_of(error: Any) -> bytes:
    details: bytes = dict(error.trailing_metadata())["grpc-status-details-bin"]
    return details


def channel(server: RunningServer) -> grpc.Channel:
    return grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)])


def list_of_keys(first: int, keys: int = 50_000) -> plan_pb2.View:
    """A view whose text is about a megabyte, another one for every `first`."""
    view = plan_pb2.View()
    term = view.where.add(column="key_id", op=plan_pb2.Where.OP_IN)
    term.values.extend(str(5 * 10**15 + first * keys + i) for i in range(keys))
    return view


def test_views_that_list_keys(server: RunningServer, beside: Beside) -> None:
    with channel(server) as one, Watch(server) as watch:
        stub = RawCalls(one)
        for number in range(int(60 * FLOOD)):
            stub.DescribeDataset(
                dataset_pb2.DescribeDatasetRequest(view=list_of_keys(number)), timeout=60
            )
            beside.goes_on(1)
    assert watch.most < MORE_MIB, f"{watch.most:.0f} MiB"


def long_request(method: str) -> bytes:
    """A request of about a megabyte that no server can answer well, but for an upload."""
    word = "not here" * 120_000
    request: Message
    if method == "DescribeDataset":
        request = dataset_pb2.DescribeDatasetRequest(dataset="not here", view=list_of_keys(0))
    elif method == "FetchDrawings":
        request = service_pb2.FetchDrawingsRequest(dataset=word, index=[1])
    elif method == "StreamBatches":
        request = service_pb2.StreamBatchesRequest(dataset=word, credits=1)
        request.open.delivery.batch_size = 1
    elif method == "UploadKeys":
        request = service_pb2.UploadKeysRequest(key_id=range(10**15, 10**15 + 110_000))
    else:
        request = dataset_pb2.GetStatusRequest(dataset=word)
    return request.SerializeToString()


def code_of(call: Any) -> grpc.StatusCode:
    with contextlib.suppress(grpc.RpcError):
        list(call)
    code: grpc.StatusCode = call.code()
    return code


@pytest.mark.parametrize(
    "method", ["DescribeDataset", "GetStatus", "FetchDrawings", "StreamBatches", "UploadKeys"]
)
def test_requests_that_wait(server: RunningServer, beside: Beside, method: str) -> None:
    """More than there is room for wait with their clients, or are told to come again."""
    before = resident_mib(server)
    request = long_request(method)
    channels = [channel(server) for _ in range(8)]
    with Watch(server) as watch:
        methods: list[Any] = [one.stream_stream(SERVICE + method) for one in channels]
        calls = [methods[i % 8](iter([request]), timeout=300) for i in range(int(600 * FLOOD))]
        beside.goes_on(20)
        codes = {code_of(call) for call in calls}
    for one in channels:
        one.close()
    assert codes <= {
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.OK,  # of uploads, those for which there was room
    }
    # All of it but what is for batches and views.
    assert watch.most < MEMORY_MIB - 64 - 13, f"{watch.most:.0f} MiB"
    eventually(lambda: resident_mib(server) - before < MORE_MIB / 2)


def test_requests_that_drip_hold_up_nobody(server: RunningServer) -> None:
    """Far more than may be read at once begin, and send no more than that."""
    half = struct.pack(">BI", 0, 1 << 20) + bytes(1000)
    with contextlib.ExitStack() as opened:
        for _ in range(3):
            client = opened.enter_context(UnreadingClient(server.address))
            for _ in range(80):
                client.begin("DescribeDataset", half)
        with channel(server) as one:
            stub = RawCalls(one)
            for _ in range(5):
                stub.DescribeDataset(dataset_pb2.DescribeDatasetRequest(), timeout=300)


def test_uploads_that_are_held_open(server: RunningServer, beside: Beside) -> None:
    """Far more keys than there is room for, in uploads that do not end."""
    over = threading.Event()
    messages = [
        service_pb2.UploadKeysRequest(key_id=range(10**15 + i, 10**15 + i + 50_000))
        for i in range(3)
    ]

    def keys() -> Iterator[service_pb2.UploadKeysRequest]:
        yield from messages
        over.wait()

    with channel(server) as one, Watch(server) as watch:
        stub = RawCalls(one)
        calls: list[Any] = [stub.UploadKeys.future(keys()) for _ in range(int(40 * FLOOD))]
        beside.goes_on()
        ends: list[Any] = [call.exception(timeout=60) for call in calls]
        over.set()
    assert watch.most < MORE_MIB, f"{watch.most:.0f} MiB"
    codes = {end.code() for end in ends}
    assert codes == {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    idle = [end for end in ends if end.code() == grpc.StatusCode.UNAVAILABLE]
    assert all(b"IDLE" in details_of(end) for end in idle)


def test_an_upload_that_is_held_open_does_not_hold_the_end(server: RunningServer) -> None:
    keys = service_pb2.UploadKeysRequest(key_id=[1, 2, 3])
    with UnreadingClient(server.address) as client:
        client.call("UploadKeys", keys, close=False)
        with channel(server) as one:
            RawCalls(one).GetStatus(dataset_pb2.GetStatusRequest())
        server.process.send_signal(signal.SIGTERM)
        # By default it waits 20 s for what it lets finish.
        assert server.process.wait(15) == 0


def test_answers_that_are_not_read(server: RunningServer, beside: Beside) -> None:
    request = dataset_pb2.DescribeDatasetRequest(dataset="quickdraw")
    with contextlib.ExitStack() as stack, Watch(server) as watch:
        clients = [stack.enter_context(UnreadingClient(server.address)) for _ in range(6)]
        calls = [
            (client, client.call("DescribeDataset", request))
            for client in clients
            for _ in range(100)
        ]
        beside.goes_on()
        ends = {client.await_end(call, 60) for client, call in calls}
    assert all(b"SLOW_READER" in end for end in ends), ends
    assert watch.most < MORE_MIB, f"{watch.most:.0f} MiB"


def test_long_answers_that_are_not_read(server: RunningServer, beside: Beside) -> None:
    """A short request may have a long answer; here 200 KB, by the step."""
    request = service_pb2.ExplainPlanRequest(dataset="quickdraw", steps=1500)
    delivery = request.open.delivery
    delivery.image.height = delivery.image.width = 8
    delivery.batch_size = 1
    with contextlib.ExitStack() as stack, Watch(server) as watch:
        clients = [stack.enter_context(UnreadingClient(server.address)) for _ in range(6)]
        calls = [
            (client, client.call("ExplainPlan", request))
            for client in clients
            for _ in range(int(100 * FLOOD))
        ]
        ends = {client.await_end(call, 300) for client, call in calls}
        beside.goes_on()
    assert all(b"SLOW_READER" in end or b"answers of" in end for end in ends), ends
    assert watch.most < MORE_MIB / 2, f"{watch.most:.0f} MiB"


def threads_of(server: RunningServer) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def test_calls_that_hold_a_thread_each(server: RunningServer, beside: Beside) -> None:
    """As reflection has one, while its client asks for nothing."""
    before = threads_of(server)
    service = "grpc.reflection.v1alpha.ServerReflection"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(UnreadingClient(server.address)) for _ in range(4)]
        calls = [
            (client, client.begin("ServerReflectionInfo", service=service))
            for client in clients
            for _ in range(100)
        ]
        beside.goes_on()
        most = threads_of(server)
        ends = [client.await_end(call, 60) for client, call in calls]
    assert most < before + 100, f"{before} threads, and then {most}"
    assert any(b"SLOW_READER" in end for end in ends), ends


def test_calls_that_ask_for_nothing(server: RunningServer, beside: Beside, tmp_path: Path) -> None:
    """More than there may be; whoever comes from elsewhere is served."""
    watch_nothing = dataset_pb2.GetStatusRequest()  # empty, as a HealthCheckRequest may be
    with contextlib.ExitStack() as stack, Watch(server) as watch:
        clients = [stack.enter_context(UnreadingClient(server.address)) for _ in range(20)]
        calls = [
            (client, client.call("Watch", watch_nothing, service="grpc.health.v1.Health"))
            for client in clients
            for _ in range(100)
        ]
        beside.goes_on()
        eventually(lambda: any(client.ended(call) for client, call in calls))
        ends = {client.await_end(call, 0) for client, call in calls if client.ended(call)}
        assert all(b"OVERLOADED" in end for end in ends), ends
        with inkstream.connect(f"unix:{tmp_path}/socket", timeout=60) as newcomer:
            next(newcomer.dataset().stream("train", batch_size=10, image=inkstream.Image(8)))
    assert watch.most < MORE_MIB, f"{watch.most:.0f} MiB"


def test_a_packed_request_is_not_unpacked(server: RunningServer, beside: Beside) -> None:
    with channel(server) as one, Watch(server) as watch:
        call: Any = one.unary_unary("/inkstream.v1.DrawingService/DescribeDataset")
        for _ in range(int(3 * FLOOD)):
            with pytest.raises(grpc.RpcError) as error:
                call(bytes(150 << 20), compression=grpc.Compression.Gzip, timeout=60)
            assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
            beside.goes_on(1)
    assert watch.most < MORE_MIB, f"{watch.most:.0f} MiB"
    assert "gzip" in str(error.value)


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, number)
    return head + payload


@pytest.mark.parametrize(
    "frames",
    [frame(8, 0, 0, struct.pack(">I", 1)) * 5000, frame(6, 0, 0, bytes(8)) * 500],
    ids=["window updates", "pings"],
)
def test_floods_of_frames_are_given_back(
    server: RunningServer, beside: Beside, frames: bytes
) -> None:
    host, port = server.address.rsplit(":", 1)
    before = resident_mib(server)
    with socket.create_connection((host, int(port))) as peer:
        peer.settimeout(10)
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        until = time.monotonic() + 2 * FLOOD
        try:
            while time.monotonic() < until:
                peer.sendall(frames)
                beside.goes_on(1)
        except OSError:
            pass  # it may well end such a connection
    eventually(lambda: resident_mib(server) - before < MORE_MIB / 2)


def test_streams_reset_at_once_are_given_back(server: RunningServer, beside: Beside) -> None:
    before = resident_mib(server)
    request = service_pb2.StreamBatchesRequest(dataset="quickdraw", credits=8)
    request.open.delivery.image.height = 28
    request.open.delivery.batch_size = 64
    with UnreadingClient(server.address) as client:
        for number in range(int(2000 * FLOOD)):
            if number % 100 == 0:
                beside.goes_on(1)
            client.reset(client.call("StreamBatches", request, close=False))
    eventually(lambda: resident_mib(server) - before < MORE_MIB / 2)


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)
