"""sketch-rnn's files, through the Python package and a pipe, into a store and out again."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from inkstream.sketchrnn import word_of

Run = Callable[..., subprocess.CompletedProcess[str]]
Strokes = list[list[list[int]]]

SIZES = {"train": 40, "valid": 7, "test": 5}


def _convert(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inkstream.sketchrnn", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


def _words(done: subprocess.CompletedProcess[str]) -> set[str]:
    assert done.returncode == 0, done.stderr
    return {json.loads(line)["word"] for line in done.stdout.splitlines()}


def _strokes(seed: int) -> Strokes:
    """A drawing that touches both axes, as Google's simplified ones do."""
    random = np.random.default_rng(seed)
    strokes = [
        random.integers(0, 256, (2, random.integers(1, 9))).tolist()
        for _ in range(random.integers(1, 6))
    ]
    strokes[0][0][0] = strokes[-1][1][-1] = 0
    return strokes


def _stroke3(strokes: Strokes) -> npt.NDArray[np.int16]:
    rows, x, y = [], 0, 0
    for xs, ys in strokes:
        for i, (next_x, next_y) in enumerate(zip(xs, ys, strict=True)):
            rows.append((next_x - x, next_y - y, int(i == len(xs) - 1)))
            x, y = next_x, next_y
    return np.array(rows, np.int16)


def _list_of(arrays: list[Any]) -> npt.NDArray[np.object_]:
    result = np.empty(len(arrays), object)
    result[:] = arrays
    return result


@pytest.fixture
def drawings() -> dict[str, list[Strokes]]:
    seeds = iter(range(1000))
    return {split: [_strokes(next(seeds)) for _ in range(n)] for split, n in SIZES.items()}


@pytest.fixture
def file(tmp_path: Path, drawings: dict[str, list[Strokes]]) -> Path:
    path = tmp_path / "sketchrnn_ice cream.full.npz"
    arrays: Any = {split: _list_of([_stroke3(d) for d in drawings[split]]) for split in SIZES}
    np.savez_compressed(path, **arrays)
    return path


def test_drawings_words_and_splits_come_through_the_pipe(
    binary: Path, inkstream: Run, tmp_path: Path, file: Path, drawings: dict[str, list[Strokes]]
) -> None:
    store = tmp_path / "s.ink"
    pipeline = f'"{sys.executable}" -m inkstream.sketchrnn "$0" | "$1" ingest - --store "$2"'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipeline, str(file), str(binary), str(store)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    stats = json.loads(inkstream("stats", store, "--json").stdout)
    assert {name: stats["splits"][name] for name in SIZES} == SIZES
    assert stats["classes"] == {"ice cream": sum(SIZES.values())}
    exported = [
        json.loads(line) for line in inkstream("export", store, "-o", "-").stdout.splitlines()
    ]
    for split in SIZES:
        assert [d["drawing"] for d in exported if d["split"] == split] == drawings[split]
    assert inkstream("verify", store).returncode == 0


def test_a_drawing_larger_than_the_canvas_is_scaled_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "cat.npz"
    wide = np.array([[-100, 0, 0], [510, 255, 1]], np.int16)
    np.savez(path, train=_list_of([wide, wide[:1]]))
    done = _convert(path)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["drawing"] == [[[0, 255], [0, 128]]]
    assert "2 drawings, 1 of them scaled" in done.stderr


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "was here"),))

    path = tmp_path / "bad.npz"
    trap = np.empty(1, object)
    trap[0] = Runs()
    np.savez(path, train=trap)
    done = _convert(path)
    assert done.returncode == 1
    assert "mkdir" in done.stderr
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": np.zeros(3)}, "no array named train, valid, test"),
        ({"train": np.zeros((4, 3))}, "expected a list of drawings"),
        ({"train": _list_of([np.zeros((2, 5))])}, "shape (2, 5)"),
        ({"train": np.zeros((2, 4, 5))}, "expected a list of drawings"),
        ({"train": np.full((2, 4, 3), np.nan)}, "not finite"),
        ({"train": _list_of([[[1, 2, 0], [3, 4]]])}, "drawing 0 is no array"),
        ({"train": _list_of([np.array([["a", "b", "c"]])])}, "expected numbers"),
        ({"train": _list_of([np.full((2, 3), 0.5), np.zeros((1, 3))])}, "fractions"),
    ],
)
def test_a_file_of_something_else_is_said_plainly(
    tmp_path: Path, arrays: dict[str, npt.NDArray[Any]], said: str
) -> None:
    path = tmp_path / "odd.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    done = _convert(path)
    assert done.returncode == 1
    assert "odd.npz" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


STROKE3 = [np.array([[1, 2, 0], [3, 4, 1]]), np.array([[5, 6, 0], [7, 8, 1]])]


@pytest.mark.parametrize(
    "train",
    [
        np.stack(STROKE3),
        np.stack(STROKE3).astype(np.float32),
        np.array(STROKE3, dtype=object),
        _list_of([drawing.tolist() for drawing in STROKE3]),
    ],
    ids=["numbers", "floats", "objects", "lists"],
)
def test_drawings_of_one_length_are_those_of_a_list(
    tmp_path: Path, train: npt.NDArray[Any]
) -> None:
    np.savez(tmp_path / "list.npz", train=_list_of(STROKE3))
    np.savez(tmp_path / "other.npz", train=train)
    expected = _convert(tmp_path / "list.npz", "--word", "cat")
    found = _convert(tmp_path / "other.npz", "--word", "cat")
    assert found.returncode == 0, found.stderr
    assert (found.stdout, len(found.stdout.splitlines())) == (expected.stdout, 2)


@pytest.mark.parametrize("empty", [np.zeros((0, 3)), np.zeros(0), []], ids=["0x3", "0", "list"])
def test_a_drawing_without_points_is_left_out_and_counted(tmp_path: Path, empty: Any) -> None:
    np.savez(tmp_path / "cat.npz", train=_list_of([STROKE3[0], empty, STROKE3[1]]))
    done = _convert(tmp_path / "cat.npz")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "Wrote 2 drawings, left out 1 without points" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
@pytest.mark.parametrize("given", [True, False])
def test_words_are_utf8_in_any_locale(tmp_path: Path, encoding: str, given: bool) -> None:
    path = tmp_path / ("cat.npz" if given else "café 猫.npz")
    np.savez(path, train=_list_of(STROKE3))
    done = _convert(path, *(("--word", "café 猫") if given else ()), PYTHONIOENCODING=encoding)
    assert _words(done) == {"café 猫"}


def test_names_are_read_as_ingest_reads_those_of_bin_files(root: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with archive.open("wb") as file:
        np.savez(file, train=_list_of(STROKE3))
    table = (root / "tests/golden/file_words.txt").read_text().splitlines()
    table += ["cat.full@\tcat", "sketchrnn_cat.full (1)@\tcat"]
    for row in table:
        name, word = row.split("\t")
        for suffix in (".npz", ".NPZ"):
            path = tmp_path / name.replace("@", suffix)
            path.hardlink_to(archive)
            assert word_of(path) == word
    assert _words(_convert(tmp_path / "full%2Fbinary%2FThe%20Eiffel%20Tower.NPZ")) == {
        "The Eiffel Tower"
    }


@pytest.mark.parametrize("name", [b"caf\xe9.npz", b"a\nb.npz", b"%1B[31m.npz", b".npz", b"(1).npz"])
def test_a_name_that_gives_no_word_is_refused(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    np.savez(tmp_path / "cat.npz", train=_list_of(STROKE3))
    (tmp_path / "cat.npz").rename(path)
    done = _convert(path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "--word" in done.stderr
    assert done.stderr.rstrip("\n").isprintable()
    assert _words(_convert(path, "--word", "cat")) == {"cat"}


def test_a_damaged_member_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "cat.npz"
    np.savez_compressed(path, train=_list_of(STROKE3 * 500))
    whole = bytearray(path.read_bytes())
    whole[80:90] = bytes(10)
    path.write_bytes(whole)
    done = _convert(path)
    assert done.returncode == 1
    assert "train is damaged" in done.stderr


def test_what_is_no_archive_or_not_there_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "no.npz").write_bytes(pickle.dumps([1, 2]))
    for name in ("no.npz", "missing.npz"):
        done = _convert(tmp_path / name)
        assert done.returncode == 1
        assert name in done.stderr
        assert "Traceback" not in done.stderr
