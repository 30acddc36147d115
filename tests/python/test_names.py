"""One name that stands for several servers."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Image
from support.names import NameServer
from support.processes import Server, eventually


def free_port(hosts: list[str]) -> int:
    """One that is free at each of the hosts."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server((hosts[0], 0)))
            port: int = first.getsockname()[1]
            try:
                for host in hosts[1:]:
                    stack.enter_context(socket.create_server((host, port)))
            except OSError:
                continue
            return port


HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


@pytest.fixture(params=["libinkstream", "grpcio"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )
    name: str = request.param
    return name


@pytest.fixture
def replicas(binary: Path, store: Path, tmp_path: Path) -> Iterator[list[Server]]:
    port = free_port(HOSTS)
    with ExitStack() as stack:
        servers = []
        for host in HOSTS:
            home = tmp_path / host
            home.mkdir()
            listen = f"{host}:{port}"
            servers.append(stack.enter_context(Server(binary, store, home, listen=listen)))
        yield servers


@pytest.fixture
def name(replicas: list[Server]) -> Iterator[str]:
    """dns://RESOLVER/NAME:PORT, with the addresses of all of them."""
    with NameServer(HOSTS) as resolver:
        yield f"dns://{resolver.address}/drawings.test:{replicas[0].tcp.rpartition(':')[2]}"


def streams_on(server: Server) -> int:
    with inkstream.connect(server.tcp) as client:
        return len(client.status().get("streams", []))


def bytes_of(batch: inkstream.Batch) -> tuple[bytes, bytes, int]:
    return batch.image.tobytes(), batch.index.tobytes(), batch.cursor["position"]


def stream_of(target: str | list[str], seed: int = 0) -> inkstream.Stream:
    client = inkstream.connect(target, stall=1.0, retry_for=60, timeout=12)
    words: dict[str, Any] = {"batch_size": 20, "image": Image(64), "epochs": 3, "codec": "none"}
    return client.dataset().stream("train", seed=seed, **words)


def test_streams_of_one_name_spread_over_its_servers(
    replicas: list[Server], name: str, reader: str
) -> None:
    data = inkstream.connect(name).dataset()
    streams = [
        data.stream("train", batch_size=10, epochs="forever", rank=rank, world=6)
        for rank in range(6)
    ]
    for stream in streams:
        next(stream)
    assert eventually(lambda: sum(streams_on(server) for server in replicas) == 6)
    # Connections come up one after the other, so the first streams may share one.
    assert sum(streams_on(server) > 0 for server in replicas) >= 2
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_server_behind_a_name_that_goes_costs_a_pause(
    replicas: list[Server], name: str, reader: str, number: int
) -> None:
    wanted = [bytes_of(batch) for batch in stream_of(replicas[0].tcp)]
    asking = inkstream.connect(name, timeout=3)
    for _ in range(6):  # until it is connected to all of them
        asking.datasets()
    stream = stream_of(name)
    found = [bytes_of(next(stream)) for _ in range(3)]
    used = next(server for server in replicas if streams_on(server))
    used.send(number)
    found += [bytes_of(batch) for batch in stream]
    assert found == wanted
    assert stream.stats()["reopened"] >= 1
    # Nor do questions wait for the one that is gone or hangs: of a client that is connected to
    # it, each in its turn, or of a new one.
    for client in (*[asking] * 4, inkstream.connect(name, timeout=3)):
        assert client.datasets() == ["quickdraw"]


def test_addresses_that_answer_nobody_are_passed_over(replicas: list[Server], name: str) -> None:
    for server in replicas[:2]:
        server.kill()
    wanted = [bytes_of(batch) for batch in stream_of(replicas[2].tcp)]
    assert [bytes_of(batch) for batch in stream_of(name)] == wanted
