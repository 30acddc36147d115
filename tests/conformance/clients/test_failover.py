"""Servers that crash, drain, hang or hold other data: a pause, never a wrong batch."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_under_test import COMMANDS, ClientUnderTest, Refused
from support.processes import Server
from support.stores import make_store

Words = dict[str, Any]
# More in an epoch than may be ahead, so that the server in use matters.
PLAN = {
    "view": {"split": "train"},
    "batch_size": 10,
    "image": {"height": 64},
    "columns": ["label"],
    "tail": "partial",
    "epochs": 12,  # more batches than may come ahead
    "seed": 6,
}
PATIENCE = {"retry_for": 60, "stall": 1.0, "timeout": 20, "ahead": 2}


@pytest.fixture
def replicas(binary: Path, store: Path, tmp_path: Path) -> Iterator[list[Server]]:
    homes = [tmp_path / name for name in ("a", "b")]
    for home in homes:
        home.mkdir()
    with Server(binary, store, homes[0]) as one, Server(binary, store, homes[1]) as two:
        yield [one, two]


@pytest.fixture(scope="module")
def wanted(servers: list[Server]) -> list[Words]:
    """An undisturbed run."""
    client = ClientUnderTest("native")
    try:
        return client.connect(servers[0].tcp).read(**PLAN)
    finally:
        client.end()


def addresses(road: str, replicas: list[Server]) -> list[str]:
    return [server.unix if road == "unix" else server.tcp for server in replicas]


def crash(server: Server) -> None:
    server.kill()


def drain(server: Server) -> None:
    server.send(signal.SIGTERM)
    server.process.wait(30)


def hang(server: Server) -> None:
    server.send(signal.SIGSTOP)


@pytest.mark.parametrize(("road", "codec"), [("tcp", "none"), ("tcp", "strokes"), ("unix", "none")])
@pytest.mark.parametrize("fate", [crash, drain, hang])
def test_the_other_replica_goes_on_with_the_same_bytes(
    any_client: ClientUnderTest,
    replicas: list[Server],
    wanted: list[Words],
    road: str,
    codec: str,
    fate: Any,
) -> None:
    if codec == "strokes" and any_client.name == "grpcio":
        pytest.skip("nothing draws without libinkstream")
    targets = addresses(road, replicas)
    connection = any_client.connect(*targets, **PATIENCE)
    with connection.stream(**PLAN, codec=codec) as stream:
        batches = stream.next(7)
        used = stream.stats()["target"]
        gone = replicas[targets.index(used)]
        fate(gone)  # with batches in hand
        batches += stream.rest()
        stats = stream.stats()
    assert batches == wanted
    assert stats["reopened"] >= 1 and stats["target"] != used
    connection.close()


def test_a_server_that_comes_back_is_enough(
    any_client: ClientUnderTest, replicas: list[Server], wanted: list[Words]
) -> None:
    server = replicas[0]
    connection = any_client.connect(server.tcp, **PATIENCE)
    with connection.stream(**PLAN) as stream:
        batches = stream.next(30)
        server.kill()
        any_client.tell("next", stream=stream.name, count=100_000)
        server.start(server.tcp)
        batches += any_client.answer()["batches"]
    assert batches == wanted
    connection.close()


def test_a_replica_with_other_data_is_passed_over_and_both_are_named(
    any_client: ClientUnderTest,
    binary: Path,
    replicas: list[Server],
    wanted: list[Words],
    tmp_path: Path,
) -> None:
    for name in ("source", "home"):
        (tmp_path / name).mkdir()
    other_store = make_store(binary, tmp_path / "source", 500, seed=2)
    with Server(binary, other_store, tmp_path / "home") as other:
        one, two = replicas
        other_data = any_client.connect(other.tcp)
        pinned = {**PATIENCE, "fingerprint": wanted[0]["cursor"]["fingerprint"]}
        connection = any_client.connect(one.tcp, other.tcp, two.tcp, **pinned)
        with connection.stream(**PLAN) as stream:
            batches = stream.next(5)
            one.kill()
            batches += stream.rest()
        assert batches == wanted
        alone = any_client.connect(two.tcp, other.tcp, **{**pinned, "retry_for": 4})
        with alone.stream(**PLAN) as stream:
            stream.next(5)
            two.kill()
            with pytest.raises(Refused) as refused:
                stream.rest()
        assert refused.value.code in ("UNAVAILABLE", "FAILED_PRECONDITION")
        assert alone.described["fingerprint"] in refused.value.message
        assert other_data.described["fingerprint"] in refused.value.message
        for made in (connection, other_data, alone):
            made.close()


def test_nobody_left_is_an_error_that_names_the_server(
    any_client: ClientUnderTest, replicas: list[Server]
) -> None:
    server = replicas[0]
    connection = any_client.connect(server.tcp, **{**PATIENCE, "retry_for": 1})
    with connection.stream(**PLAN) as stream:
        stream.next(3)
        server.kill()
        with pytest.raises(Refused) as refused:
            stream.rest()
    assert refused.value.code == "UNAVAILABLE"
    assert server.tcp.rpartition(":")[2] in refused.value.message
    connection.close()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_client_that_idles_does_not_hold_up_a_server_that_ends(
    replicas: list[Server], name: str
) -> None:
    # A channel without a call looks at its socket every five seconds; here not before gRPC's
    # server would give up, after 20.
    never = {"GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS": "600000"}
    client = ClientUnderTest(name, **never)
    try:
        connection = client.connect(replicas[0].tcp)
        assert connection.read(**{**PLAN, "epochs": 1})
        replicas[0].send(signal.SIGTERM)
        assert replicas[0].process.wait(10) == 0
    finally:
        client.end()


@pytest.mark.parametrize("asked", ["describe", "fetch", "plan"])
def test_questions_to_a_server_that_hangs_end_in_time(
    any_client: ClientUnderTest, replicas: list[Server], asked: str
) -> None:
    hung = replicas[0]
    connection = any_client.connect(hung.tcp, timeout=1.0, retry_for=1, stall=1.0)
    words: Words = {"fetch": {"indices": [1]}, "plan": PLAN}.get(asked, {})
    hung.send(signal.SIGSTOP)
    with pytest.raises(Refused) as refused:
        connection.ask(asked, **words)
    hung.send(signal.SIGCONT)
    assert refused.value.code in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
    assert connection.ask(asked, **words), "it is well again"
    connection.close()


def test_questions_are_answered_by_the_other_replica(
    any_client: ClientUnderTest, replicas: list[Server]
) -> None:
    connection = any_client.connect(*[s.tcp for s in replicas], timeout=10)
    said = connection.ask("describe")
    replicas[0].kill()
    assert {**connection.ask("describe"), "limits": {}} == {**said, "limits": {}}
    assert connection.ask("fetch", indices=[3])["tensors"]["index"]["values"] == [3]
    assert connection.ask("plan", **PLAN)["view_drawings"] > 0
    connection.close()
