"""Replicas that are added to a name, and taken away again, under streams that go on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import inkstream
import pytest
from support.names import NameServer
from support.processes import Server, eventually

STREAMS = 12
HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
REBALANCE = 0.3  # seconds


@pytest.fixture
def replicas(binary: Path, store: Path, tmp_path: Path) -> Iterator[list[Server]]:
    """Three, on one port of three addresses of this machine."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for host in HOSTS:
            home = tmp_path / host
            home.mkdir()
            port = servers[0].tcp.rpartition(":")[2] if servers else "0"
            flags = ("--rebalance", str(REBALANCE))
            server = Server(binary, store, home, *flags, listen=f"{host}:{port}")
            servers.append(stack.enter_context(server))
        yield servers


def test_a_third_replica_gets_streams_and_loses_none_when_it_goes(replicas: list[Server]) -> None:
    port = replicas[0].tcp.rpartition(":")[2]
    with NameServer(HOSTS[:2]) as names, ExitStack() as opened:
        target = f"dns://{names.address}/replicas.test:{port}"
        streams = []
        for seed in range(STREAMS):
            near = opened.enter_context(inkstream.connect(target, retry_for=60))
            data = near.dataset()
            streams.append(
                data.stream("train", batch_size=50, epochs="forever", seed=seed, codec="none")
            )
        alone = inkstream.connect(replicas[0].unix).dataset()
        wanted = [
            iter(alone.stream("train", batch_size=50, epochs="forever", seed=seed))
            for seed in range(STREAMS)
        ]
        watchers = [opened.enter_context(inkstream.connect(server.tcp)) for server in replicas]

        def step() -> None:
            """Each stream's batch is the one that was due."""
            for mine, due in zip(streams, wanted, strict=True):
                assert next(mine).index.tolist() == next(due).index.tolist()

        def streams_of(replica: int) -> int:
            step()
            told = watchers[replica].status()["streams"]
            return sum(one["peer"].startswith("ipv4:") for one in told)

        step()
        assert streams_of(2) == 0
        names.addresses = HOSTS
        for replica in range(3):
            assert eventually(lambda replica=replica: streams_of(replica) > 0, 60)  # type: ignore[misc]
        names.addresses = HOSTS[:2]
        replicas[2].send(signal.SIGTERM)
        for _ in range(20):
            step()
        assert eventually(lambda: (step(), replicas[2].process.poll() is not None)[1], 60)
        assert replicas[2].process.wait(60) == 0
        for _ in range(20):
            step()
