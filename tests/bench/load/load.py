"""Many streams and connections on one server, and a well-behaved stream beside them.

Prints a table: the rate of the stream beside, as a share of its rate alone, during and after
each load, and the server's memory before, during and after. The loads are made on the same
machine, so they take CPU time from both sides too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from inkstream.v1 import plan_pb2, service_pb2

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("INKSTREAM_BINARY", ROOT / "build" / "inkstream"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and settings
METHOD = "/inkstream.v1.DrawingService/StreamBatches"
A_CHANNEL = 100  # streams; what servers allow on a connection


class Served:
    """`inkstream serve` of one store on a free port, while in `with`."""

    def __init__(self, store: Path, *flags: str) -> None:
        command = [str(BINARY), "serve", "--store", str(store), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("inkstream ready"):
            raise SystemExit("no server: see what it says when it is started by hand")
        self.address = dict(word.split("=", 1) for word in line.split()[2:])["grpc"]

    def memory(self) -> float:
        """MiB that are resident now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def beside(self, seconds: float) -> float:
        """Drawings a second of one stream in a process of its own."""
        command = [str(BINARY), "bench", "--target", self.address, "--image", "28x28"]
        bench = await asyncio.create_subprocess_exec(
            *command, "--seconds", str(seconds), "--json", stdout=subprocess.PIPE
        )
        answer, _ = await bench.communicate()
        if bench.returncode != 0:
            return 0
        return float(json.loads(answer)["drawings_per_second"])

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


@dataclass
class Row:
    """Rates are shares of the rate alone; memory is in MiB."""

    load: str
    during: float
    after: float
    memory: tuple[float, float, float]  # before, during, after
    note: str

    def text(self) -> str:
        memory = " → ".join(f"{one:.0f}" for one in self.memory)
        return f"| {self.load} | {self.during:.2f} | {self.after:.2f} | {memory} | {self.note} |"


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


Load = Callable[[Served, contextlib.AsyncExitStack], Awaitable[str]]


def streams(count: int) -> Load:
    async def load(server: Served, opened: contextlib.AsyncExitStack) -> str:
        for _ in range(0, count, A_CHANNEL):
            channel = await opened.enter_async_context(own_channel(server.address))
            calls = await asyncio.gather(*(open_stream(channel) for _ in range(A_CHANNEL)))
            for call in calls:
                opened.callback(call.cancel)
        return f"{count} open"

    return load


def idle_connections(count: int) -> Load:
    async def load(server: Served, opened: contextlib.AsyncExitStack) -> str:
        before = server.files()
        host, port = server.address.rsplit(":", 1)
        for i in range(count):
            with contextlib.suppress(OSError):
                one = opened.enter_context(socket.create_connection((host, int(port)), 10))
                one.sendall(PREFACE)
            if i % 100 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(2)
        return f"{server.files() - before} of {count} stay"

    return load


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


async def measure(name: str, server: Served, load: Load, seconds: float) -> Row:
    """With the stream beside for `seconds` at a time."""
    alone = await server.beside(seconds)
    before = server.memory()
    async with contextlib.AsyncExitStack() as opened:
        beside = asyncio.create_task(server.beside(seconds)) if "closed" in name else None
        note = await load(server, opened)
        during = await (beside or server.beside(seconds))
        loaded = server.memory()
    await asyncio.sleep(3)
    after = await server.beside(seconds)
    return Row(name, during / alone, after / alone, (before, loaded, server.memory()), note)


async def run(store: Path, seconds: float, many: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(many, hard // 2 - 100)
    raised = ["--max-connections", str(hard // 2), "--max-connections-per-peer", str(hard // 2)]
    print("| load | beside, during | after | MiB before → during → after | |")
    print("|---|---|---|---|---|")
    for name, load, flags in (
        ("1,000 streams without credits", streams(1000), ["--max-streams", "1200"]),
        (f"{most:,} idle connections, limits raised", idle_connections(most), raised),
        (f"{most:,} idle connections, default limits", idle_connections(most), []),
        ("20,000 streams opened and closed", opened_and_closed(20_000), []),
    ):
        with Served(store, *flags) as server:
            print((await measure(name, server, load, seconds)).text(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, help="directory made by `inkstream ingest`")
    parser.add_argument("--seconds", type=float, default=5, help="each rate is measured for")
    parser.add_argument("--connections", type=int, default=10_000, help="idle ones")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.store, arguments.seconds, arguments.connections))


if __name__ == "__main__":
    main()
