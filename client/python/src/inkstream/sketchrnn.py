"""sketch-rnn's .npz files as NDJSON, for `inkstream ingest` to read from a pipe.

    python -m inkstream.sketchrnn cat.npz dog.npz | inkstream ingest - --store animals.ink

Each drawing becomes one line of UTF-8: its strokes, moved to the origin (the files have
differences only), its word (the file's name, or --word) and its split (the file's own: train,
valid, test), which the store keeps. Files hold no key_ids, countries or times. Drawings wider or
higher than 256 are scaled to 255 and rounded, drawings without points are left out; standard
error says how many.

The files are pickled arrays. They are read without running what a pickle may contain: anything
but arrays of numbers is refused.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import pickle
import re
import sys
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SPLITS = ("train", "valid", "test")
"""The arrays of a file, in the order they are written."""

_SIDE = 255
_SUFFIX = re.compile(rb"\.npz", re.IGNORECASE)
# What a download puts in front of a file's name, and a browser behind it. The rule is that of
# `inkstream ingest` for .bin files.
_FOLDER = re.compile(rb"(quickdraw_dataset_)?(full_binary_|full_simplified_|full_raw_|sketchrnn_)?")
_COPIES = re.compile(rb"(\s*\([0-9]+\))*$")
_MAX_WORD_BYTES = 255
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
    empty: int = 0  # without points: left out


def read_split(content: bytes, where: str) -> list[npt.NDArray[np.int64]]:
    """The drawings of one array: stroke-3 [points, 3], each dx, dy, pen lifted after it.

    The array is a list of drawings, or, where all have one length, numbers [drawings, points, 3].
    Raises BadFile, which names `where`.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(file)
    except (ValueError, KeyError) as error:
        raise BadFile(f"{where}: not an array of numpy: {error}") from None
    is_list = dtype.kind == "O" and len(shape) == 1
    if not is_list and (len(shape) != 3 or shape[2] != 3 or dtype.kind not in "Oiuf"):
        raise BadFile(f"{where}: {dtype} of shape {shape}, expected a list of drawings")
    drawings: Any
    if dtype.kind != "O" and math.prod(shape) * dtype.itemsize > len(content):
        raise BadFile(f"{where}: it ends before {shape[0]} drawings are read")
    if dtype.kind == "O":
        try:
            # Google's were written by Python 2.
            drawings = list(_ArraysOnly(file, encoding="latin1").load())
        except Exception as error:  # a broken pickle may raise anything
            raise BadFile(f"{where}: not arrays of numbers: {error}") from None
    else:
        try:
            drawings = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        except ValueError as error:
            raise BadFile(f"{where}: not an array of numpy: {error}") from None
    return [_stroke3(drawing, f"{where}: drawing {i}") for i, drawing in enumerate(drawings)]


def _stroke3(drawing: Any, where: str) -> npt.NDArray[np.int64]:
    """One drawing [points, 3], possibly of no points."""
    try:
        array = np.asarray(drawing)
        if array.dtype.kind == "O":  # numbers of Python, as np.array(..., dtype=object) keeps them
            array = np.array(array.tolist())
    except ValueError:  # lists of several lengths
        raise BadFile(f"{where} is no array, expected numbers of shape [points, 3]") from None
    if array.size == 0:
        return np.empty((0, 3), np.int64)
    if array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "iuf":
        raise BadFile(
            f"{where} is {array.dtype} of shape {array.shape}, "
            "expected numbers of shape [points, 3]"
        )
    if not np.isfinite(array).all():
        raise BadFile(f"{where} has numbers that are not finite")
    if (array != np.round(array)).any():
        raise BadFile(f"{where} has fractions; expected whole pixels")
    return array.astype(np.int64)


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
    """The word that a file's name carries. Raises BadFile where that is no text."""
    name = urllib.parse.unquote_to_bytes(os.fsencode(path.name)).rpartition(b"/")[2]
    stem = _SUFFIX.split(name, maxsplit=1)[0].strip()
    stem = _COPIES.sub(b"", stem, count=1).removesuffix(b".full")
    return _checked(
        _FOLDER.sub(b"", stem, count=1), f"{path}: its name's word (--word gives another)"
    )


def _checked(word: bytes, what: str) -> str:
    """The word as the store takes it. Raises BadFile, which says `what` it is."""
    try:
        text = word.decode()
    except UnicodeDecodeError:
        raise BadFile(f"{what} is not valid UTF-8") from None
    if any(unicodedata.category(c) == "Cc" for c in text):
        raise BadFile(f"{what} has control characters")
    if not 1 <= len(word) <= _MAX_WORD_BYTES:
        raise BadFile(f"{what} has {len(word)} bytes, expected 1 to {_MAX_WORD_BYTES}")
    return text


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
            except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
                raise BadFile(f"{path}: {split} is damaged: {error}") from None
            except (RuntimeError, NotImplementedError) as error:  # a password; other packings
                raise BadFile(f"{path}: {split} cannot be unpacked: {error}") from None
            for stroke3 in read_split(content, f"{path}: {split}"):
                if len(stroke3) == 0:
                    summary.empty += 1
                    continue
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
        word = None if flags.word is None else _checked(os.fsencode(flags.word), "--word")
        for path in flags.files:
            for line in lines(path, word, summary):
                sys.stdout.buffer.write(line.encode())  # UTF-8, whatever the locale
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has said why, or had enough
        sys.stderr.close()
        return 1
    except (BadFile, OSError) as error:
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error))
        print(f"inkstream.sketchrnn: {shown}", file=sys.stderr)
        return 1
    scaled = f", {summary.scaled:,} of them scaled and rounded" if summary.scaled else ""
    empty = f", left out {summary.empty:,} without points" if summary.empty else ""
    print(f"Wrote {summary.drawings:,} drawings{scaled}{empty}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
