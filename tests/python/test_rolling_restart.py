"""Servers that are restarted one after the other under clients that read on."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import inkstream
import pytest
from inkstream import Image
from support.processes import Server, eventually

READER = Path(__file__).parent / "support" / "chaos_reader.py"
WORLD, GRACE = 4, 20
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"  # grpc.health.v1.HealthCheckResponse


@pytest.fixture
def replicas(binary: Path, store: Path, tmp_path: Path) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        servers = []
        for number in range(3):
            home = tmp_path / f"server{number}"
            home.mkdir()
            server = Server(binary, store, home, "--grace", str(GRACE))
            servers.append(stack.enter_context(server))
        yield servers


class Readiness:
    """What a load balancer that watches a server is told until the server is gone."""

    def __init__(self, address: str) -> None:
        self.told: list[bytes] = []
        self._channel = grpc.insecure_channel(address)
        watch: Any = self._channel.unary_stream("/grpc.health.v1.Health/Watch")
        self._answers = watch(b"")
        self.told.append(next(self._answers))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(grpc.RpcError):
            self.told.extend(self._answers)

    def until_gone(self) -> list[bytes]:
        self._thread.join(60)
        self._channel.close()
        return self.told


def read(where: Path, rank: int, **given: Any) -> subprocess.Popen[str]:
    """A client on its own: even ranks through the library, odd ones through grpcio."""
    task = where / f"rank{rank}.json"
    task.write_text(json.dumps({"rank": rank, "world": WORLD, "epochs": 3, **given}))
    library = {"INKSTREAM_LIBRARY": "none"} if rank % 2 else {}
    return subprocess.Popen(
        [sys.executable, str(READER), str(task)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **library},
    )


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    answer: dict[str, Any] = json.loads(output)
    return answer


def test_every_server_is_restarted_and_no_client_sees_it(
    replicas: list[Server], tmp_path: Path
) -> None:
    quiet = [read(tmp_path, rank, addresses=[replicas[0].tcp]) for rank in range(WORLD)]
    wanted = [answer_of(process)["hashes"] for process in quiet]
    addresses = [server.tcp for server in replicas]
    readers = [
        read(tmp_path, rank, addresses=addresses, wanted=wanted[rank], seconds=8)
        for rank in range(WORLD)
    ]
    watchers = [inkstream.connect(server.tcp) for server in replicas]

    def streams() -> int:
        return sum(len(watcher.status().get("streams", [])) for watcher in watchers)

    assert eventually(lambda: streams() == WORLD, 60)
    moved = 0
    for server, watcher in zip(replicas, watchers, strict=True):
        moved += len(watcher.status().get("streams", []))
        readiness = Readiness(server.tcp)
        server.send(signal.SIGTERM)
        # Within the grace period, and not because it was over.
        assert server.process.wait(GRACE) == 0
        assert readiness.until_gone() == [_SERVING, _NOT_SERVING]
        server.start(server.tcp)
        assert eventually(lambda: streams() == WORLD or readers[0].poll() is not None, 60)
    answers = [answer_of(reader) for reader in readers]
    assert [a for a in answers if "wrong" in a] == []
    assert sum(a["reopened"] for a in answers) >= moved > 0


def test_a_drain_ends_streams_at_the_cursor_of_the_batch_in_hand(
    replicas: list[Server], caplog: pytest.LogCaptureFixture
) -> None:
    """No batch is sent twice and none is begun: the next server is asked for what follows."""
    caplog.set_level(logging.INFO, "inkstream")
    address = replicas[0].tcp
    data = inkstream.connect([server.tcp for server in replicas], retry_for=60).dataset()
    whole = inkstream.connect(address).dataset().stream("train", batch_size=64, image=Image(128))
    wanted = [batch.index.tolist() for batch in whole]
    stream = data.stream("train", batch_size=64, image=Image(128))
    found = [next(stream).index.tolist()]
    used = next(server for server in replicas if server.tcp == stream.stats()["endpoint"])
    used.send(signal.SIGTERM)
    assert used.process.wait(GRACE) == 0
    found += [batch.index.tolist() for batch in stream]
    assert found == wanted
    # Each was received once, by whichever server, and none came a second time; the end that may
    # wait to be read is none of them.
    assert stream.stats()["received"] == len(wanted)
    assert stream.stats()["in_hand"] == 0
    # Somebody who was sent elsewhere has nothing to worry about.
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
