"""Drawings by their numbers: requests and answers."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from inkstream._batch import Batch, decode
from inkstream._errors import FixRequest
from inkstream._messages import message_of
from inkstream._plan import Plan
from inkstream.v1 import service_pb2

if TYPE_CHECKING:
    from inkstream._dataset import Dataset


def fetch_request(
    dataset: Dataset, plan: Plan, epoch: int, first_view: int
) -> service_pb2.FetchDrawingsRequest:
    """A request of the drawings that are yet to be named."""
    return message_of(
        service_pb2.FetchDrawingsRequest,
        "fetch",
        {
            "dataset": dataset.name,
            "fingerprint": dataset.fingerprint,
            "delivery": plan.delivery(),
            "order": plan.order(),
            "epoch": epoch,
            "augment_view": first_view,
        },
    )


def fetched(dataset: Dataset, request: service_pb2.FetchDrawingsRequest, plan: Plan) -> Batch:
    """What the server answers."""
    raw, facts = dataset.client.fetch(request)
    said = facts.classes if facts and facts.classes else ()
    classes = said or request.view.classes or dataset.classes
    return decode(raw, classes=classes, strokes_spec=plan.strokes)


def integers(name: str, values: Any) -> list[int]:
    """Whole numbers of any type; FixRequest names what is none."""
    try:
        return [operator.index(value) for value in values]
    except TypeError:
        raise FixRequest(f"{name} = {values!r} is not a sequence of integers") from None
