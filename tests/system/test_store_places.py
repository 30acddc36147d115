"""Stores, and what is exported from them, where something is mounted or linked."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mounts
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
DRAWINGS = 9000
SEGMENTS = ("--segment-drawings", "2000")


@pytest.fixture(scope="module")
def files(inkstream: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("inputs")
    made = []
    for seed in (1, 2):
        made.append(folder / f"{seed}.ndjson")
        done = inkstream("generate", "--drawings", DRAWINGS, "--seed", seed, "-o", made[-1])
        assert done.returncode == 0, done.stderr
    return made


def report(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def whole(inkstream: Run, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of both files in one store."""
    store = tmp_path_factory.mktemp("whole") / "s.ink"
    return str(report(inkstream("ingest", *files, "--store", store, "--json"))["fingerprint"])


@pytest.fixture(
    params=["nothing", "empty", "mount", "volume", "link", "link to a mount", "dangling"]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where a store may be made."""
    path = tmp_path / "s.ink"
    if request.param == "nothing":
        yield path
    elif request.param == "empty":
        path.mkdir()
        yield path
    elif request.param == "link":
        (tmp_path / "target").mkdir()
        path.symlink_to("target")
        yield path
    else:
        where = path if request.param in ("mount", "volume") else tmp_path / "elsewhere"
        with mounts.tmpfs(where):
            if request.param == "volume":
                (where / "lost+found").mkdir()
            elif request.param == "dangling":
                path.symlink_to(where / "made.ink")
            elif request.param == "link to a mount":
                path.symlink_to(where)
            yield path


def names(store: Path) -> set[str]:
    return {path.name for path in store.iterdir()} - {"lost+found"}


def test_a_store_is_made_and_added_to(
    inkstream: Run, files: list[Path], whole: str, place: Path
) -> None:
    is_link = place.is_symlink()
    report(inkstream("ingest", files[0], "--store", place, "--json"))
    assert names(place) == {"MANIFEST", "segment-000000.mdb"}
    added = report(inkstream("ingest", files[1], "--store", place, "--append", "--json"))
    assert added["fingerprint"] == whole
    assert report(inkstream("verify", place, "--json"))["fingerprint"] == whole
    assert names(place) == {
        "MANIFEST",
        "MANIFEST.000001",
        "segment-000000.mdb",
        "segment-000001.mdb",
    }
    assert place.is_symlink() == is_link
    again = inkstream("ingest", files[0], "--store", place)
    assert again.returncode == 2 and "--append" in again.stderr


def staging(place: Path) -> Path:
    return place / ".partial" if place.exists() else Path(f"{place.resolve()}.partial")


def interrupt(binary: Path, arguments: list[str | Path], data: bytes, where: Path) -> None:
    """Kills an ingest of standard input when it has finished two segments."""
    process = subprocess.Popen([binary, *arguments], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(data[: len(data) * 9 // 10])
    process.stdin.flush()
    deadline = time.monotonic() + 120
    while len(list(where.glob("segment-*.mdb"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()


def test_an_interrupted_one_goes_on(
    binary: Path, inkstream: Run, files: list[Path], whole: str, place: Path
) -> None:
    for step, file in enumerate(files):
        data = file.read_bytes()
        arguments: list[str | Path] = ["ingest", "-", "--store", place, "--json", "--resume"]
        arguments += [*SEGMENTS, *(["--append"] if step else [])]
        interrupt(binary, arguments, data, staging(place))
        done = report(inkstream(*arguments, stdin=data.decode()))
        # The third segment may be finished between the look and the kill.
        assert done["taken_over"] in (4000, 6000)
    assert done["fingerprint"] == whole
    assert report(inkstream("verify", place, "--json"))["fingerprint"] == whole
    assert ".partial" not in names(place)


def test_stores_are_merged_into_it(
    inkstream: Run, files: list[Path], whole: str, place: Path, tmp_path: Path
) -> None:
    parts = [tmp_path / f"part{i}" for i in range(2)]
    for part, file in zip(parts, files, strict=True):
        report(inkstream("ingest", file, "--store", part, "--json"))
    assert report(inkstream("merge", place, *parts, "--json"))["fingerprint"] == whole
    assert names(place) == {"MANIFEST", "segment-000000.mdb", "segment-000001.mdb"}
    again = inkstream("merge", place, *parts)
    assert again.returncode == 2 and "exists" in again.stderr


def test_words_are_exported_into_it(
    inkstream: Run, files: list[Path], place: Path, tmp_path: Path
) -> None:
    store = tmp_path / "source.ink"
    report(inkstream("ingest", files[0], "--store", store, "--json"))
    done = inkstream("export", store, "--format", "bin", "-o", place)
    assert done.returncode == 0, done.stderr
    assert all(name.endswith(".bin") for name in names(place))
    assert len(names(place)) > 1


def test_a_file_is_exported_where_a_link_or_a_mount_leads(
    inkstream: Run, files: list[Path], tmp_path: Path
) -> None:
    store = tmp_path / "source.ink"
    report(inkstream("ingest", files[0], "--store", store, "--json"))
    with mounts.tmpfs(tmp_path / "elsewhere") as elsewhere:
        link = tmp_path / "link.ndjson"
        link.symlink_to(elsewhere / "out.ndjson")
        for _ in range(2):
            done = inkstream("export", store, "-o", link)
            assert done.returncode == 0, done.stderr
            assert link.is_symlink()
            assert (elsewhere / "out.ndjson").read_bytes() == files[0].read_bytes()
        onto = tmp_path / "onto.ndjson"
        onto.touch()
        with mounts.bound(elsewhere / "out.ndjson", onto):
            (elsewhere / "out.ndjson").write_text("old")
            done = inkstream("export", store, "-o", onto)
            assert done.returncode == 0, done.stderr
            assert onto.read_bytes() == files[0].read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.partial")) == []


def refusal(inkstream: Run, store: Path, *flags: str) -> str:
    """What is said before the work: the input is a FIFO that nobody writes to."""
    fifo = next(parent for parent in store.parents if parent.is_dir()) / "fifo"
    if not fifo.exists():
        os.mkfifo(fifo)
    done = inkstream("ingest", fifo, "--store", store, *flags)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_what_cannot_be_is_said_before_the_work(inkstream: Run, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").touch()
    for flags in ((), ("--resume",), ("--append",)):
        assert "'thesis.tex' is in it" in refusal(inkstream, full, *flags)
    (tmp_path / "empty").mkdir()
    assert "leave --append out" in refusal(inkstream, tmp_path / "empty", "--append")
    (tmp_path / "file").touch()
    assert "exists and is no directory" in refusal(inkstream, tmp_path / "file")
    assert "make that directory" in refusal(inkstream, tmp_path / "none" / "s.ink")
    (tmp_path / "dangling").symlink_to(tmp_path / "none" / "s.ink")
    said = refusal(inkstream, tmp_path / "dangling")
    assert str(tmp_path / "none") in said and "make that directory" in said


def test_a_read_only_place_is_refused_before_the_work(
    inkstream: Run, files: list[Path], tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    report(inkstream("ingest", files[0], "--store", store, "--json"))
    with mounts.read_only(store, tmp_path / "ro.ink") as frozen:
        said = refusal(inkstream, frozen, "--append")
        assert "Read-only file system" in said and "let this user write there" in said


def test_a_mount_where_a_store_is_to_be_built_is_refused_before_the_work(
    inkstream: Run, files: list[Path], tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    report(inkstream("ingest", files[0], "--store", store, "--json"))
    with mounts.tmpfs(store / ".partial"):
        said = refusal(inkstream, store, "--append")
        assert "another file system" in said and "remove" in said
