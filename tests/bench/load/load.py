"""Many streams and connections on one server, and a well-behaved stream beside them.

Prints a table: the rate of the stream beside, as a share of its rate alone, while a load comes,
while it is there and after it has gone, and the server's memory before, during and after. The
loads are made on the same machine, so they take CPU time from both sides too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from inkstream.v1 import plan_pb2, service_pb2

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from beside import WINDOW_SECONDS, Beside, own_mib  # noqa: E402
from serving import operators_environment  # noqa: E402

BINARY = Path(os.environ.get("INKSTREAM_BINARY", ROOT / "build" / "inkstream"))
METHOD = "/inkstream.v1.DrawingService/StreamBatches"
A_CHANNEL = 100  # streams; what servers allow on a connection
AT_ONCE = 64  # connections that are being made


class Served:
    """`inkstream serve` of one store on a free port, while in `with`."""

    def __init__(self, store: Path, *flags: str) -> None:
        command = [str(BINARY), "serve", "--store", f"quickdraw={store}"]
        command += ["--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=operators_environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("inkstream ready"):
            raise SystemExit("no server: see what it says when it is started by hand")
        self.address = dict(word.split("=", 1) for word in line.split()[2:])["grpc"]

    def memory(self) -> float:
        """MiB of its own that are resident now."""
        return own_mib(self.process.pid)

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


@dataclass
class Row:
    """Rates are shares of the rate alone; memory is in MiB."""

    load: str
    rates: tuple[float, float, float]  # while it comes, while it is there, after
    memory: tuple[float, float, float]  # before, during, after
    note: str

    def text(self) -> str:
        rates = " | ".join(f"{one:.2f}" for one in self.rates)
        memory = " → ".join(f"{one:.0f}" for one in self.memory)
        return f"| {self.load} | {rates} | {memory} | {self.note} |"


def opening(*, forever: bool) -> bytes:
    delivery = plan_pb2.Delivery(batch_size=4, forever=forever)
    delivery.image.height = 8
    if not forever:
        delivery.max_batches = 1
    request = service_pb2.StreamBatchesRequest(credits=1)
    request.open.delivery.CopyFrom(delivery)
    return request.SerializeToString()


def own_channel(address: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])


async def open_stream(channel: grpc.aio.Channel) -> grpc.aio.StreamStreamCall:
    """With its first batch, and no credit for another one."""
    call = channel.stream_stream(METHOD)()
    await call.write(opening(forever=True))
    await call.read()
    await call.read()
    return call


# Makes a load that lasts until the stack is closed, and says what has come of it.
Load = Callable[[Served, contextlib.AsyncExitStack], Awaitable[str]]


def streams(count: int) -> Load:
    async def load(server: Served, opened: contextlib.AsyncExitStack) -> str:
        before = server.memory()
        for _ in range(0, count, A_CHANNEL):
            channel = await opened.enter_async_context(own_channel(server.address))
            calls = await asyncio.gather(*(open_stream(channel) for _ in range(A_CHANNEL)))
            for call in calls:
                opened.callback(call.cancel)
        return f"{(server.memory() - before) * 1024 / count:.0f} KiB a stream"

    return load


class IdleConnection(asyncio.Protocol):
    """Speaks HTTP/2 as far as a client without a call has to: settings and pings."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0))

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 9:
            length = int.from_bytes(self._received[:3], "big")
            kind, flags = self._received[3], self._received[4]
            payload, rest = self._received[9 : 9 + length], self._received[9 + length :]
            if len(payload) < length:
                return
            self._received = rest
            if kind == 4 and not flags & 1:
                self._transport.write(_frame(4, 1))
            elif kind == 6 and not flags & 1:
                self._transport.write(_frame(6, 1, payload))


def _frame(kind: int, flags: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, 0) + payload


def idle_connections(count: int) -> Load:
    async def load(server: Served, opened: contextlib.AsyncExitStack) -> str:
        before, memory = server.files(), server.memory()
        host, port = server.address.rsplit(":", 1)
        loop = asyncio.get_running_loop()
        room = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with room:
                with contextlib.suppress(OSError):
                    transport, _ = await loop.create_connection(IdleConnection, host, int(port))
                    opened.callback(transport.close)

        await asyncio.gather(*(one() for _ in range(count)))
        await _steady(server.files)
        stay = server.files() - before
        each = (server.memory() - memory) * 1024 / max(stay, 1)
        return f"{stay} of {count} stay, {each:.0f} KiB each"

    return load


async def _steady(count: Callable[[], int]) -> None:
    """Until it has been the same for a second; half a minute at most."""
    seen, since = count(), time.monotonic()
    until = since + 30
    while time.monotonic() < min(since + 1, until):
        await asyncio.sleep(0.05)
        if count() != seen:
            seen, since = count(), time.monotonic()


def opened_and_closed(count: int) -> Load:
    async def load(server: Served, opened: contextlib.AsyncExitStack) -> str:
        channel = await opened.enter_async_context(own_channel(server.address))
        left = count
        failed = 0

        async def some() -> None:
            nonlocal left, failed
            while left > 0:
                left -= 1
                try:
                    call = channel.stream_stream(METHOD)()
                    await call.write(opening(forever=False))
                    while await call.read() is not grpc.aio.EOF:
                        pass
                except grpc.aio.AioRpcError:
                    failed += 1

        await asyncio.gather(*(some() for _ in range(16)))
        return f"{failed} of {count} failed"

    return load


async def measure(name: str, server: Served, load: Load) -> Row:
    """With a stream beside from before the load to after it."""
    with Beside(server.address, server.process.pid, memory_mib=float("inf")) as beside:
        alone = await asyncio.to_thread(beside.rate)
        before, files = server.memory(), server.files()
        async with contextlib.AsyncExitStack() as opened:
            first, since = beside.batches, time.monotonic()
            note = await load(server, opened)
            while_coming = (beside.batches - first) / (time.monotonic() - since) * WINDOW_SECONDS
            during = await asyncio.to_thread(beside.rate)
            loaded = server.memory()
        await _steady(server.files)
        after = await asyncio.to_thread(beside.rate)
        left = server.files() - files
        if left > 0:
            note += f", {left} descriptors are left"
        rates = (while_coming / alone, during / alone, after / alone)
        return Row(name, rates, (before, loaded, server.memory()), note)


async def run(store: Path, many: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(many, hard // 2 - 100)
    raised = ["--max-connections", str(hard // 2), "--max-connections-per-peer", str(hard // 2)]
    print("| load | beside, as it comes | while there | after | MiB before → during → after | |")
    print("|---|---|---|---|---|---|")
    for name, load, flags in (
        ("1,000 streams without credits", streams(1000), ["--max-streams", "1200"]),
        (f"{most:,} idle connections, limits raised", idle_connections(most), raised),
        (f"{most:,} idle connections, default limits", idle_connections(most), []),
        ("20,000 streams opened and closed", opened_and_closed(20_000), []),
    ):
        with Served(store, *flags) as server:
            print((await measure(name, server, load)).text(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, help="directory made by `inkstream ingest`")
    parser.add_argument("--connections", type=int, default=10_000, help="idle ones")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.store, arguments.connections))


if __name__ == "__main__":
    main()
