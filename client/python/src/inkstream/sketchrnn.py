"""sketch-rnn's .npz files as NDJSON, for `inkstream ingest` to read from a pipe.

    python -m inkstream.sketchrnn cat.npz dog.npz | inkstream ingest - --store animals.ink

Each drawing becomes one line: its strokes, moved to the origin (the files have differences
only), its word (the file's name, or --word) and its split (the file's own: train, valid, test),
which the store keeps. Files hold no key_ids, countries or times. Drawings wider or higher than
256 are scaled to 255 and rounded; standard error says how many.

The files are pickled arrays. They are read without running what a pickle may contain: anything
but arrays of numbers is refused.
"""

from __future__ import annotations

import argparse
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

SPLITS = ("train", "valid", "test")
"""The arrays of a file, in the order they are written."""

_SIDE = 255
# Google's names: cat.npz, sketchrnn_cat.npz, sketchrnn%2Fcat.npz, cat.full.npz.
_PREFIXES = ("sketchrnn_", "sketchrnn%2F", "sketchrnn%2f")
_SUFFIXES = (".npz", ".full")
_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class BadFile(ValueError):
    """A file that is not one of sketch-rnn's; the text names it and says why."""


class _ArraysOnly(pickle.Unpickler):
    """Rebuilds arrays and refuses to import anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _reconstruct
        found = _ALLOWED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}")
        return found


def _reconstruct(kind: type, shape: tuple[int, ...], _: bytes | str) -> npt.NDArray[np.int8]:
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("it makes something other than an array")
    return np.empty(shape, np.int8)  # filled by the array's own __setstate__


@dataclass
class Summary:
    """What was written."""

    drawings: int = 0
    scaled: int = 0  # larger than the canvas: rounded


def read_split(file: IO[bytes], where: str) -> list[npt.NDArray[np.int64]]:
    """The drawings of one array: stroke-3 [points, 3], each dx, dy, pen lifted after it."""
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(file)
    except (ValueError, KeyError) as error:
        raise BadFile(f"{where}: not an array of numpy: {error}") from None
    if dtype.kind != "O" or len(shape) != 1:
        raise BadFile(f"{where}: {dtype} of shape {shape}, expected a list of drawings")
    try:
        # Google's were written by Python 2.
        drawings = _ArraysOnly(file, encoding="latin1").load()
    except Exception as error:  # a broken pickle may raise anything
        raise BadFile(f"{where}: not arrays of numbers: {error}") from None
    result = []
    for index, drawing in enumerate(drawings):
        array = np.asarray(drawing)
        if array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "iuf":
            raise BadFile(
                f"{where}: drawing {index} is {array.dtype} of shape {array.shape}, "
                "expected numbers of shape [points, 3]"
            )
        if len(array) == 0 or not np.isfinite(array).all():
            raise BadFile(f"{where}: drawing {index} has no points, or some that are not finite")
        if (array != np.round(array)).any():
            raise BadFile(f"{where}: drawing {index} has fractions; expected whole pixels")
        result.append(array.astype(np.int64))
    return result


def to_strokes(stroke3: npt.NDArray[np.int64]) -> tuple[list[list[list[int]]], bool]:
    """Strokes [[x...], [y...]] in 0..255 from the origin; whether they had to be scaled."""
    points = np.cumsum(stroke3[:, :2], axis=0)
    points -= points.min(axis=0)
    extent = int(points.max())
    scaled = extent > _SIDE
    if scaled:
        points = np.rint(points * (_SIDE / extent)).astype(np.int64)
    ends = np.flatnonzero(stroke3[:, 2]) + 1
    strokes = [part.T.tolist() for part in np.split(points, ends) if len(part)]
    return strokes, scaled


def word_of(path: Path) -> str:
    """The word that Google's file name carries."""
    word = path.name
    for suffix in _SUFFIXES:
        word = word.removesuffix(suffix)
    for prefix in _PREFIXES:
        word = word.removeprefix(prefix)
    return word.replace("%20", " ")


def lines(path: Path, word: str | None = None, summary: Summary | None = None) -> Iterator[str]:
    """The drawings of one file as NDJSON lines, split by split. Raises BadFile, OSError."""
    summary = summary if summary is not None else Summary()
    name = word if word is not None else word_of(path)
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise BadFile(f"{path}: not an .npz file: {error}") from None
    with archive:
        present = [split for split in SPLITS if f"{split}.npy" in archive.namelist()]
        if not present:
            raise BadFile(f"{path}: has no array named {', '.join(SPLITS)}")
        for split in present:
            try:
                content = archive.read(f"{split}.npy")
            except (zipfile.BadZipFile, OSError, EOFError) as error:
                raise BadFile(f"{path}: {split} is damaged: {error}") from None
            for stroke3 in read_split(io.BytesIO(content), f"{path}: {split}"):
                strokes, scaled = to_strokes(stroke3)
                summary.drawings += 1
                summary.scaled += scaled
                record = {"word": name, "split": split, "drawing": strokes}
                yield json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The program. 0: done, 1: a file is not what it should be, 2: a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="python -m inkstream.sketchrnn",
        description="Writes sketch-rnn's .npz files as NDJSON to standard output.",
        epilog="example: python -m inkstream.sketchrnn cat.npz | inkstream ingest - --store c.ink",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.npz")
    parser.add_argument("--word", help="the drawings' word; default: each file's name")
    flags = parser.parse_args(arguments)
    summary = Summary()
    try:
        for path in flags.files:
            sys.stdout.writelines(lines(path, flags.word, summary))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has said why, or had enough
        sys.stderr.close()
        return 1
    except (BadFile, OSError) as error:
        print(f"inkstream.sketchrnn: {error}", file=sys.stderr)
        return 1
    scaled = f", {summary.scaled:,} of them scaled and rounded" if summary.scaled else ""
    print(f"Wrote {summary.drawings:,} drawings{scaled}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
