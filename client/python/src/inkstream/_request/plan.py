"""The keywords of a stream, as one value that becomes the opening request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from google.protobuf.descriptor import EnumDescriptor

from inkstream._python.cached_property import cached_property
from inkstream._request.augment import Augment, as_augment
from inkstream._request.cursor import State, to_proto
from inkstream._request.image import Image, as_image
from inkstream._request.keywords import refuse_unknown
from inkstream._request.messages import message_of, numbers_in
from inkstream._request.sampling import UNIFORM, Sampling, sampling_of
from inkstream._request.strokes import SKETCHRNN, Strokes, as_strokes
from inkstream._request.values import is_bool, nearest, one_of, sequence, shown, whole
from inkstream._request.view import View, as_view
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2, service_pb2

# Measured: messages of 1-4 MiB carry best, 16 MiB ones half as fast. Twice the former lets a
# 4 MiB batch and its labels come whole, so that its arrays need no gathering.
MAX_MESSAGE_BYTES = 8 << 20

# Fields of a Plan that a Delivery has as they are.
_DELIVERED = (
    "columns", "ignore_index", "batch_size", "rank", "world", "tail", "step_offset", "step_stride",
    "views", "on_corrupt", "max_bad",
)  # fmt: skip


class Planned(Protocol):
    """What of a dataset a plan depends on."""

    @property
    def classes(self) -> Sequence[str]:
        """Which weights by word are for where the view names none."""

    def sketchrnn_scale(self, max_len: int) -> float:
        """What `Strokes(scale="sketchrnn")` divides by."""


@dataclass(frozen=True)
class Plan:
    """Order and delivery of one stream. Immutable and picklable."""

    view: View
    batch_size: int = 256
    image: Image | None = None
    strokes: Strokes | None = None
    columns: tuple[str, ...] = ("label",)
    seed: int = 0
    epochs: int | None = 1  # the epoch at whose start the stream has ended; None: it is endless
    rank: int = 0
    world: int = 1
    shuffle: str = "full"
    sampling: Sampling = UNIFORM
    tail: str = "drop"
    augment: Augment | None = None
    views: int = 1
    ignore_index: int | None = None
    on_corrupt: str = "fail"
    max_bad: int | None = None
    codec: str = "auto"
    step_offset: int = 0
    step_stride: int = 1

    @classmethod
    def of(cls, view: View | str, data: Planned | None = None, **keywords: Any) -> Plan:
        """From a stream's keywords, each in any form that users may give it.

        `data`: what it is asked of; left out for what has no weights by word and no strokes.
        FixRequest for values of the wrong kind, and for what would have no effect.
        """
        view = as_view(view)
        refuse_unknown("stream", keywords, [f.name for f in fields(cls)])
        plain = {name: _PLAIN[name](value) for name, value in keywords.items() if name in _PLAIN}
        if "sampling" in keywords:
            words = view.classes or (() if data is None else data.classes)
            plain["sampling"] = sampling_of(keywords["sampling"], words)
        strokes = plain.get("strokes")
        if strokes is not None and strokes.scale == SKETCHRNN:
            assert data is not None, "every caller with strokes has a dataset"
            scale = data.sketchrnn_scale(strokes.max_len)
            plain["strokes"] = replace(strokes, scale=scale)
        plan = cls(view=view, **{**keywords, **plain})
        _ = plan.order, plan.delivery  # what else is of the wrong kind
        _check_effect(plan)
        return plan

    def with_seed(self, seed: int) -> Plan:
        """The same, shuffled by another seed."""
        return replace(self, seed=seed)

    @cached_property
    def order(self) -> plan_pb2.Order:
        """The part that decides which drawing stands where. Not to be changed."""
        kind, _, size = self.shuffle.partition(":")
        order: plan_pb2.Order = message_of(
            plan_pb2.Order,
            "",
            {"seed": self.seed, "shuffle": kind, "window": int(size) if size else None},
        )
        self.sampling.add_to(order)
        return order

    @cached_property
    def delivery(self) -> plan_pb2.Delivery:
        """How the ordered drawings are cut, drawn and sent. Not to be changed."""
        values = {name: getattr(self, name) for name in _DELIVERED} | {
            "image": self.image and self.image.to_proto(),
            "strokes": self.strokes and self.strokes.to_proto(),
            "augment": self.augment and self.augment.to_proto(),
            "epochs": self.epochs or 0,
            "forever": self.epochs is None,
            # Whether strokes can be had, reader and server say.
            "codec": "strokes" if self.codec == "auto" else self.codec,
            "max_message_bytes": MAX_MESSAGE_BYTES,
        }
        delivery: plan_pb2.Delivery = message_of(plan_pb2.Delivery, "", values)
        return delivery

    def opening(
        self, dataset: str, fingerprint: str, cursor: State | None
    ) -> service_pb2.StreamBatchesRequest:
        """The first request of a stream that starts at `place`, without credits."""
        request = service_pb2.StreamBatchesRequest(dataset=dataset)
        request.open.view.CopyFrom(self.view.to_proto())
        request.open.order.CopyFrom(self.order)
        request.open.delivery.CopyFrom(self.delivery)
        request.open.fingerprint = fingerprint
        if cursor is not None:
            request.open.cursor.CopyFrom(to_proto(cursor))
        return request


def planned_batch_bytes(delivery: plan_pb2.Delivery) -> int:
    """The most that a batch of a stream can take by what was asked for."""
    views = max(1, delivery.views)
    row = 8 * (len(delivery.columns) + 2)
    if delivery.HasField("image"):
        image = delivery.image
        # Four bytes a value: no element type has more.
        pixels = image.height * (image.width or image.height)
        row += views * pixels * max(1, len(image.channels)) * 4
    if delivery.HasField("strokes"):
        row += views * ((delivery.strokes.max_len + 1) * 6 * 4 + 16)
    return row * (delivery.batch_size or 256) + 4096


def _seed(given: Any) -> int:
    if given is None:
        raise FixRequest(
            "seed = None: the seed is 0 unless you give one, and never random; for another order "
            "each run, draw one and keep it: seed=secrets.randbits(32)"
        )
    return whole("seed", given, 0, 2**64 - 1)


def _epochs(given: Any) -> int | None:
    if given is None or (isinstance(given, str) and given == "forever"):
        return None
    try:
        return whole("epochs", given, 1)
    except FixRequest as error:
        raise FixRequest(f'{error}; or "forever"') from None


def _shuffle(given: Any) -> str:
    if is_bool(given):
        return "full" if given else "none"
    kind, colon, size = given.partition(":") if isinstance(given, str) else ("", "", "")
    if kind == "window":
        if not size.isdecimal() or int(size) == 0:
            raise FixRequest(f'shuffle = {given!r}: give "window:N", N in drawings')
        return str(given)
    if kind not in ("full", "none") or colon:
        near = nearest(kind, ["full", "none", "window"]) if kind else ""
        raise FixRequest(
            f"shuffle = {shown(given)} is not known{near}; there are 'full' (True), "
            "'none' (False), and 'window:N', N in drawings"
        )
    return str(given)


def _columns(given: Any) -> tuple[str, ...]:
    return () if given is None else tuple(sequence("columns", given, "names"))


def _at_least(name: str, low: int) -> Callable[[Any], int]:
    return lambda given: whole(name, given, low)


def _name(name: str, enum: EnumDescriptor, *more: str) -> Callable[[Any], str]:
    return lambda given: one_of(name, given, (*more, *numbers_in(enum)))


# Forms that users may give keywords in, and the one that a Plan has.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "image": as_image,
    "strokes": as_strokes,
    "augment": as_augment,
    "columns": _columns,
    "seed": _seed,
    "epochs": _epochs,
    "shuffle": _shuffle,
    "max_bad": lambda given: None if given is None else whole("max_bad", given, 1),
    "tail": _name("tail", plan_pb2.Tail.DESCRIPTOR),
    "codec": _name("codec", plan_pb2.Codec.DESCRIPTOR, "auto"),
    "on_corrupt": _name("on_corrupt", plan_pb2.Delivery.OnCorrupt.DESCRIPTOR),
    **{name: _at_least(name, 1) for name in ("batch_size", "world", "views", "step_stride")},
    **{name: _at_least(name, 0) for name in ("rank", "step_offset")},
}


def _check_effect(plan: Plan) -> None:
    """FixRequest for what was asked for and would change nothing."""
    if plan.image is None and plan.strokes is None:
        for name, given in (("augment", plan.augment is not None), ("views", plan.views > 1)):
            if given:
                raise FixRequest(
                    f"{name} changes how drawings are drawn, and none are: give image= or strokes="
                )
    if plan.image is None and plan.augment is not None and plan.augment.only_widens_lines:
        raise FixRequest("augment changes the line width of images only: give image= too")
    if plan.max_bad is not None and plan.on_corrupt != "skip":
        raise FixRequest(
            f'max_bad = {plan.max_bad} has no effect: it bounds what on_corrupt="skip" lets by'
        )
