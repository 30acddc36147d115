"""Shared memory between the real binary and this client: used where it can be, said where not."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import Image
from support.processes import Server, eventually

PLAN = {"batch_size": 64, "image": Image(28), "columns": ["label"]}


def descriptors(pid: int | str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def maps(pid: int | str) -> int:
    return Path(f"/proc/{pid}/maps").read_text().count("memfd:inkstream-stream")


@pytest.fixture
def own(binary: Path, store: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(binary, store, tmp_path) as running:
        yield running


def test_it_is_used_over_a_unix_socket_and_gives_the_same_batches(server: Server) -> None:
    shared = inkstream.connect(server.unix).dataset().stream("train", **PLAN)
    sent = inkstream.connect(server.unix).dataset().stream("train", transport="grpc", **PLAN)
    for one, other in zip(shared, sent, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)
        assert one.cursor == other.cursor
    assert shared.stats()["transport"] == "shm"
    assert shared.stats()["transport_reason"] == ""
    assert sent.stats()["transport"] == "grpc"


def test_where_it_is_not_used_the_reason_is_told(server: Server) -> None:
    stream = inkstream.connect(server.tcp).dataset().stream("train", **PLAN)
    next(stream)
    assert stream.stats()["transport"] == "grpc"
    assert "not a Unix socket" in stream.stats()["transport_reason"]
    stream.close()


def test_grpcio_says_that_it_cannot(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkstream._network.connection.native_library", lambda: (None, "a test"))
    stream = inkstream.connect(server.unix).dataset().stream("train", **PLAN)
    next(stream)
    assert "grpcio" in stream.stats()["transport_reason"]
    stream.close()


def test_views_cannot_be_written_and_outlive_the_stream(own: Server) -> None:
    stream = inkstream.connect(own.unix).dataset().stream("train", **PLAN)
    batch = next(stream)
    image, copy = batch.image, batch.image.copy()
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        image.flags.writeable = True
    corner = image[3, :, :4]
    del batch, image
    stream.close()
    own.kill()
    gc.collect()
    assert np.array_equal(corner, copy[3, :, :4])


def test_a_loop_that_keeps_every_batch_is_not_stopped(server: Server) -> None:
    stream = inkstream.connect(server.unix).dataset().stream("train", epochs=4, **PLAN)
    batches = list(stream)
    assert stream.stats()["transport"] == "shm"
    again = inkstream.connect(server.tcp).dataset().stream("train", epochs=4, **PLAN)
    for kept, sent in zip(batches, again, strict=True):
        assert np.array_equal(kept.image, sent.image)


def test_many_clients_that_come_and_go_leave_nothing(own: Server) -> None:
    data = inkstream.connect(own.unix).dataset()
    pid = own.process.pid

    def once() -> None:
        stream = data.stream("train", epochs="forever", **PLAN)
        next(stream)
        assert stream.stats()["transport"] == "shm"
        stream.close()

    once()
    assert eventually(lambda: maps(pid) == 0)
    before, here = descriptors(pid), descriptors("self")
    for _ in range(100):
        once()
    gc.collect()
    assert eventually(lambda: maps(pid) == 0)
    assert eventually(lambda: descriptors(pid) <= before + 1)
    assert eventually(lambda: descriptors("self") <= here + 2)
    assert maps("self") == 0


def test_a_killed_client_frees_its_memory_and_others_do_not_notice(own: Server) -> None:
    other = inkstream.connect(own.unix).dataset().stream("train", epochs="forever", **PLAN)
    next(other)
    program = (
        "import sys, inkstream\n"
        "from inkstream import Image\n"
        "data = inkstream.connect(sys.argv[1]).dataset()\n"
        "stream = data.stream('train', batch_size=64, image=Image(28), epochs='forever')\n"
        "kept = [next(stream) for _ in range(3)]\n"
        "print(stream.stats()['transport'], flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, own.unix],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline().strip() == "shm"
        assert maps(own.process.pid) == 2
        client.send_signal(signal.SIGKILL)
        client.wait(10)
    assert eventually(lambda: maps(own.process.pid) == 1)
    for _ in range(50):
        next(other)
    other.close()


def test_a_killed_server_is_gone_on_from_elsewhere(
    binary: Path, store: Path, own: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Server(binary, store, tmp_path_factory.mktemp("second")) as second:
        expected = [
            b.index.tolist() for b in inkstream.connect(second.tcp).dataset().stream(**PLAN)
        ]
        client = inkstream.connect([own.unix, second.unix])
        stream = client.dataset().stream(**PLAN)
        seen = []
        for batch in stream:
            seen.append(batch.index.tolist())
            if len(seen) == 2:
                (own if stream.stats()["endpoint"] == own.unix else second).kill()
        assert seen == expected
        assert stream.stats()["transport"] == "shm"
