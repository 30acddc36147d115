"""What stands at the path of a store that is served: the next generation, half of it, or else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mounts
import pytest
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(store, tmp_path / "served.ink"))


@pytest.fixture
def later(inkstream: Run, store: Path, drawings_file: Path, tmp_path: Path) -> Path:
    """The store's next generation, somewhere else."""
    later = Path(shutil.copytree(store, tmp_path / "later.ink"))
    done = inkstream("ingest", drawings_file, "--store", later, "--append")
    assert done.returncode == 0, done.stderr
    return later


@pytest.fixture
def serving(binary: Path, copy: Path, tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(binary, [str(copy)], tmp_path / "log") as running:
        yield running


def refused(server: RunningServer) -> bool:
    return "cannot be served" in server.log


def drawings(grpcurl: Path, server: RunningServer) -> int:
    done = subprocess.run(
        [grpcurl, "-plaintext", server.address, "inkstream.v1.DrawingService/DescribeDataset"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["drawings"])


def test_a_generation_that_is_copied_in_file_order_is_served(
    grpcurl: Path, serving: RunningServer, copy: Path, later: Path
) -> None:
    before = drawings(grpcurl, serving)
    # As rsync does: by name, each file whole.
    for path in sorted(later.iterdir()):
        shutil.copy2(path, copy / f".{path.name}")
        os.replace(copy / f".{path.name}", copy / path.name)
        if path.name == "MANIFEST":
            wait_for(lambda: refused(serving))
            assert drawings(grpcurl, serving) == before
    wait_for(lambda: drawings(grpcurl, serving) == 2 * before)
    assert serving.log.count("cannot be served") == 1
    assert serving.log.count("generation 2") == 1


def test_another_dataset_at_the_path_is_not_served_in_its_place(
    inkstream: Run,
    grpcurl: Path,
    serving: RunningServer,
    copy: Path,
    drawings_file: Path,
    tmp_path: Path,
) -> None:
    before = drawings(grpcurl, serving)
    other = tmp_path / "other.ink"
    for flags in (["--name", "other"], ["--name", "other", "--append"]):
        done = inkstream("ingest", drawings_file, "--store", other, *flags)
        assert done.returncode == 0, done.stderr
    copy.rename(tmp_path / "away")
    other.rename(copy)
    wait_for(lambda: refused(serving))
    assert drawings(grpcurl, serving) == before
    assert "holds dataset 'other'" in serving.log


def test_a_fifo_in_place_of_the_manifest_holds_up_neither_streams_nor_the_end(
    grpcurl: Path, serving: RunningServer, copy: Path
) -> None:
    (copy / "MANIFEST").unlink()
    os.mkfifo(copy / "MANIFEST")
    wait_for(lambda: refused(serving))
    assert "is a FIFO" in serving.log
    assert drawings(grpcurl, serving) > 0
    assert serving.stop() == 0


def waits_uninterruptibly(process: int) -> bool:
    return any(
        stat.read_text().rpartition(")")[2].split()[0] == "D"
        for stat in Path(f"/proc/{process}/task").glob("*/stat")
    )


def test_a_file_system_that_hangs_holds_up_neither_streams_nor_the_end(
    binary: Path, grpcurl: Path, copy: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.ink"
    link.symlink_to(copy)
    with (
        mounts.hung(tmp_path / "hung") as hung,
        RunningServer(binary, [str(link)], tmp_path / "log") as server,
    ):
        (tmp_path / "next").symlink_to(hung)
        (tmp_path / "next").replace(link)
        wait_for(lambda: waits_uninterruptibly(server.process.pid))
        assert drawings(grpcurl, server) > 0
        assert server.stop(signal.SIGTERM) == 0
        assert "file system" in server.log


@pytest.mark.parametrize("name", ["MANIFEST", "segment-000000.mdb"])
@pytest.mark.parametrize(
    "command",
    [
        ["verify", "{}"],
        ["stats", "{}"],
        ["inspect", "{}", "0"],
        ["plan", "{}"],
        ["export", "{}", "-o", "-"],
        ["merge", "{}.merged", "{}"],
        ["ingest", "/dev/null", "--store", "{}", "--append"],
        ["serve", "--store", "{}", "--listen", "127.0.0.1:0"],
    ],
    ids=lambda command: command[0],
)
def test_commands_say_that_a_file_of_a_store_is_a_fifo(
    inkstream: Run, copy: Path, command: list[str], name: str
) -> None:
    (copy / name).unlink()
    os.mkfifo(copy / name)
    done = inkstream(*(word.format(copy) for word in command))
    assert done.returncode in (1, 2), done.stderr
    assert f"{name}: is a FIFO, expected a regular file" in done.stderr
