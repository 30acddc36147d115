"""The keywords of a stream, as one value that becomes the opening request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inkstream._augment import Augment
from inkstream._cursor import State, to_proto
from inkstream._errors import FixRequest
from inkstream._image import Image
from inkstream._messages import message_of, number_of
from inkstream._strokes import Strokes
from inkstream._view import View, as_view
from inkstream.v1 import plan_pb2, service_pb2

# Measured: messages of 1-4 MiB carry best, 16 MiB ones half as fast. Twice the former lets a
# 4 MiB batch and its labels come whole, so that its arrays need no gathering.
MAX_MESSAGE_BYTES = 8 << 20

# uniform, balanced:ALPHA, a weight a class, or (view, weight) pairs.
Sampling = str | Sequence[float] | Sequence[tuple[View, float]]


@dataclass(frozen=True)
class Plan:
    """Order and delivery of one stream. Immutable and picklable."""

    view: View
    batch_size: int = 256
    image: Image | None = None
    strokes: Strokes | None = None
    columns: tuple[str, ...] = ("label",)
    seed: int = 0
    epochs: int | str = 1
    rank: int = 0
    world: int = 1
    shuffle: str = "full"
    sampling: Sampling = "uniform"
    tail: str = "drop"
    augment: Augment | None = None
    views: int = 1
    ignore_index: int | None = None
    on_corrupt: str = "fail"
    max_bad: int = 0
    codec: str = "none"
    transport: str = "auto"
    step_offset: int = 0
    step_stride: int = 1

    @classmethod
    def of(cls, view: View | str, **keywords: Any) -> Plan:
        """From a stream's keywords. FixRequest for values of the wrong kind."""
        columns = keywords.pop("columns", ("label",))
        if isinstance(columns, str):
            raise FixRequest(f"columns = {columns!r} is a str; give a list, [{columns!r}]")
        try:
            return cls(view=as_view(view), columns=tuple(columns or ()), **keywords)
        except TypeError as error:
            raise FixRequest(str(error).replace("Plan.__init__()", "stream()")) from None

    @property
    def last_epoch(self) -> int | None:
        """The epoch at whose start the stream has ended; None for an endless one."""
        if self.epochs == "forever":
            return None
        if isinstance(self.epochs, str) or self.epochs < 1:
            raise FixRequest(f'epochs = {self.epochs!r}: give a number >= 1 or "forever"')
        return self.epochs

    def with_seed(self, seed: int) -> Plan:
        """The same, shuffled by another seed."""
        return replace(self, seed=seed)

    def order(self) -> plan_pb2.Order:
        """The part that decides which drawing stands where."""
        kind, _, size = self.shuffle.partition(":")
        order: plan_pb2.Order = message_of(
            plan_pb2.Order,
            "stream",
            {
                "seed": self.seed,
                "shuffle": number_of(plan_pb2.Order.Shuffle, "SHUFFLE", "shuffle", kind),
            },
        )
        if kind == "window":
            if not size.isdecimal():
                raise FixRequest(f'shuffle = {self.shuffle!r}: give "window:N", N in drawings')
            order.window = int(size)
        elif size:
            raise FixRequest(f'shuffle = {self.shuffle!r}: only "window" takes a number')
        self._add_sampling(order)
        return order

    def _add_sampling(self, order: plan_pb2.Order) -> None:
        sampling = self.sampling
        if isinstance(sampling, str):
            kind, _, alpha = sampling.partition(":")
            if kind == "balanced":
                try:
                    order.sampling.balanced.alpha = float(alpha)
                except ValueError:
                    raise FixRequest(
                        f'sampling = {sampling!r}: give "balanced:ALPHA", such as "balanced:0.5"'
                    ) from None
            elif sampling != "uniform":
                raise FixRequest(
                    f'sampling = {sampling!r} is not known; there are "uniform", '
                    '"balanced:ALPHA", a list of weights, and a list of (view, weight)'
                )
        else:
            for entry in sampling:
                if isinstance(entry, tuple):
                    order.sampling.mix.views.append(entry[0].to_proto())
                    order.sampling.mix.weights.append(entry[1])
                else:
                    order.sampling.weights.weights.append(entry)

    def delivery(self) -> plan_pb2.Delivery:
        """How the ordered drawings are cut, drawn and sent."""
        end = self.last_epoch
        values: dict[str, Any] = {
            "image": self.image and self.image.to_proto(),
            "strokes": self.strokes and self.strokes.to_proto(),
            "columns": list(self.columns),
            "ignore_index": self.ignore_index,
            "rank": self.rank,
            "tail": number_of(plan_pb2.Tail, "TAIL", "tail", self.tail),
            "epochs": end or 0,
            "forever": end is None,
            "step_offset": self.step_offset,
            "step_stride": self.step_stride,
            "augment": self.augment and self.augment.to_proto(),
            "transport": number_of(plan_pb2.Transport, "TRANSPORT", "transport", self.transport),
            "codec": number_of(plan_pb2.Codec, "CODEC", "codec", self.codec),
            "on_corrupt": number_of(
                plan_pb2.Delivery.OnCorrupt, "ON_CORRUPT", "on_corrupt", self.on_corrupt
            ),
            "max_bad": self.max_bad,
            "max_message_bytes": MAX_MESSAGE_BYTES,
        }
        # 0 means "the default" on the wire, so a 0 given here would pass unnoticed.
        for name in ("batch_size", "world", "views", "step_stride"):
            if getattr(self, name) == 0:
                raise FixRequest(f"delivery.{name} = 0; it must be at least 1")
            values[name] = getattr(self, name)
        delivery: plan_pb2.Delivery = message_of(plan_pb2.Delivery, "stream", values)
        return delivery

    def opening(
        self, dataset: str, fingerprint: str, place: State | None
    ) -> service_pb2.StreamBatchesRequest:
        """The first request of a stream that starts at `place`, without credits."""
        request = service_pb2.StreamBatchesRequest(dataset=dataset)
        request.open.view.CopyFrom(self.view.to_proto())
        request.open.order.CopyFrom(self.order())
        request.open.delivery.CopyFrom(self.delivery())
        request.open.fingerprint = fingerprint
        if place is not None:
            request.open.cursor.CopyFrom(to_proto(place))
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
        row += views * ((delivery.strokes.max_len + 1) * 5 * 4 + 16)
    return row * (delivery.batch_size or 256) + 4096
