"""Stroke tensors, as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from inkstream._request.keywords import checked_fields
from inkstream._request.messages import message_of
from inkstream._request.values import (
    TorchDType,
    dtype_name,
    one_of,
    real,
    repr_of,
    shown,
    typed,
    whole,
)
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

_DTYPES = ("float32", "float16")
SKETCHRNN = "sketchrnn"
_SCALES = ("none", "unit", "dataset", SKETCHRNN)


@checked_fields
@dataclass(frozen=True, repr=False)
class Strokes:
    """Stroke tensors: `batch.strokes` [batch, rows, columns] and `batch.length` [batch] int64.

    `max_len`: points a drawing, 1..4096; rows = max_len, and one more with a start token.
    `format`: "stroke3" (dx, dy, pen lifted after this point), "stroke5" (dx, dy, pen down, pen
    lifted, end of drawing) or "points" (x, y, pen lifted after this point). The first dx, dy
    are the first point's place. Rows behind the last point are zeros (stroke5: 0 0 0 0 1).
    `start_token`: a first row of zeros (stroke5: 0 0 1 0 0); left out: for stroke5 only.
    `length` counts points, without it.
    `scale`: "none" (units of the 256 canvas), "unit" (divided by 255), "dataset" (divided by
    `stats["delta_std"]["train"]`, the standard deviation of the training split's offsets, for
    every view alike), "sketchrnn" (by `data.sketchrnn_scale(max_len)`, Magenta's figure, for which
    the training split is read once a process), or a number > 0 to divide by.
    `too_long`: "truncate" keeps the first max_len points, "drop" keeps the row with length 0
    and `valid` False (so that ranks stay in step), "error" ends the stream with FixRequest.
    `resample`: > 0 makes points this far apart along each stroke, in units of the canvas.
    `prefix`: share of the points kept, (0, 1], from the first on.
    `times`: one more column, the last: seconds since the drawing's first point, of stores that
    keep them (`ingest --keep raw`). 0 in start tokens and padding, and in drawings without times.
    `ragged`: no padding; `batch.strokes` is [points of all, columns] and drawing i's rows are
    `strokes[offsets[i]:offsets[i + 1]]`, `batch.offsets` [batch + 1] int64.
    `dtype`: "float32" or "float16", or NumPy's or torch's own name for one of these.
    FixRequest for values of the wrong kind.
    With `views` = V > 1: strokes [batch, V, rows, columns], length [batch, V], offsets
    [batch * V + 1].
    """

    max_len: int = 250
    format: Literal["stroke3", "stroke5", "points"] = "stroke3"
    start_token: bool | None = None
    scale: Literal["none", "unit", "dataset", "sketchrnn"] | float = "none"
    too_long: Literal["truncate", "drop", "error"] = "truncate"
    ragged: bool = False
    dtype: Literal["float32", "float16"] | type[np.generic] | np.dtype[Any] | TorchDType = "float32"
    resample: float = 0.0
    prefix: float = 1.0
    times: bool = False

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {"dtype": dtype_name("Strokes.dtype", self.dtype, _DTYPES)}
        if isinstance(self.scale, str):
            plain["scale"] = one_of("Strokes.scale", self.scale, _SCALES)
        else:
            plain["scale"] = real("Strokes.scale", self.scale)
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        self.to_proto()  # what is of the wrong kind is told here, not at first use

    def __repr__(self) -> str:
        return repr_of(self)

    @property
    def starts_with_token(self) -> bool:
        """Whether the first row is a start token."""
        return self.format == "stroke5" if self.start_token is None else self.start_token

    def to_proto(self) -> plan_pb2.Strokes:
        """The contract's message."""
        given = dict(vars(self))
        if self.scale == SKETCHRNN:
            del given["scale"]  # a number by the time that it is sent: see Plan.of
        elif self.scale == 0:  # on the wire: "not set"
            raise FixRequest("Strokes.scale = 0; give a number above 0, or a name")
        elif not isinstance(self.scale, str):
            given["scale_value"] = given.pop("scale")
        return message_of(plan_pb2.Strokes, "Strokes", given)


def as_strokes(strokes: Any) -> Strokes | None:
    """What a stream's `strokes=` may be: Strokes, or the most points of a drawing."""
    if strokes is None or isinstance(strokes, Strokes):
        return strokes
    if isinstance(strokes, type):
        raise FixRequest(f"strokes = {shown(strokes)}: give Strokes(250), not the class")
    if isinstance(strokes, Mapping):
        raise FixRequest(f"strokes = {shown(strokes)}: give Strokes({typed(strokes)})")
    try:
        return Strokes(whole("strokes", strokes, 1))
    except FixRequest as error:
        raise FixRequest(f"{error}; give Strokes(250), or 250") from None
