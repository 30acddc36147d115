"""Fixtures: the real binary as a server, and small synthetic stores for it to serve."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import inkstream
import pytest

from support.processes import Server
from support.stores import ROOT, make_store


@pytest.fixture(scope="session")
def binary() -> Path:
    path = Path(os.environ.get("INKSTREAM_BINARY") or ROOT / "build" / "inkstream")
    if not path.is_file():
        pytest.fail(f"{path} is missing: run deploy/build.sh, or set INKSTREAM_BINARY")
    return path


@pytest.fixture(scope="session")
def store(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(binary, tmp_path_factory.mktemp("store"), 2000)


@pytest.fixture(scope="session")
def other_store(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same name and size, other drawings."""
    return make_store(binary, tmp_path_factory.mktemp("other"), 2000, seed=2)


@pytest.fixture(scope="session")
def server(binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(binary, store, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session", params=["tcp", "unix"])
def address(server: Server, request: pytest.FixtureRequest) -> str:
    return server.tcp if request.param == "tcp" else server.unix


@pytest.fixture
def client(server: Server) -> Iterator[inkstream.Client]:
    with inkstream.connect(server.tcp) as connected:
        yield connected


@pytest.fixture
def data(client: inkstream.Client) -> inkstream.Dataset:
    return client.dataset()
