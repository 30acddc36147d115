"""What servers of earlier releases pass over, although it says what comes.

Protobuf has a server skip fields that it does not know, and it would send other tensors, or
another order, than were asked for. A field that is added to Order, Strokes or Image gets a line
here, with what a server says that knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from inkstream._request.plan import Plan
from inkstream.errors import FixRequest


class Said(NamedTuple):
    """What a server says of itself: DescribeDataset's tensors; an order plan, "" for none."""

    tensors: Sequence[str]
    order_plan: str = ""


class _Later(NamedTuple):
    keyword: str
    asked: Callable[[Plan], bool]
    known: Callable[[Said], bool]
    instead: str  # what a server does that does not know it


_LATER = (
    _Later(
        "sampling = Weights(...)",
        lambda plan: plan.order.sampling.HasField("drawings"),
        lambda said: not said.order_plan or "sampling=drawings:" in said.order_plan,
        "draws all alike; update it, or leave weights out",
    ),
    _Later(
        "strokes = Strokes(times=True)",
        lambda plan: plan.delivery.strokes.times,
        lambda said: "strokes.times" in said.tensors,
        "sends none; update it, or leave times out",
    ),
)


def check_understood(plan: Plan, said: Said, server: str) -> None:
    """FixRequest for what of a plan `server` passed over."""
    for later in _LATER:
        if later.asked(plan) and not later.known(said):
            raise FixRequest(
                f"{later.keyword}: {server} is of an earlier release, which {later.instead}"
            )
