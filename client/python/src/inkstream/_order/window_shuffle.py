"""`shuffle="window:N"`, bit for bit the server's: runs of a store in a shuffled order.

Chunks of 256 neighbouring ranks are shuffled, then positions within windows of N, as
server/order/README.md defines it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._order.permutation import GOLDEN, MASK, Permutation, mix
from inkstream.errors import FixRequest

_CHUNK = 256
_SLOT_KEY, _WINDOW_KEY = 1, 2


def _derive(key: int, number: int) -> int:
    return mix(((mix((key + GOLDEN) & MASK) ^ (number & MASK)) + GOLDEN) & MASK)


class WindowShuffle:
    """Position in an epoch → rank of a drawing in its view; O(1) memory. Immutable."""

    def __init__(self, size: int, window: int, seed: int = 0, epoch: int = 0) -> None:
        if window < 1:
            raise FixRequest(f"window = {window}: a window has at least 1 drawing")
        self.size, self.seed, self.epoch = size, seed, epoch
        self.window = min(window, size)
        key = _derive(seed & MASK, epoch)
        self._key = _derive(key, _WINDOW_KEY)
        whole, self._rest = divmod(size, _CHUNK)
        slot = (_derive(key, _SLOT_KEY) * (whole + 1)) >> 64
        self._before_rest = slot * _CHUNK
        self._chunks = Permutation(whole, seed, epoch) if whole else None

    def __len__(self) -> int:
        return self.size

    def __call__(self, positions: Any) -> NDArray[np.int64]:
        """Ranks of an array of positions, each in [0, size)."""
        given = np.atleast_1d(np.asarray(positions, dtype=np.int64))
        if given.size and (int(given.min()) < 0 or int(given.max()) >= self.size):
            raise FixRequest(f"positions are not all in 0..{self.size - 1}")
        windows = given // self.window
        places = np.empty_like(given)
        for number in np.unique(windows).tolist():
            begin = number * self.window
            here = windows == number
            length = min(self.window, self.size - begin)
            places[here] = begin + Permutation(length, self._key, number)(given[here] - begin)
        return self._by_chunk(places)

    def _by_chunk(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the chunks' order puts these places."""
        # The chunk that is not whole holds the last ranks and has a place of its own.
        first, behind = self._before_rest, self._before_rest + self._rest
        ranks = np.where(places >= behind, places - self._rest, places)
        loose = (places >= first) & (places < behind)
        if self._chunks is not None:
            firm = ~loose
            chunks = self._chunks(ranks[firm] // _CHUNK)
            ranks[firm] = chunks * _CHUNK + ranks[firm] % _CHUNK
        ranks[loose] = self.size - self._rest + places[loose] - first
        return ranks
