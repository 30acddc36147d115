"""The server's shuffle, bit for bit: a keyed bijection of [0, size) in O(1) memory.

A Feistel network over two radices with cycle walking, as server/order/README.md defines it.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._request.values import as_array, whole
from inkstream.errors import FixRequest

MAX_SIZE = 1 << 63
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9
_MULTIPLIER_2 = 0x94D049BB133111EB
_PAIRS, _PAIRS_SMALL, _SMALL = 3, 12, 1 << 16

U64 = NDArray[np.uint64]
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def mix(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = ((x ^ (x >> 30)) * _MULTIPLIER_1) & MASK
    x = ((x ^ (x >> 27)) * _MULTIPLIER_2) & MASK
    return x ^ (x >> 31)


def _ceil_sqrt(x: int) -> int:
    root = isqrt(x)
    return root if root * root == x else root + 1


def _multiply_high(a: U64, b: int) -> U64:
    """High halves of the 128-bit products with b < 2^32, which each radix of 2^63 is."""
    factor = np.uint64(b)
    high: U64 = ((a >> _32) * factor + ((a & _LOW) * factor >> _32)) >> _32
    return high


class Permutation:
    """Position in an epoch → rank of a drawing in its view.

    Immutable and picklable. `size` is in 1..2^63.
    """

    def __init__(self, size: int, seed: int = 0, epoch: int = 0) -> None:
        self.size = size = whole("size", size, 1, MAX_SIZE)
        self.seed = seed = whole("seed", seed, 0, MASK)
        self.epoch = epoch = whole("epoch", epoch, 0, MASK)
        # One radix is even: with two odd ones half of the orders would be out of reach.
        self._left = _ceil_sqrt(size)
        self._left += self._left % 2
        self._right = -(-size // self._left)
        self._pairs = _PAIRS_SMALL if size < _SMALL else _PAIRS
        state = mix((size + GOLDEN) & MASK)
        state = mix(state ^ (seed & MASK))
        state = mix((state + GOLDEN) & MASK) ^ (epoch & MASK)
        state = mix((state + GOLDEN) & MASK)
        self._keys: list[np.uint64] = []
        for _ in range(2 * self._pairs):
            state = (state + GOLDEN) & MASK
            self._keys.append(np.uint64(mix(state)))

    def __len__(self) -> int:
        return self.size

    def __call__(self, positions: Any) -> NDArray[np.int64]:
        """Ranks of an array of positions, each in [0, size)."""
        given = np.atleast_1d(as_array("positions", positions))
        if given.size and given.dtype.kind not in "iu":
            raise FixRequest(f"positions are an array of {given.dtype}, not of whole numbers")
        if given.size and (int(given.min()) < 0 or int(given.max()) >= self.size):
            raise FixRequest(f"positions are not all in 0..{self.size - 1}")
        values = self._encrypt(given.astype(np.uint64))
        while (outside := np.flatnonzero(values >= np.uint64(self.size))).size:
            values[outside] = self._encrypt(values[outside])
        return values.astype(np.int64)

    def _encrypt(self, values: U64) -> U64:
        right = np.uint64(self._right)
        left_half, right_half = values // right, values % right
        for pair in range(self._pairs):
            left_half = self._round(left_half, right_half, self._keys[2 * pair], self._left)
            right_half = self._round(right_half, left_half, self._keys[2 * pair + 1], self._right)
        joined: U64 = left_half * right + right_half
        return joined

    @staticmethod
    def _round(target: U64, half: U64, key: np.uint64, radix: int) -> U64:
        x = (half ^ key) * np.uint64(_MULTIPLIER_1)
        x = (x ^ (x >> _32)) * np.uint64(_MULTIPLIER_2)
        total = target + _multiply_high(x, radix)
        bound = np.uint64(radix)
        return np.where(total >= bound, total - bound, total)
