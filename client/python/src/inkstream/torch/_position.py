"""What a Loader moves along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from inkstream._network.reader import StreamInfo
from inkstream._request.cursor import State
from inkstream._request.plan import Plan
from inkstream._stream.converter import Item
from inkstream.torch._tensors import Ready


class Position(Protocol):
    """A place in an order that moves as batches are taken; StreamIterator says it in full."""

    @property
    def plan(self) -> Plan:
        """What is asked for, by which rank."""

    @property
    def epoch_position(self) -> tuple[int, int]:
        """Where it stands."""

    @property
    def untouched(self) -> bool:
        """Whether no batch has been taken yet."""

    def take(self) -> Item[Ready] | None:
        """The next batch."""

    def info(self) -> StreamInfo:
        """Size, steps and place."""

    def state(self) -> State:
        """What `load` takes."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Moves to a state."""

    def seek(self, epoch: int, step: int, position: int | None = None) -> None:
        """Moves to a step or position of an epoch."""

    def replan(self, plan: Plan) -> None:
        """Another plan at the same place."""

    def stats(self) -> dict[str, Any]:
        """Counts since it was made."""

    def close(self) -> None:
        """Ends it."""
