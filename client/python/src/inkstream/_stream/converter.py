"""What a stream makes of the batches it receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from inkstream._network.reader import StreamInfo
from inkstream._request.cursor import State
from inkstream._wire.raw_batch import RawBatch

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Converter(Protocol[T_co]):
    """Makes of a batch what its consumer wants."""

    @property
    def own_memory(self) -> bool:
        """Whether what it makes may be written to, so that no other may have the memory."""

    @property
    def slow(self) -> bool:
        """Whether it is to run ahead of the consumer, on the reading thread."""

    def __call__(self, raw: RawBatch, info: StreamInfo) -> T_co:
        """What the consumer gets."""


@dataclass(slots=True)
class Item(Generic[T]):
    """One batch in the form its consumer wants."""

    value: T
    cursor: State  # after it
    epoch: int
    step: int

    @property
    def ends_epoch(self) -> bool:
        """Whether it is its epoch's last."""
        return bool(self.cursor["epoch"] != self.epoch)
