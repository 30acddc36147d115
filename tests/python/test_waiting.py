"""What is said while a server is waited for, and where a stream went on."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import inkstream
import pytest
from inkstream._network.retry import Retry
from support.names import NameServer
from support.processes import Server, eventually


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "inkstream")
    return caplog


def lines(said: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in said.records if record.levelno == level]


def test_a_server_that_comes_later_is_waited_for_and_named(
    binary: Path, store: Path, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    with Server(binary, store, tmp_path) as server:
        address = server.tcp
        server.kill()
        found: list[list[str]] = []
        client = inkstream.connect(address, timeout=120)
        asking = threading.Thread(target=lambda: found.append(client.datasets()))
        asking.start()
        assert eventually(lambda: bool(lines(said, logging.WARNING)), 60)
        server.start(address)
        asking.join(120)
    assert found == [["quickdraw"]]
    waits, went_on = lines(said, logging.WARNING)[:-1], lines(said, logging.WARNING)[-1]
    assert waits[0].startswith("waiting for a server, for ")
    assert f" of 120 s: {address}: " in waits[0]
    assert "onnection refused" in waits[0]
    assert went_on.startswith(f"going on at {address} after ")


def test_warnings_come_with_growing_pauses(said: pytest.LogCaptureFixture) -> None:
    now = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inkstream._network.retry.time.monotonic", lambda: now)
        connection = inkstream.connect("h:1")._connection
        retry = Retry(connection.channels, 1000.0)
        warned = []
        while now < 400:
            retry.failed("h:1", inkstream.Unavailable("h:1: no"))
            if len(lines(said, logging.WARNING)) > len(warned):
                warned.append(now)
            now += 0.5
    assert warned == [1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364]


def test_a_server_that_leaves_is_worth_information(
    binary: Path, store: Path, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir()
    with Server(binary, store, homes[0]) as one, Server(binary, store, homes[1]) as two:
        client = inkstream.connect([one.tcp, two.tcp])
        stream = client.dataset().stream("train", batch_size=10, epochs="forever")
        next(stream)
        left = stream.stats()["endpoint"]
        gone, other = (one, two) if left == one.tcp else (two, one)
        gone.kill()
        while stream.stats()["endpoint"] == left:
            next(stream)
        next(stream)
    (went_on,) = [line for line in lines(said, logging.INFO) if "going on" in line]
    assert went_on.startswith(f"going on at {other.tcp} after 0.")
    assert f": {left}: " in went_on


@pytest.fixture
def replicas(binary: Path, store: Path, tmp_path: Path) -> Iterator[list[Server]]:
    """Two, on one port of two addresses of this machine, so that one name may mean both."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for number, host in enumerate(("127.0.0.1", "127.0.0.2")):
            home = tmp_path / str(number)
            home.mkdir()
            port = servers[0].tcp.rpartition(":")[2] if servers else "0"
            listen = f"{host}:{port}"
            servers.append(stack.enter_context(Server(binary, store, home, listen=listen)))
        yield servers


def test_a_server_that_answers_no_ping_is_left_before_the_stall(
    replicas: list[Server], said: pytest.LogCaptureFixture
) -> None:
    client = inkstream.connect([server.tcp for server in replicas], stall=45)
    stream = client.dataset().stream("train", batch_size=10, epochs="forever", codec="none")
    next(stream)
    left = stream.stats()["endpoint"]
    stopped = next(server for server in replicas if server.tcp == left)
    stopped.send(signal.SIGSTOP)
    try:
        while stream.stats()["endpoint"] == left:
            next(stream)
    finally:
        stopped.send(signal.SIGCONT)
    told = [record.getMessage() for record in said.records]
    (line,) = [line for line in told if "going on at" in line]
    assert "no answer for" not in line


@pytest.mark.parametrize("reader", ["libinkstream", "grpcio"])
@pytest.mark.parametrize("form", ["list", "ipv4", "name"])
def test_one_that_hangs_is_left_out_in_every_form_of_address(
    replicas: list[Server], form: str, reader: str, monkeypatch: pytest.MonkeyPatch,
    said: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    if reader == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )
    port = replicas[0].tcp.rpartition(":")[2]
    addresses = [server.tcp for server in replicas]
    with NameServer(["127.0.0.1", "127.0.0.2"]) as names:
        target: str | list[str] = {
            "list": addresses,
            "ipv4": "ipv4:" + ",".join(addresses),
            "name": f"dns://{names.address}/replicas.test:{port}",
        }[form]
        # Far more patience than two stalls take, and far less than connections that hang.
        client = inkstream.connect(target, stall=1.5, retry_for=15, timeout=15)
        data = client.dataset()
        whole = data.stream("train", batch_size=50, epochs=4)
        wanted = [batch.index.tolist() for batch in whole]
        for stopped in replicas:
            stream = data.stream("train", batch_size=50, epochs=4, image=inkstream.Image(128))
            found = [next(stream).index.tolist()]
            stopped.send(signal.SIGSTOP)
            try:
                found += [batch.index.tolist() for batch in stream]
                # Neither a question nor a fetch is kept by it.
                assert data.count("train") == data.splits["train"]
                assert data.fetch(index=[3]).index.tolist() == [3]
            finally:
                stopped.send(signal.SIGCONT)
            assert found == wanted
    for line in lines(said, logging.WARNING):
        assert "going on at" in line or "waiting for a server" in line
