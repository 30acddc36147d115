"""Stall attribution: the right one is named, at the client and by the server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import inkstream
import pytest
from inkstream import Image
from support.processes import Server
from support.proxy import Proxy


def sentence_after(stream: inkstream.Stream, step: Callable[[], None], wanted: str) -> str:
    """Reads on until the sentence names `wanted`, a minute at most."""
    until = time.monotonic() + 60
    while wanted not in (sentence := stream.stats()["bottleneck"]) and time.monotonic() < until:
        step()
    return sentence


def server_says(client: inkstream.Client) -> str:
    (stream,) = client.status()["streams"]
    return str(stream["bottleneck"])


def test_a_slow_loop_is_the_client(server: Server) -> None:
    with inkstream.connect(server.tcp) as client:
        stream = client.dataset().stream("train", batch_size=10, epochs="forever")

        def step() -> None:
            next(stream)
            time.sleep(0.1)

        assert "The client is the bottleneck" in sentence_after(stream, step, "The client is")
        assert "The client is the bottleneck" in server_says(client)
        waits = stream.stats()["waits"]
        assert waits["client"] == max(waits.values())
        stream.close()


@pytest.mark.parametrize("codec", ["strokes", "none"])
def test_a_slow_network_is_the_network(server: Server, codec: Any) -> None:
    rate = 4 << 20 if codec == "none" else 1 << 20
    with (
        Proxy(server.tcp, rate=rate) as proxy,
        inkstream.connect(server.tcp) as near,
        inkstream.connect(proxy.address) as client,
    ):
        stream = client.dataset().stream(
            "train", batch_size=256, image=Image(128), epochs="forever", codec=codec
        )

        def step() -> None:
            next(stream)

        sentence = sentence_after(stream, step, "network")
        assert "The network or the client's reader is the bottleneck" in sentence
        if codec == "none":  # rows are all sent, and wait where no server sees them
            assert "network" in server_says(near)
            waits = stream.stats()["waits"]
            assert waits["network"] > waits["client"]
        stream.close()
