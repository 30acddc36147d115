"""Batches received and not taken, and the credits for more."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from inkstream._stream.converter import Item

T = TypeVar("T")

_BYTES_AHEAD = 128 << 20
_LEAST_AHEAD = 2  # batches, however large


class PrefetchQueue(Generic[T]):
    """A bounded queue, and what a reader that is granted batches may still send.

    `wanted`: no credits before the first take. `most`: batches in hand and on their way.
    `most_bytes`: what they may come to, but for two. Guarded by whoever has it.
    """

    most_bytes = _BYTES_AHEAD

    def __init__(self, most: int) -> None:
        self.items: deque[Item[T]] = deque()
        self.most = max(1, most)
        self.wanted = False
        self._owed = 0  # batches granted to the present reader and not received

    def __len__(self) -> int:
        return len(self.items)

    def bound(self, window: int) -> None:
        """No more than the server's window; 0 is none."""
        if window:
            self.most = min(self.most, window)

    def credits(self) -> int:
        """To grant now: what there is room for, not in drops. They count as granted."""
        room = self.most - len(self.items) - self._owed
        if not self.wanted or room <= 0 or (2 * room < self.most and self._owed > 0):
            return 0
        self._owed += room
        return room

    def add_granted(self, item: Item[T], size: int) -> None:
        """A batch of `size` bytes, of those granted."""
        self.most = min(self.most, max(_LEAST_AHEAD, self.most_bytes // max(1, size)))
        self._owed -= 1
        self.items.append(item)

    def forget_granted(self) -> None:
        """The reader they were granted to is gone."""
        self._owed = 0

    def drop(self) -> deque[Item[T]]:
        """Empties it; gives what was in it."""
        dropped, self.items = self.items, deque()
        return dropped
