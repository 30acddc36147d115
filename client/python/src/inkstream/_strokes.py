"""Stroke tensors, as asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inkstream._errors import FixRequest
from inkstream._messages import message_of, number_of
from inkstream.v1 import plan_pb2


@dataclass(frozen=True)
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
    every view alike), or a number > 0 to divide by.
    `too_long`: "truncate" keeps the first max_len points, "drop" keeps the row with length 0
    and `valid` False (so that ranks stay in step), "error" ends the stream with FixRequest.
    `resample`: > 0 makes points this far apart along each stroke, in units of the canvas.
    `prefix`: share of the points kept, (0, 1], from the first on.
    `ragged`: no padding; `batch.strokes` is [points of all, columns] and drawing i's rows are
    `strokes[offsets[i]:offsets[i + 1]]`, `batch.offsets` [batch + 1] int64.
    `dtype`: "float32" or "float16".
    With `views` = V > 1: strokes [batch, V, rows, columns], length [batch, V], offsets
    [batch * V + 1].
    """

    max_len: int = 250
    format: str = "stroke3"
    start_token: bool | None = None
    scale: str | float = "none"
    too_long: str = "truncate"
    ragged: bool = False
    dtype: str = "float32"
    resample: float = 0.0
    prefix: float = 1.0

    @property
    def starts_with_token(self) -> bool:
        """Whether the first row is a start token."""
        return self.format == "stroke5" if self.start_token is None else self.start_token

    def to_proto(self) -> plan_pb2.Strokes:
        """The contract's message."""
        kind = plan_pb2.Strokes
        message: dict[str, Any] = {
            "format": number_of(kind.Format, "FORMAT", "format", self.format),
            "max_len": self.max_len,
            "start_token": self.start_token,
            "too_long": number_of(kind.TooLong, "TOO_LONG", "too_long", self.too_long),
            "ragged": self.ragged,
            "dtype": number_of(plan_pb2.DType, "DTYPE", "dtype", self.dtype),
            "resample": self.resample,
            "prefix": self.prefix,
        }
        if isinstance(self.scale, str):
            message["scale"] = number_of(kind.Scale, "SCALE", "scale", self.scale)
        elif self.scale == 0:  # on the wire: "not set"
            raise FixRequest("Strokes.scale = 0; give a number above 0, or a name")
        else:
            message["scale_value"] = self.scale
        return message_of(kind, "Strokes", message)
