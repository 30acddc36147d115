"""Stroke tensors as polylines, for those who look at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LIFTED = {"stroke3": 2, "points": 2, "stroke5": 3}  # column of "pen lifted after this point"


def to_polylines(rows: Array, format: str) -> list[Array]:
    """The strokes in the rows of one drawing, start token and padding left out.

    `rows`: [points, 3 to 6], as `format` has them ("stroke3", "stroke5" or "points").
    Returns a float32 array [points, 2] of x and y for each stroke, in the units of `rows`.
    A drawing cut by `too_long="truncate"` may end in a stroke whose pen is not lifted.
    """
    ends = np.flatnonzero(rows[:, _LIFTED[format]] > 0.5) + 1
    xy = np.asarray(rows[:, :2], np.float32)
    if format != "points":
        xy = np.cumsum(xy, axis=0, dtype=np.float32)
    return [stroke for stroke in np.split(xy, ends) if len(stroke)]
