"""However a client leaves, the server knows within a second, and nothing stays behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from client_under_test import COMMANDS, ClientUnderTest
from support.processes import Server, eventually

PLAN: dict[str, Any] = {
    "view": {"split": "train"},
    "batch_size": 16,
    "image": {"height": 64},
    "epochs": "forever",
}
WITHIN = 1.0  # seconds


@pytest.fixture(scope="module")
def own(binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(binary, store, tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture(scope="module")
def watcher(own: Server) -> Iterator[inkstream.Client]:
    with inkstream.connect(own.tcp) as client:
        yield client


@pytest.fixture(params=list(COMMANDS))
def leaver(request: pytest.FixtureRequest) -> Iterator[ClientUnderTest]:
    client = ClientUnderTest(request.param)
    yield client
    client.end()


def streams(watcher: inkstream.Client) -> int:
    return len(watcher.status().get("streams", []))


def test_closing_a_stream_early(
    leaver: ClientUnderTest, own: Server, watcher: inkstream.Client
) -> None:
    connection = leaver.connect(own.tcp)
    several = [connection.open(**PLAN) for _ in range(3)]
    for stream in several:
        stream.next(2)
    assert streams(watcher) == 3
    for stream in several:
        stream.close()
    assert eventually(lambda: streams(watcher) == 0, WITHIN)
    assert len(connection.read(**{**PLAN, "epochs": 1})) > 0, "the client is in order"


@pytest.mark.parametrize("road", ["tcp", "unix"])
def test_a_client_that_is_killed(
    leaver: ClientUnderTest, own: Server, watcher: inkstream.Client, road: str
) -> None:
    connection = leaver.connect(own.tcp if road == "tcp" else own.unix)
    connection.open(**PLAN).next(2)
    assert streams(watcher) == 1
    leaver.process.kill()
    assert eventually(lambda: streams(watcher) == 0, WITHIN)


def test_a_program_that_ends_in_mid_stream(
    leaver: ClientUnderTest, own: Server, watcher: inkstream.Client
) -> None:
    leaver.connect(own.tcp).open(**PLAN).next(2)
    assert streams(watcher) == 1
    began = time.monotonic()
    leaver.end()
    assert leaver.process.returncode == 0
    assert eventually(lambda: streams(watcher) == 0, WITHIN)
    assert time.monotonic() - began < 10, "it hung at its exit"
