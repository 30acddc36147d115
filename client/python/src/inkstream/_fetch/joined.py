"""Batches one after the other as one: the answer to a request that took several calls."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from inkstream._batch.batch import RAGGED, Array, Batch
from inkstream.errors import DataLoss, FixRequest

MAX_BYTES = 4 << 30


def joined(parts: Iterator[Batch], rows: int) -> Batch:
    """`parts` as one batch of `rows` drawings.

    An array is made once the first part tells its shape, and each part is let go of once it is
    copied. FixRequest as soon as all are seen to take more than MAX_BYTES.
    """
    first = next(parts)
    ragged = RAGGED if "offsets" in first else ()
    _check_size(first, rows)
    arrays = {
        name: np.empty((rows, *array.shape[1:]), array.dtype)
        for name, array in first.items()
        if name not in ragged
    }
    points: list[Array] = []  # whose number only the last part tells
    ends: list[Array] = [np.zeros(1, np.int64)]
    done = bad = 0
    for part in chain([first], parts):
        end = done + part.rows
        for name, array in arrays.items():
            if part[name].shape[1:] != array.shape[1:] or end > rows:
                raise DataLoss(f"{part} does not go on after {done} of {rows} drawings")
            array[done:end] = part[name]
        if ragged:
            points.append(part.strokes.copy())
            ends.append(part.offsets[1:] + ends[-1][-1])
        done, bad = end, bad + part.bad
    if done != rows:
        raise DataLoss(f"{done} of {rows} drawings came")
    if ragged:
        arrays |= {"strokes": np.concatenate(points), "offsets": np.concatenate(ends)}
    for array in arrays.values():
        array.flags.writeable = False
    return first.like({name: arrays[name] for name in first}, bad)


def _check_size(first: Batch, rows: int) -> None:
    size = sum(array.nbytes for array in first.values())
    expected = size * rows // first.rows
    if expected > MAX_BYTES:
        raise FixRequest(
            f"{rows:,} drawings of {size // first.rows:,} bytes each are {expected:,} bytes, and "
            f"one call gives at most {MAX_BYTES:,}: ask for fewer at a time, or take "
            "data.stream(...) or data.share(...)"
        )
