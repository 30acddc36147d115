"""The proxy that stands in for a thin link is one."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from link_choice import link_by
from shaping_proxy import ProxiedLink, ShapingProxy, bits_per_second

BYTES = bytes(range(256)) * 8192  # 2 MiB
RATE = "80mbit"  # 10 MB/s
BURST = 256 << 10


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of any number of connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                with near:
                    answer(near)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def dial(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def rest(of: socket.socket) -> bytes:
    pieces = []
    while piece := of.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def test_bytes_come_whole_and_no_faster_than_the_rate() -> None:
    with answering(lambda near: near.sendall(BYTES)) as server, ShapingProxy(server, RATE) as proxy:
        began = time.monotonic()
        with dial(proxy.address) as client:
            got = rest(client)
        took = time.monotonic() - began
    assert got == BYTES
    assert took >= (len(BYTES) - 2 * BURST) / (bits_per_second(RATE) / 8)


def test_connections_share_the_link() -> None:
    with answering(lambda near: near.sendall(BYTES)) as server, ShapingProxy(server, RATE) as proxy:
        began = time.monotonic()
        with dial(proxy.address) as one, dial(proxy.address) as other:
            threads = [threading.Thread(target=rest, args=(end,)) for end in (one, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        took = time.monotonic() - began
    assert took >= (2 * len(BYTES) - 2 * BURST) / (bits_per_second(RATE) / 8)


def test_an_answer_comes_after_the_client_has_said_all() -> None:
    def digest(near: socket.socket) -> None:
        near.sendall(hashlib.sha256(rest(near)).digest())

    with (
        answering(digest) as server,
        ShapingProxy(server, RATE) as proxy,
        dial(proxy.address) as client,
    ):
        client.sendall(BYTES)
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == hashlib.sha256(BYTES).digest()


def test_a_server_that_comes_back_is_found_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = f"127.0.0.1:{taken.getsockname()[1]}"
    with ShapingProxy(gone, RATE) as proxy:
        with dial(proxy.address) as client:
            assert client.recv(1) == b""
        port = int(gone.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)) as back, dial(proxy.address) as client:
            near, _ = back.accept()
            with near:
                near.sendall(b"here")
            assert rest(client) == b"here"


def test_it_closes_at_once_while_bytes_wait() -> None:
    threads = threading.active_count()
    with answering(lambda near: near.sendall(BYTES[:BURST])) as server:
        # 64 KiB take nine minutes.
        with ShapingProxy(server, "1kbit") as proxy:
            client = dial(proxy.address)
            client.recv(1)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        client.close()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("rate", "bits"), [("1gbit", 1e9), ("800kbit", 8e5), ("125mbps", 1e9), ("9600bit", 9600)]
)
def test_rates_are_in_words_of_tc(rate: str, bits: float) -> None:
    assert bits_per_second(rate) == bits


@pytest.mark.parametrize("rate", ["", "fast", "1 gbit", "gbit", "10"])
def test_a_rate_in_other_words_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match='give it as "100mbit"'):
        bits_per_second(rate)


def test_it_stands_in_where_the_kernel_has_no_link_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("link_choice.missing", lambda: "ip is not installed")
    assert isinstance(link_by("", "1gbit"), ProxiedLink)
    assert "ip is not installed" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="ip is not installed"):
        link_by("kernel", "1gbit")
