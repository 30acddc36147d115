"""What servers of earlier releases pass over, although it says what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inkstream._request.plan import Plan
from inkstream.errors import FixRequest


class _Later(NamedTuple):
    asked: str
    by: Callable[[Plan], bool]
    instead: str  # what such a server does


# Whole for ever: a server that says `refuses_unknown` names what it does not know itself.
_LATER = (
    _Later(
        "sampling = Weights(...)",
        lambda plan: plan.order.sampling.HasField("drawings"),
        "draws all alike; update it, or leave the weights out",
    ),
    _Later(
        "strokes = Strokes(times=True)",
        lambda plan: plan.delivery.strokes.times,
        "sends none; update it, or leave times out",
    ),
)


def check_understood(plan: Plan, refuses_unknown: bool, server: str) -> None:
    """FixRequest for what `server`, that says `refuses_unknown`, passed over of a plan."""
    if refuses_unknown:
        return
    for later in _LATER:
        if later.by(plan):
            raise FixRequest(
                f"{later.asked}: {server} is of an earlier release, which {later.instead}"
            )
