"""What to stream: views, tensors, augmentation and order as plain values.

The server alone judges them; here only names are turned into the contract's numbers, so a
FixRequest from this module means a name that the contract has no number for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message

from inkstream._errors import FixRequest
from inkstream._key_sets import KeySet
from inkstream.v1 import plan_pb2

M = TypeVar("M", bound=Message)

_CHANNELS = {1: ["ink"], 3: ["order", "speed", "time"]}
_OPERATORS = {"==": 1, "!=": 2, "<": 3, "<=": 4, ">": 5, ">=": 6, "in": 7, "not in": 8}


def number_of(enum: Any, prefix: str, field_name: str, value: str) -> int:
    """The contract's number of a name such as "uint8"; FixRequest lists the names there are."""
    name = f"{prefix}_{value}".upper()
    if name not in enum.keys():  # noqa: SIM118  (not a mapping)
        known = [k[len(prefix) + 1 :].lower() for k in enum.keys()]  # noqa: SIM118
        offered = ", ".join(repr(k) for k in known if k != "unspecified")
        raise FixRequest(f"{field_name} = {value!r} is not known; there are {offered}")
    return int(enum.Value(name))


@dataclass(frozen=True)
class View:
    """A subset of a dataset: everything given must hold.

    `split`: as listed by `Dataset.splits`, also "train[:10%]"; "" is every drawing.
    `classes`: words; label ids are 0..K-1 in this order.
    `where`: column → value, list of values, or (operator, value) with an operator of
    == != < <= > >= in "not in"; a list of such pairs joins them by AND.
    `max_per_class`: drawings, 0 for no bound. `fraction`: of the view, in (0, 1].
    `fold`: (index, count) trains on the other folds, (index, count, True) is the held-out one.
    `include_keys`, `exclude_keys`: drawings' keys, a sequence or a KeySet, or the hash of one
    that the server has.
    """

    split: str = ""
    _: KW_ONLY
    classes: Sequence[str] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    max_per_class: int = 0
    fraction: float = 0.0
    fold: tuple[int, int] | tuple[int, int, bool] | None = None
    include_keys: str | KeySet | Sequence[int] = ""
    exclude_keys: str | KeySet | Sequence[int] = ""

    def __post_init__(self) -> None:
        for name in ("include_keys", "exclude_keys"):
            keys = getattr(self, name)
            if not isinstance(keys, (str, KeySet)):
                object.__setattr__(self, name, KeySet(keys))

    def to_proto(self) -> plan_pb2.View:
        """The contract's message."""
        if isinstance(self.classes, str):
            raise FixRequest(f"classes = {self.classes!r} is a str; give [{self.classes!r}]")
        values = {name: getattr(self, name) for name in _PLAIN}
        for name in ("include_keys", "exclude_keys"):
            keys = getattr(self, name)
            values[name] = keys if isinstance(keys, str) else keys.hash
        values["classes"] = list(self.classes)
        view: plan_pb2.View = message_of(plan_pb2.View, "View", values)
        for column, terms in self.where.items():
            many = isinstance(terms, list) and terms and isinstance(terms[0], tuple)
            for term in terms if many else [terms]:
                view.where.append(_where(column, term))
        if self.fold is not None:
            index, count, *held_out = self.fold
            view.fold.index, view.fold.count = index, count
            view.fold.held_out = bool(held_out and held_out[0])
        return view


_PLAIN = ("split", "max_per_class", "fraction")


def _where(column: str, term: Any) -> plan_pb2.Where:
    operator, value = term if isinstance(term, tuple) else ("==", term)
    if operator == "==" and isinstance(value, (list, set, frozenset)):
        operator = "in"
    if operator not in _OPERATORS:
        known = ", ".join(repr(o) for o in _OPERATORS)
        raise FixRequest(f"where[{column!r}] has operator {operator!r}; there are {known}")
    values = list(value) if operator in ("in", "not in") else [value]
    texts = [str(int(v)) if isinstance(v, bool) else str(v) for v in values]
    return plan_pb2.Where(column=column, op=_OPERATORS[operator], values=texts)  # type: ignore[arg-type]


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


Range = float | tuple[float, float]


@dataclass(frozen=True, kw_only=True)
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

    def to_proto(self) -> plan_pb2.Augment:
        """The contract's message."""
        message: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is None:
                continue
            if name in _MIDDLES:
                low, high = _range(name, value)
                value = message_of(
                    plan_pb2.Augment.Range, f"Augment.{name}", {"low": low, "high": high}
                )
            message[name] = value
        return message_of(plan_pb2.Augment, "Augment", message)


# What one number is a range about.
_MIDDLES = {
    **dict.fromkeys(["rotation", "shear", "translate_x", "translate_y"], 0.0),
    **dict.fromkeys(["scale", "scale_x", "scale_y", "line_width"], 1.0),
}


def _range(name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise FixRequest(f"Augment.{name} = {value!r}: give (low, high) or one number")
        return value[0], value[1]
    try:
        return _MIDDLES[name] - value, _MIDDLES[name] + value
    except TypeError:
        raise FixRequest(f"Augment.{name} = {value!r}: give (low, high) or one number") from None


def _floats(value: float | Sequence[float] | None) -> list[float]:
    if value is None:
        return []
    return [float(value)] if isinstance(value, (int, float)) else [float(v) for v in value]


def message_of(kind: type[M], name: str, values: dict[str, Any]) -> M:
    """Builds a message; FixRequest names the field that cannot hold its value."""
    message = kind()
    for key, value in values.items():
        if value is None:
            continue
        try:
            message.MergeFrom(kind(**{key: value}))
        except (TypeError, ValueError) as error:
            raise FixRequest(f"{name}.{key} = {value!r}: {error}") from None
    return message


def as_view(view: View | str) -> View:
    """A split's name as a view."""
    if isinstance(view, View):
        return view
    if isinstance(view, str):
        return View(view)
    raise FixRequest(f"expected a View or a split's name, got {type(view).__name__}")
