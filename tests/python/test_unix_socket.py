"""Streams over a Unix socket: as over TCP, and nothing is left behind by whoever comes and goes."""

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


def streams(address: str) -> int:
    with inkstream.connect(address) as client:
        return len(client.status()["streams"])


@pytest.fixture
def own(binary: Path, store: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(binary, store, tmp_path) as running:
        yield running


@pytest.mark.parametrize("codec", ["none", "strokes"])
def test_it_gives_the_batches_that_tcp_gives(server: Server, codec: str) -> None:
    plan = {**PLAN, "codec": codec}
    here = inkstream.connect(server.unix).dataset().stream("train", **plan)
    there = inkstream.connect(server.tcp).dataset().stream("train", **PLAN)
    for one, other in zip(here, there, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)
        assert one.cursor == other.cursor
    stats = here.stats()
    assert (stats["transport"], stats["codec"]) == ("grpc", codec)


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
    again = inkstream.connect(server.tcp).dataset().stream("train", epochs=4, **PLAN)
    for kept, sent in zip(batches, again, strict=True):
        assert np.array_equal(kept.image, sent.image)


def test_many_clients_that_come_and_go_leave_nothing(own: Server) -> None:
    data = inkstream.connect(own.unix).dataset()
    pid = own.process.pid

    def once() -> None:
        stream = data.stream("train", epochs="forever", **PLAN)
        next(stream)
        stream.close()

    once()
    assert eventually(lambda: streams(own.unix) == 0)
    before, here = descriptors(pid), descriptors("self")
    for _ in range(100):
        once()
    gc.collect()
    assert eventually(lambda: streams(own.unix) == 0)
    assert eventually(lambda: descriptors(pid) <= before + 1)
    assert eventually(lambda: descriptors("self") <= here + 2)


def test_a_killed_client_is_gone_and_others_do_not_notice(own: Server) -> None:
    other = inkstream.connect(own.unix).dataset().stream("train", epochs="forever", **PLAN)
    next(other)
    program = (
        "import sys, inkstream\n"
        "from inkstream import Image\n"
        "data = inkstream.connect(sys.argv[1]).dataset()\n"
        "stream = data.stream('train', batch_size=64, image=Image(28), epochs='forever')\n"
        "kept = [next(stream) for _ in range(3)]\n"
        "print('reads', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, own.unix],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline().strip() == "reads"
        assert streams(own.unix) == 2
        client.send_signal(signal.SIGKILL)
        client.wait(10)
    assert eventually(lambda: streams(own.unix) == 1)
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
