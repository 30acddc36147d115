"""Pixels, as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from inkstream._request.keywords import checked_fields
from inkstream._request.messages import message_of
from inkstream._request.values import (
    TorchDType,
    dtype_name,
    holds_many,
    one_of,
    real,
    repr_of,
    sequence,
    shown,
    typed,
    whole,
)
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

_CHANNELS = {1: ["ink"], 3: ["order", "speed", "time"]}
_LAYOUTS = ("NCHW", "NHWC")
_DTYPES = ("uint8", "float16", "bfloat16", "float32")


@checked_fields
@dataclass(frozen=True, repr=False)
class Image:
    """Pixels, drawn from the strokes at any size. `Image(28)` is what Google published.

    `height`, `width`: pixels; a missing width is the height.
    `dtype`: "uint8" (0 ground, 255 ink), "float16", "bfloat16" or "float32" (0..1, then
    `mean` and `std`, one number a channel), or NumPy's or torch's own name for one of these.
    `layout`: "NCHW" or "NHWC".
    `channels`: 1, 3, or names ("ink", "order", "time", "pause", "speed", "direction",
    "constant"). `fit`: "canvas", "box" or "stretch".
    `line_width`, `padding`: in units of the 256 canvas. `quality`: "fast" or "exact".
    FixRequest for values of the wrong kind.
    """

    height: int
    width: int | None = None
    dtype: (
        Literal["uint8", "float16", "bfloat16", "float32"]
        | type[np.generic]
        | np.dtype[Any]
        | TorchDType
    ) = "uint8"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: int | Sequence[str] = 1
    fit: Literal["canvas", "box", "stretch"] = "canvas"
    line_width: float = 16
    padding: float = 16
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    quality: Literal["fast", "exact"] = "fast"

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "height": whole("Image.height", self.height, 0),
            "dtype": dtype_name("Image.dtype", self.dtype, _DTYPES),
            "layout": one_of("Image.layout", self.layout, _LAYOUTS),
            "mean": _numbers("Image.mean", self.mean),
            "std": _numbers("Image.std", self.std),
        }
        if self.width is not None:
            plain["width"] = whole("Image.width", self.width, 1)  # 0 is the height on the wire
        if isinstance(self.channels, str):
            raise FixRequest(f"Image.channels = {self.channels!r}: give [{self.channels!r}]")
        if holds_many(self.channels):
            plain["channels"] = tuple(sequence("Image.channels", self.channels, "names"))
            if not plain["channels"]:
                raise FixRequest('Image.channels is empty: give names, such as ["ink"], or 1')
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        self.to_proto()  # what is of the wrong kind is told here, not at first use

    def __repr__(self) -> str:
        return repr_of(self)

    def to_proto(self) -> plan_pb2.Image:
        """The contract's message."""
        channels = self.channels
        if not isinstance(channels, tuple):
            number = whole("Image.channels", channels)
            if number not in _CHANNELS:
                raise FixRequest(
                    f"Image.channels = {number}: the short forms are 1 and 3; give names"
                )
            channels = tuple(_CHANNELS[number])
        given = {
            **vars(self),
            "width": self.height if self.width is None else self.width,
            "channels": channels,
            "mean": _listed(self.mean),
            "std": _listed(self.std),
        }
        return message_of(plan_pb2.Image, "Image", given)


def as_image(image: Any) -> Image | None:
    """What a stream's `image=` may be: an Image, its side, or (height, width)."""
    if image is None or isinstance(image, Image):
        return image
    if isinstance(image, (tuple, list)) and len(image) == 2:
        return Image(whole("image[0]", image[0], 1), whole("image[1]", image[1], 1))
    if isinstance(image, type):
        raise FixRequest(
            f"image = {shown(image)}: give an Image, such as Image(128), not the class"
        )
    if isinstance(image, Mapping):
        raise FixRequest(f"image = {shown(image)}: give Image({typed(image)})")
    try:
        return Image(whole("image", image, 1))
    except FixRequest as error:
        raise FixRequest(f"{error}; give Image(128), 128, or (height, width)") from None


def _numbers(field: str, value: Any) -> float | tuple[float, ...] | None:
    if not holds_many(value):
        return None if value is None else real(field, value)
    numbers = tuple(real(field, number) for number in sequence(field, value, "numbers"))
    if not numbers:
        raise FixRequest(f"{field} is empty: give one number a channel, or leave it out")
    return numbers


def _listed(value: Any) -> list[float]:
    if value is None:
        return []
    return list(value) if isinstance(value, tuple) else [value]
