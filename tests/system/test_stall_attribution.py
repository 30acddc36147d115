"""Who waits for whom: three arranged cases, and the right culprit in each place that tells."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import inkstream as client
import pytest
from serving import RunningServer
from shaping_proxy import ShapingProxy

SOON = 60.0  # seconds, for what must come about
WAITS = ("client", "workers", "network", "store", "opening")
PARTS = ("memory", "queue", "decode", "draw", "pack")


def status_of(near: client.Client, stream: client.Stream) -> dict[str, Any]:
    (found,) = (one for one in near.status()["streams"] if one["peer"])
    return dict(found)


def waits(status: dict[str, Any], names: tuple[str, ...] = WAITS) -> dict[str, float]:
    return {name: float(status.get(f"wait_{name}", 0)) for name in names}


def states_on_page(server: RunningServer) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=SOON) as got:
        page = got.read().decode()
    return {
        state: float(value)
        for state, value in re.findall(
            r'^inkstream_stream_seconds_total\{dataset="[^"]*",state="(\w+)"\} (\S+)$',
            page,
            re.MULTILINE,
        )
    }


def steps_until(stream: client.Stream, step: Callable[[], object], begin: str) -> str:
    """Steps until the stream's own sentence begins so, for a while at most."""
    deadline = time.monotonic() + SOON
    sentence = ""
    while not sentence.startswith(begin) and time.monotonic() < deadline:
        for _ in range(5):
            step()
        sentence = str(stream.stats()["bottleneck"])
    return sentence


def serving(binary: Path, store: Path, tmp_path: Path, *flags: str) -> RunningServer:
    return RunningServer(binary, [str(store)], tmp_path / "log", "--http", "127.0.0.1:0", *flags)


def assert_adds_up(status: dict[str, Any]) -> None:
    life = float(status["seconds"])
    assert sum(waits(status).values()) == pytest.approx(life, rel=0.02, abs=0.02)
    assert sum(waits(status, PARTS).values()) == pytest.approx(
        float(status.get("wait_workers", 0)), abs=1e-6
    )


@pytest.mark.parametrize("side", [8, 128])
def test_a_sleeping_trainer_is_the_client(
    binary: Path, store: Path, tmp_path: Path, side: int
) -> None:
    with (
        serving(binary, store, tmp_path, "--drain-delay", "0", "--drain-spread", "0") as server,
        client.connect(server.address) as near,
    ):
        stream = near.dataset().stream(
            "train", batch_size=32, image=client.Image(side), epochs="forever", codec="none"
        )

        def step() -> None:
            next(stream)
            time.sleep(0.05)

        assert steps_until(stream, step, "The client is the bottleneck").startswith("The client")
        for _ in range(40):
            step()
        status = status_of(near, stream)
        assert status["bottleneck"].startswith("The client is the bottleneck"), status
        assert waits(status)["client"] > 0.6 * float(status["seconds"])
        assert_adds_up(status)
        states = states_on_page(server)
        assert max(states, key=lambda state: states[state]) == "client"
        stream.close()


def test_one_worker_that_draws_is_the_servers_drawing_and_no_disk(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    flags = ("--workers", "1", "--drain-delay", "0", "--drain-spread", "0")
    with (
        serving(binary, store, tmp_path, *flags) as server,
        client.connect(server.address) as near,
    ):
        stream = near.dataset().stream(
            "train",
            batch_size=256,
            # Eight pixels of a drawing of 256: much to draw, little to carry.
            image=client.Image(8, quality="exact"),
            epochs="forever",
            codec="none",
        )
        begin = "The server's drawing is the bottleneck"
        sentence = steps_until(stream, lambda: next(stream), begin)
        assert sentence.startswith(begin), sentence
        # The client knows it at once, the server once nothing more fits into what lies between.
        until = time.monotonic() + 60
        while not (status := status_of(near, stream))["bottleneck"].startswith(begin):
            assert time.monotonic() < until, status
            next(stream)
        assert status["bottleneck"].startswith(begin)
        assert waits(status)["workers"] > 0.6 * float(status["seconds"])
        parts = waits(status, PARTS)
        assert max(parts, key=lambda part: parts[part]) == "draw"
        # The store was written a moment ago, so it lies in memory.
        assert waits(status)["store"] < parts["draw"]
        assert_adds_up(status)
        states = states_on_page(server)
        assert max(states, key=lambda state: states[state]) == "draw"
        stream.close()


def test_a_thin_link_is_the_network(binary: Path, store: Path, tmp_path: Path) -> None:
    with (
        serving(binary, store, tmp_path, "--drain-delay", "0", "--drain-spread", "0") as server,
        ShapingProxy(server.address, "16mbit") as link,
        client.connect(server.address) as near,
        client.connect(link.address) as far,
    ):
        stream = far.dataset().stream(
            "train", batch_size=32, image=client.Image(128), epochs="forever", codec="none"
        )
        begin = "The network or the client's reader is the bottleneck"
        sentence = steps_until(stream, lambda: next(stream), begin)
        assert sentence.startswith(begin), sentence
        # The client knows it at once, the server once nothing more fits into what lies between.
        until = time.monotonic() + 60
        while not (status := status_of(near, stream))["bottleneck"].startswith(begin):
            assert time.monotonic() < until, status
            next(stream)
        assert status["bottleneck"].startswith(begin)
        assert waits(status)["network"] > 0.6 * float(status["seconds"])
        assert_adds_up(status)
        states = states_on_page(server)
        assert max(states, key=lambda state: states[state]) == "network"
        stream.close()
