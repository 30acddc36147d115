"""The cursor as a dict: what a trainer keeps in its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from inkstream._request.values import text, whole
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

State = dict[str, Any]


class Cursor(TypedDict):
    """A place in an epoch's order, as a batch and a stream tell it; JSON-able.

    `position`: drawings of `epoch` that come before, over all ranks. `fingerprint`: of the
    dataset. `plan_hash`, `order_plan`: of what decides the order, and its text.
    """

    version: int
    fingerprint: str
    plan_hash: str
    seed: int
    epoch: int
    position: int
    order_plan: str


VERSION = 1
_NUMBERS = ("version", "seed", "epoch", "position")
_TEXTS = ("fingerprint", "plan_hash", "order_plan")


def to_state(cursor: plan_pb2.Cursor, order_plan: str = "") -> State:
    """JSON-able form. `order_plan` fills in what a server sends only once a stream."""
    return {
        "version": cursor.version,
        "fingerprint": cursor.fingerprint,
        "plan_hash": cursor.plan_hash,
        "seed": cursor.seed,
        "epoch": cursor.epoch,
        "position": cursor.position,
        "order_plan": cursor.order_plan or order_plan,
    }


def check_state(state: Mapping[str, Any]) -> State:
    """A copy with every field set. FixRequest names what is not a cursor's.

    What the fields say is for the server to judge; `version` is checked here, because an
    unknown one cannot be sent on.
    """
    if not isinstance(state, Mapping):
        raise FixRequest(f"a cursor is a dict, not {type(state).__name__}")
    if not state:
        raise FixRequest(
            "a cursor without a field says no place: keep that of a batch from a stream, a Loader "
            "or a BatchSampler, or their state_dict()"
        )
    unknown = sorted(set(state) - set(_NUMBERS) - set(_TEXTS), key=str)
    if unknown:
        raise FixRequest(
            f"a cursor has no field {unknown[0]!r}; fields: {', '.join(_NUMBERS + _TEXTS)}"
        )
    checked: State = {"version": VERSION, "fingerprint": "", "plan_hash": "", "seed": 0}
    checked.update({"epoch": 0, "position": 0, "order_plan": ""})
    for name, value in state.items():
        if name in _TEXTS:
            checked[name] = text(f"cursor.{name}", value)
            continue
        checked[name] = whole(f"cursor.{name}", value, 0, 2**64 - 1)
    if checked["version"] != VERSION:
        raise FixRequest(
            f"cursor.version = {checked['version']}, this client knows {VERSION}: update it"
        )
    return checked


def to_proto(state: Mapping[str, Any]) -> plan_pb2.Cursor:
    """The message for a checked state."""
    return plan_pb2.Cursor(**state)
