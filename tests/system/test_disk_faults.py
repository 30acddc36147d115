"""Disks that are full and stores that go, change or break, with a stream beside of another store.

A stream of the store itself goes on as long as what it reads is there.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import inkstream as client
import mounts
import pytest
from beside import Beside
from serving import RunningServer

Run = Callable[..., CompletedProcess[str]]
MEMORY_MIB = 256
FLAGS = ("--memory", f"{MEMORY_MIB}MiB", "--drain-delay", "0", "--drain-spread", "0")


def test_a_full_disk_under_the_log(binary: Path, store: Path, tmp_path: Path) -> None:
    with mounts.tmpfs(tmp_path / "small", megabytes=1) as small:
        log = small / "log"
        log.touch()
        with (small / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                filler.write(bytes(4096))
        flags = (*FLAGS, "--log-level", "debug")
        with (
            RunningServer(binary, [str(store)], log, *flags) as server,
            Beside(server.address, server.process.pid, MEMORY_MIB) as beside,
        ):
            alone = beside.rate()
            beside.keeps_half(alone, lambda: server.process.send_signal(signal.SIGHUP))
            assert log.stat().st_size == 0, "there was room for the log"
            assert server.stop() == 0


def test_a_full_disk_under_a_store_that_grows(
    binary: Path, inkstream: Run, drawings_file: Path, tmp_path: Path
) -> None:
    with mounts.tmpfs(tmp_path / "small", megabytes=64) as small:
        store = small / "s.ink"
        assert inkstream("ingest", drawings_file, "--store", store).returncode == 0
        taken = sum(file.stat().st_size for file in store.iterdir())
        mounts.resize(small, taken // (1 << 20) + 1)
        with (
            RunningServer(binary, [str(store)], tmp_path / "log", *FLAGS) as server,
            Beside(server.address, server.process.pid, MEMORY_MIB) as beside,
        ):
            alone = beside.rate()
            for _ in range(20):
                done = inkstream("ingest", drawings_file, "--store", store, "--append")
                if done.returncode != 0:
                    break
            assert done.returncode == 1
            assert "space" in done.stderr, done.stderr
            beside.keeps_half(alone)
            next(client.connect(server.address).dataset().stream("train", batch_size=8))


def deleted(store: Path, _: Path) -> None:
    shutil.rmtree(store)


def replaced(store: Path, other: Path) -> None:
    store.rename(store.with_suffix(".away"))
    other.rename(store)


def emptied(store: Path, _: Path) -> None:
    (store / "MANIFEST").write_bytes(b"")


def flipped(store: Path, _: Path) -> None:
    segment = max(store.iterdir(), key=lambda file: file.stat().st_size)
    file = os.open(segment, os.O_WRONLY)
    size = segment.stat().st_size
    for place in range(size // 4, size, 997):
        os.pwrite(file, b"\xff", place)
    os.close(file)


def filled(byte: bytes) -> Callable[[Path, Path], None]:
    """As long as it was, and nothing of it left."""

    def fault(store: Path, _: Path) -> None:
        segment = max(store.iterdir(), key=lambda file: file.stat().st_size)
        with segment.open("r+b") as file:
            file.write(byte * segment.stat().st_size)

    return fault


zeroed, all_ones = filled(b"\0"), filled(b"\xff")


def cut(store: Path, _: Path) -> None:
    os.truncate(max(store.iterdir(), key=lambda file: file.stat().st_size), 8192)


@pytest.mark.parametrize("fault", [deleted, replaced, emptied, flipped, zeroed, all_ones, cut])
def test_a_store_that_goes_or_breaks_hurts_no_stream_of_another(
    binary: Path,
    inkstream: Run,
    store: Path,
    drawings_file: Path,
    tmp_path: Path,
    fault: Callable[[Path, Path], None],
) -> None:
    victim = Path(shutil.copytree(store, tmp_path / "victim.ink"))
    other = tmp_path / "other.ink"
    done = inkstream("ingest", drawings_file, "--store", other, "--name", "other")
    assert done.returncode == 0, done.stderr
    stores = [f"quickdraw={store}", f"victim={victim}"]
    with (
        RunningServer(binary, stores, tmp_path / "log", *FLAGS) as server,
        Beside(server.address, server.process.pid, MEMORY_MIB) as beside,
        client.connect(server.address, timeout=60) as near,
    ):
        data = near.dataset("victim")
        fingerprint = data.fingerprint
        with data.stream(
            "train", batch_size=50, image=client.Image(28), epochs="forever", on_corrupt="skip"
        ) as stream:
            next(stream)
            alone = beside.rate()
            fault(victim, other)
            server.process.send_signal(signal.SIGHUP)
            beside.keeps_half(alone)
            # What breaks its files takes the dataset down; the rest does not touch it.
            if fault not in (flipped, zeroed, all_ones, cut):
                for _ in range(50):
                    assert next(stream).valid.all()
                assert near.dataset("victim").fingerprint == fingerprint
        assert server.stop() == 0
