"""Pixels, as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inkstream._errors import FixRequest
from inkstream._messages import message_of, number_of
from inkstream.v1 import plan_pb2

_CHANNELS = {1: ["ink"], 3: ["order", "speed", "time"]}


@dataclass(frozen=True)
class Image:
    """Pixels, drawn from the strokes at any size. `Image(28)` is what Google published.

    `height`, `width`: pixels; a missing width is the height.
    `dtype`: "uint8" (0 ground, 255 ink), "float16", "bfloat16" or "float32" (0..1, then
    `mean` and `std`, one number a channel). `layout`: "NCHW" or "NHWC".
    `channels`: 1, 3, or names ("ink", "order", "time", "pause", "speed", "direction",
    "constant"). `fit`: "canvas", "box" or "stretch".
    `line_width`, `padding`: in units of the 256 canvas.
    """

    height: int
    width: int | None = None
    dtype: str = "uint8"
    layout: str = "NCHW"
    channels: int | Sequence[str] = 1
    fit: str = "canvas"
    line_width: float = 16
    padding: float = 16
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    quality: str = "fast"

    def to_proto(self) -> plan_pb2.Image:
        """The contract's message."""
        channels = self.channels
        if isinstance(channels, int):
            if channels not in _CHANNELS:
                raise FixRequest(f"channels = {channels}: the short forms are 1 and 3; give names")
            channels = _CHANNELS[channels]
        message: dict[str, Any] = {
            "height": self.height,
            "width": self.height if self.width is None else self.width,
            "dtype": number_of(plan_pb2.DType, "DTYPE", "dtype", self.dtype),
            "layout": number_of(plan_pb2.Image.Layout, "LAYOUT", "layout", self.layout),
            "channels": list(channels),
            "fit": number_of(plan_pb2.Image.Fit, "FIT", "fit", self.fit),
            "line_width": self.line_width,
            "padding": self.padding,
            "mean": _floats(self.mean),
            "std": _floats(self.std),
            "quality": number_of(plan_pb2.Image.Quality, "QUALITY", "quality", self.quality),
        }
        return message_of(plan_pb2.Image, "Image", message)


def _floats(value: float | Sequence[float] | None) -> list[float]:
    if value is None:
        return []
    return [float(value)] if isinstance(value, (int, float)) else [float(v) for v in value]
