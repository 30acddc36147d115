"""Two real servers over one store, and every client as a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "python"), str(HERE)]

from client_under_test import (  # noqa: E402
    COMMANDS,
    ClientUnderTest,
    Connection,
    Way,
)
from expectation import Expectation  # noqa: E402
from support.processes import Server  # noqa: E402
from support.stores import ROOT, make_store  # noqa: E402

DRAWINGS = 500
Connect = Callable[[Way], Connection]


@pytest.fixture(scope="session")
def binary() -> Path:
    path = Path(os.environ.get("INKSTREAM_BINARY") or ROOT / "build" / "inkstream")
    if not path.is_file():
        pytest.fail(f"{path} is missing: run deploy/build.sh, or set INKSTREAM_BINARY")
    return path


@pytest.fixture(scope="session")
def store(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(binary, tmp_path_factory.mktemp("store"), DRAWINGS)


@pytest.fixture(scope="session")
def servers(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    """The same data, other threads and budgets."""
    homes = [tmp_path_factory.mktemp("server") for _ in range(2)]
    with (
        Server(binary, store, homes[0], "--workers", "1") as one,
        Server(binary, store, homes[1], "--workers", "4", "--memory", "512MiB") as two,
    ):
        yield [one, two]


@pytest.fixture(scope="session")
def expected(binary: Path, store: Path, servers: list[Server]) -> Iterator[Expectation]:
    made = Expectation(binary, store, servers[0].tcp)
    yield made
    made.close()


@pytest.fixture(scope="session")
def clients() -> Iterator[Callable[[str], ClientUnderTest]]:
    """One long-lived process a client, by name."""
    running: dict[str, ClientUnderTest] = {}

    def of(name: str) -> ClientUnderTest:
        if not Path(COMMANDS[name][0]).is_file():
            pytest.fail(f"{COMMANDS[name][0]} is missing: run deploy/build.sh --tests")
        if name not in running or running[name].process.poll() is not None:
            running[name] = ClientUnderTest(name)
        return running[name]

    yield of
    for client in running.values():
        client.end()


@pytest.fixture(scope="session")
def connect(
    servers: list[Server], store: Path, clients: Callable[[str], ClientUnderTest]
) -> Connect:
    """A way's connection, made once."""
    made: dict[Way, Connection] = {}

    def by(way: Way) -> Connection:
        if way not in made:
            server = servers[way.server]
            targets = {"tcp": server.tcp, "here": str(store)}
            target = targets.get(way.road, server.unix)
            made[way] = clients(way.client).connect(target, **way.options())
        return made[way]

    return by


@pytest.fixture(scope="session", params=list(COMMANDS))
def any_client(
    request: pytest.FixtureRequest, clients: Callable[[str], ClientUnderTest]
) -> ClientUnderTest:
    """Each client in turn."""
    return clients(request.param)


@pytest.fixture(scope="session")
def plain(any_client: ClientUnderTest, servers: list[Server], store: Path) -> Connection:
    """Each client in turn, over TCP where there is a server."""
    target = str(store) if any_client.name == "here" else servers[0].tcp
    return any_client.connect(target)
