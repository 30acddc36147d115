"""A store on a disk that is slow, or answers no more, beside calls that need no disk."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Literal

import inkstream as client
import pytest
from beside import Beside
from serving import RunningServer
from slow_disk import SlowDisk

Run = Callable[..., CompletedProcess[str]]
MEMORY_MIB = 256
DRAWINGS = 60_000


@pytest.fixture(scope="module")
def large(inkstream: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of which not all is read by the way."""
    where = tmp_path_factory.mktemp("large")
    commands = [
        ["generate", "--drawings", str(DRAWINGS), "--seed", "1", "-o", where / "d.ndjson"],
        ["ingest", where / "d.ndjson", "--store", where / "s.ink", "--name", "slow"],
    ]
    for command in commands:
        done: CompletedProcess[str] = inkstream(*command)
        assert done.returncode == 0, done.stderr
    return where / "s.ink"


@pytest.fixture
def disk(large: Path, tmp_path: Path) -> Iterator[SlowDisk]:
    disk = SlowDisk(large, tmp_path / "disk")
    with disk:
        yield disk


@pytest.fixture
def server(binary: Path, store: Path, tmp_path: Path, disk: SlowDisk) -> Iterator[RunningServer]:
    flags = [f"--memory={MEMORY_MIB}MiB", "--http=127.0.0.1:0", "--grace=1s"]
    # Slow enough that it has not read all before a test begins.
    flags += ["--drain-delay=0", "--drain-spread=0", "--scrub=128KiB"]
    stores = [f"quickdraw={store}", str(tmp_path / "disk")]
    with RunningServer(binary, stores, tmp_path / "log", *flags) as running:
        yield running
        disk.block(False)


class Reading(threading.Thread):
    """Reads the slow store once, from `start` on."""

    def __init__(
        self, address: str, shuffle: str = "none", codec: Literal["none", "strokes"] = "none"
    ) -> None:
        super().__init__(daemon=True)
        self._stream = (
            client.connect(address, timeout=60)
            .dataset("slow")
            .stream(
                client.View(), batch_size=50, image=client.Image(8), shuffle=shuffle, codec=codec
            )
        )
        self.rows = 0

    def run(self) -> None:
        # Where the server goes first; how far it came is asked by those whose does not.
        with contextlib.suppress(client.InkstreamError):
            for batch in self._stream:
                self.rows += len(batch.index)


def answers_what_needs_no_disk(server: RunningServer) -> None:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/readyz", timeout=60) as probe:
        assert probe.status == 200
    with client.connect(server.address, timeout=60) as newcomer:
        assert newcomer.datasets() == ["quickdraw", "slow"]
        assert newcomer.status()["workers"] > 0


def passes_of_the_scrub(server: RunningServer, dataset: str) -> float:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=60) as page:
        metrics = page.read().decode()
    found = re.search(
        rf'^inkstream_scrub_passes_total{{dataset="{dataset}"}} (\S+)$', metrics, re.MULTILINE
    )
    return float(found[1]) if found else 0.0


def wait_for_those_who_wait(server: RunningServer, threads: int = 1) -> None:
    """Until so many threads of the server wait for the disk."""
    deadline = time.monotonic() + 60
    tasks = Path(f"/proc/{server.process.pid}/task")
    while sum(map(_waits, tasks.iterdir())) < threads:
        assert time.monotonic() < deadline, "nobody waits for the disk"
        time.sleep(0.01)


def _waits(task: Path) -> bool:
    with contextlib.suppress(OSError):  # the thread has ended
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        # Some kernels let signals interrupt those who wait for FUSE.
        return state == "D" or (task / "wchan").read_text() == "request_wait_answer"
    return False


def test_a_slow_one(server: RunningServer, disk: SlowDisk) -> None:
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        alone = beside.rate()
        reading = Reading(server.address)
        disk.delay = 0.02
        reading.start()
        while reading.is_alive():
            answers_what_needs_no_disk(server)
        assert reading.rows == DRAWINGS
        beside.keeps_half(alone)


def plan(address: str, recognized: bool) -> None:
    with (
        contextlib.suppress(client.InkstreamError),
        client.connect(address, timeout=60) as asking,
    ):
        asking.dataset("slow").plan(client.View(where={"recognized": recognized}), batch_size=1)


def test_many_who_want_one_that_answers_no_more(server: RunningServer, disk: SlowDisk) -> None:
    with Beside(server.address, server.process.pid, MEMORY_MIB) as beside:
        alone = beside.rate()
        wanting: list[threading.Thread] = [
            Reading(server.address, shuffle="full", codec=codec)
            for codec in ("none", "strokes") * 4
        ]
        for recognized in (True, False):
            wanting.append(
                threading.Thread(target=plan, args=(server.address, recognized), daemon=True)
            )
        disk.block()
        for each in wanting:
            each.start()
        wait_for_those_who_wait(server, threads=2)
        beside.keeps_half(alone)
        answers_what_needs_no_disk(server)
        with client.connect(server.address, timeout=60) as newcomer:
            data = newcomer.dataset("quickdraw")
            assert len(data.fetch([1, 2, 3], image=client.Image(8)).index) == 3
            next(iter(data.stream("train", batch_size=8, image=client.Image(8))))
    disk.block(False)
    for each in wanting:
        each.join(120)
        assert not each.is_alive()


def test_one_that_answers_no_more_and_comes_back(server: RunningServer, disk: SlowDisk) -> None:
    reading = Reading(server.address)
    disk.block()
    reading.start()
    for _ in range(20):
        answers_what_needs_no_disk(server)
    scrubbed = passes_of_the_scrub(server, "quickdraw")
    deadline = time.monotonic() + 60
    while passes_of_the_scrub(server, "quickdraw") < scrubbed + 2:
        assert time.monotonic() < deadline, "the scrub of another store stands still"
        time.sleep(0.1)
    assert reading.is_alive()
    disk.block(False)
    reading.join(120)
    assert reading.rows == DRAWINGS


def test_one_that_answers_no_more_does_not_hold_up_the_end(
    server: RunningServer, disk: SlowDisk
) -> None:
    reading = Reading(server.address)
    disk.block()
    reading.start()
    wait_for_those_who_wait(server)
    answers_what_needs_no_disk(server)
    assert server.stop(seconds=60) in (0, 1)
