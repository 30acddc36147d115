"""Random changes to drawings, as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inkstream._request.keywords import checked_fields
from inkstream._request.messages import message_of
from inkstream._request.values import holds_many, real, repr_of, sequence, shown, typed
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

Range = float | tuple[float, float]


@checked_fields
@dataclass(frozen=True, kw_only=True, repr=False)
class Augment:
    """Random changes to the strokes before anything is drawn of them.

    They are a function of (seed, epoch, drawing, number of the view) alone: a replay gives the
    same bits, whatever the batch size, rank, world or transport.
    A range is (low, high), or one number: r is (-r, r), for the factors (1 - r, 1 + r).

    `rotation`: degrees, clockwise on the screen, within -360..360. `scale`, `scale_x`,
    `scale_y`: factors, 0.01..100, the latter two on top of the first. `shear`: x gains
    shear · (y - centre), within -10..10. `translate_x`, `translate_y`: units of the 256 canvas,
    within -1024..1024. All about the centre of the drawing's bounding box, in this order: flip,
    scale, shear, rotation, translation; the frame stays that of the unchanged drawing.
    `flip_x` (left-right), `flip_y`, `stroke_dropout` (for each stroke; one always stays),
    `stroke_reorder`, `point_dropout` (for each inner point): probabilities.
    `jitter`: standard deviation, units of the 256 canvas, 0..256.
    `line_width`: factor on the image's line width, 0.01..100.
    """

    rotation: Range | None = None
    scale: Range | None = None
    scale_x: Range | None = None
    scale_y: Range | None = None
    shear: Range | None = None
    translate_x: Range | None = None
    translate_y: Range | None = None
    flip_x: float = 0.0
    flip_y: float = 0.0
    stroke_dropout: float = 0.0
    stroke_reorder: float = 0.0
    point_dropout: float = 0.0
    jitter: float = 0.0
    line_width: Range | None = None

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None:
                continue
            if name in _MIDDLES and holds_many(value):
                plain: Any = _pair(f"Augment.{name}", value)
            else:
                plain = real(f"Augment.{name}", value)
            object.__setattr__(self, name, plain)

    def __repr__(self) -> str:
        return repr_of(self)

    @property
    def only_widens_lines(self) -> bool:
        """Whether the image's line width is all that it changes."""
        return self == Augment(line_width=self.line_width) and self.line_width is not None

    def to_proto(self) -> plan_pb2.Augment:
        """The contract's message."""
        given = dict(vars(self))
        for name in _MIDDLES:
            if given[name] is not None:
                low, high = _range(name, given[name])
                bounds = {"low": low, "high": high}
                given[name] = message_of(plan_pb2.Augment.Range, f"Augment.{name}", bounds)
        return message_of(plan_pb2.Augment, "Augment", given)


# What one number is a range about.
_MIDDLES = {
    **dict.fromkeys(["rotation", "shear", "translate_x", "translate_y"], 0.0),
    **dict.fromkeys(["scale", "scale_x", "scale_y", "line_width"], 1.0),
}


def as_augment(augment: Any) -> Augment | None:
    """What a stream's `augment=` may be."""
    if augment is None or isinstance(augment, Augment):
        return augment
    given = typed(augment) if isinstance(augment, Mapping) else "rotation=10"
    raise FixRequest(f"augment = {shown(augment)}: give Augment({given})")


def _pair(name: str, value: Any) -> tuple[float, float]:
    numbers = [] if isinstance(value, str) else sequence(name, value, "numbers")
    if len(numbers) != 2:
        raise FixRequest(f"{name} = {shown(value)}: give (low, high) or one number")
    low, high = (real(f"{name}[{i}]", number) for i, number in enumerate(numbers))
    return low, high


def _range(name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, tuple):
        return value
    return _MIDDLES[name] - value, _MIDDLES[name] + value
