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

Run = Callable[..., subprocess.CompletedProcess[str]]
Strokes = list[list[list[int]]]

SIZES = {"train": 40, "valid": 7, "test": 5}


def _convert(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inkstream.sketchrnn", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


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


def _list_of(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[np.object_]:
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
        ({"train": _list_of([np.zeros((0, 3)), np.zeros((1, 3))])}, "has no points"),
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


def test_what_is_no_archive_or_not_there_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "no.npz").write_bytes(pickle.dumps([1, 2]))
    for name in ("no.npz", "missing.npz"):
        done = _convert(tmp_path / name)
        assert done.returncode == 1
        assert name in done.stderr
        assert "Traceback" not in done.stderr
