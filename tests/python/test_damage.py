"""Stores that are damaged under a live server: errors with names, never a crash."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import Image
from support.processes import Server, eventually

IMAGE = Image(28)


@contextmanager
def served_copy(binary: Path, store: Path, where: Path) -> Iterator[tuple[Server, Path]]:
    copy = where / "copy.ink"
    shutil.copytree(store, copy)
    home = where / "home"
    home.mkdir()
    with Server(binary, copy, home) as server:
        yield server, copy


def scribble(store: Path, share: float, length: int) -> None:
    """Overwrites some bytes of its largest file, at `share` of its length."""
    largest = max(store.iterdir(), key=lambda path: path.stat().st_size)
    file = os.open(largest, os.O_WRONLY)
    try:
        os.pwrite(file, os.urandom(length), int(largest.stat().st_size * share))
    finally:
        os.close(file)


def read(data: inkstream.Dataset, **keywords: object) -> list[inkstream.Batch]:
    return list(
        data.stream(inkstream.View(), batch_size=50, image=IMAGE, shuffle="none", **keywords)
    )


@pytest.fixture
def damaged(binary: Path, store: Path, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server whose store was sound when it was opened, and is not any more."""
    with served_copy(binary, store, tmp_path) as (server, copy):
        for tenth in range(2, 9):
            scribble(copy, tenth / 10, 8)
            # Some of the file is tables, which were read at the opening.
            try:
                read(inkstream.connect(server.tcp).dataset())
            except inkstream.DataLoss:
                yield server, copy
                return
        pytest.fail("nothing that is read was hit")


def test_a_damaged_record_names_index_and_store(damaged: tuple[Server, Path]) -> None:
    server, copy = damaged
    data = inkstream.connect(server.tcp).dataset()
    with pytest.raises(inkstream.DataLoss) as caught:
        read(data)
    assert str(copy) in str(caught.value)
    assert "drawing " in str(caught.value)
    assert server.process.poll() is None
    assert data.client.datasets() == ["quickdraw"]


def test_what_is_skipped_keeps_its_place_and_is_counted(
    damaged: tuple[Server, Path], data: inkstream.Dataset
) -> None:
    server, _ = damaged
    sound = read(data)
    found = read(inkstream.connect(server.tcp).dataset(), on_corrupt="skip")
    assert len(found) == len(sound)
    skipped = 0
    for batch, whole in zip(found, sound, strict=True):
        assert np.array_equal(batch.index, whole.index)
        assert np.array_equal(batch.label, whole.label)
        assert np.array_equal(batch.image[batch.valid], whole.image[batch.valid])
        assert not batch.image[~batch.valid].any()
        assert batch.bad == np.count_nonzero(~batch.valid)
        skipped += batch.bad
    assert skipped > 0
    with pytest.raises(inkstream.DataLoss, match="max_bad = 1"):
        read(inkstream.connect(server.tcp).dataset(), on_corrupt="skip", max_bad=1)
    assert server.process.poll() is None


def test_a_store_that_is_scribbled_all_over_does_not_end_the_server(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with served_copy(binary, store, tmp_path) as (server, copy):
        data = inkstream.connect(server.tcp).dataset()
        for place in range(20):
            scribble(copy, place / 20, 4096)
            try:
                for batch in read(data, on_corrupt="skip"):
                    assert batch.image.shape == (50, 1, 28, 28)
            except inkstream.DataLoss:
                pass
        assert server.process.poll() is None
        assert data.client.datasets() == ["quickdraw"]


def test_a_damaged_store_is_refused_at_the_opening(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.ink"
    shutil.copytree(store, copy)
    largest = max(copy.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    done = subprocess.run(
        [binary, "serve", "--store", copy, "--listen", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert largest.name in done.stderr


def cut(store: Path) -> Path:
    """Truncates its largest file, which the server has mapped."""
    largest = max(store.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(largest, 20_000)
    return largest


def test_a_truncated_store_takes_only_its_dataset_down(
    binary: Path, store: Path, other_store: Path, tmp_path: Path
) -> None:
    kept = Path(shutil.copytree(store, tmp_path / "kept.ink"))
    copy = Path(shutil.copytree(store, tmp_path / "cut.ink"))
    home = tmp_path / "home"
    home.mkdir()
    with Server(binary, copy, home, "--store", f"other={other_store}") as server:
        client = inkstream.connect(server.tcp, retry_for=0.5)
        data, other = client.dataset("quickdraw"), client.dataset("other")
        wanted = [batch.image.tobytes() for batch in read(data)]
        stream = data.stream(batch_size=50, image=IMAGE, shuffle="none")
        next(stream)
        largest = cut(copy)
        with pytest.raises(inkstream.Unavailable) as caught:
            for _ in range(100):
                list(stream)
                read(data)
        assert largest.name in str(caught.value)
        assert "20000" in str(caught.value) and "truncated" in str(caught.value)
        assert len(read(other)) == len(wanted)
        assert server.process.poll() is None
        # A whole file at its place is taken up again.
        os.replace(kept / largest.name, largest)
        again = inkstream.connect(server.tcp, retry_for=60).dataset("quickdraw")
        assert [batch.image.tobytes() for batch in read(again)] == wanted


def test_a_stream_of_a_truncated_store_goes_on_at_another_replica(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        stores, servers = [], []
        for name in ("a", "b"):
            stores.append(Path(shutil.copytree(store, tmp_path / f"{name}.ink")))
            home = tmp_path / name
            home.mkdir()
            servers.append(stack.enter_context(Server(binary, stores[-1], home)))
        data = inkstream.connect([server.tcp for server in servers]).dataset()
        again = {"batch_size": 50, "image": IMAGE, "shuffle": "none", "epochs": 2, "codec": "none"}
        wanted = [batch.image.tobytes() for batch in data.stream("train", **again)]
        stream = data.stream("train", **again)
        found = [next(stream).image.tobytes() for _ in range(5)]
        used = next(i for i in (0, 1) if servers[i].tcp == stream.stats()["endpoint"])
        cut(stores[used])
        found += [batch.image.tobytes() for batch in stream]
        assert found == wanted
        assert stream.stats()["endpoint"] == servers[1 - used].tcp
        assert servers[used].process.poll() is None


def test_what_flips_behind_the_first_read_is_found(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(store, tmp_path / "copy.ink"))
    home = tmp_path / "home"
    home.mkdir()
    with Server(binary, copy, home, "--scrub", "1GiB") as server:
        data = inkstream.connect(server.tcp, retry_for=0.5).dataset()
        read(data)
        for tenth in range(2, 9):
            scribble(copy, tenth / 10, 8)

        def refused() -> bool:
            try:
                read(data)
            except (inkstream.DataLoss, inkstream.Unavailable):
                return True
            return False

        # Each block was read and found sound before.
        assert eventually(refused, 60)
        assert server.process.poll() is None
