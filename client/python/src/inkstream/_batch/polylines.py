"""Stroke tensors <-> polylines, for those who look at them or feed them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import FixRequest

Array = NDArray[Any]

_LIFTED = {"stroke3": 2, "points": 2, "stroke5": 3}  # column of "pen lifted after this point"


def to_polylines(rows: Array, format: str) -> list[Array]:
    """The strokes in the rows of one drawing, start token and padding left out.

    `rows`: [points, 3 to 6], as `format` has them ("stroke3", "stroke5" or "points").
    Returns a float32 array [points, 2] of x and y for each stroke, in the units of `rows`.
    A drawing cut by `too_long="truncate"` may end in a stroke whose pen is not lifted.
    """
    ends = np.flatnonzero(rows[:, _column(format)] > 0.5) + 1
    xy = np.asarray(rows[:, :2], np.float32)
    if format != "points":
        xy = np.cumsum(xy, axis=0, dtype=np.float32)
    return [stroke for stroke in np.split(xy, ends) if len(stroke)]


def from_polylines(strokes: Sequence[Any], format: str = "stroke3") -> Array:
    """The rows of `to_polylines`: float32 [points, 3 or 5], no start token, no padding.

    `strokes`: arrays [points, 2] of x and y.
    """
    lifted_at = _column(format)
    kept = [np.asarray(stroke, np.float32) for stroke in strokes if len(stroke)]
    columns = 5 if format == "stroke5" else 3
    if not kept:
        return np.zeros((0, columns), np.float32)
    xy = np.concatenate(kept)
    if format != "points":
        xy = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.float32))
    rows = np.zeros((len(xy), columns), np.float32)
    rows[:, :2] = xy
    rows[np.cumsum([len(stroke) for stroke in kept]) - 1, lifted_at] = 1
    if format == "stroke5":
        rows[:, 2] = 1 - rows[:, 3]
    return rows


def _column(format: str) -> int:
    if format not in _LIFTED:
        raise FixRequest(f"format = {format!r} is not known; there are {list(_LIFTED)}")
    return _LIFTED[format]
