"""Memory that batches of one stream are drawn into, used again once nothing shows it any more."""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import Any

import numpy as np

from inkstream._wire.raw_batch import Bytes

_ALIGNED = 64  # bytes
_HUGE_PAGE = 2 << 20  # bytes


class Piece:
    """Room for one batch, aligned as the library wants it."""

    __slots__ = ("_holder", "address", "size")

    def __init__(self, size: int) -> None:
        if size < _HUGE_PAGE:
            memory = np.empty(size + _ALIGNED, np.uint8)
        else:
            # Not shared: what a forked process has must not change under it.
            pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            # Cleared in fewer and larger steps, where the machine allows it.
            with contextlib.suppress(OSError):
                pages.madvise(mmap.MADV_HUGEPAGE)
            memory = np.frombuffer(pages, np.uint8)
        self._holder: Any = memory
        self.address = -(-memory.ctypes.data // _ALIGNED) * _ALIGNED
        self.size = size


class _Lent:
    """A batch as NumPy takes it up; its memory goes back when the last view of it dies."""

    __slots__ = ("__array_interface__", "_piece", "_pieces")

    def __init__(self, pieces: Pieces, piece: Piece, size: int, own: bool) -> None:
        self._pieces, self._piece = pieces, piece
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (piece.address, not own),
        }

    def __del__(self) -> None:
        self._pieces.give_back(self._piece)


class Pieces:
    """Of one size. Thread-safe."""

    def __init__(self, size: int, kept: int) -> None:
        """`size`: bytes of each; `kept`: how many of those that are free."""
        self.size = size
        self._kept = kept
        self._free: list[Piece] = []
        self._pid = os.getpid()

    def take(self) -> Piece:
        """One that nothing shows."""
        try:
            return self._free.pop()
        except IndexError:
            return Piece(self.size)

    def give_back(self, piece: Piece) -> None:
        """To be taken again."""
        if len(self._free) < self._kept and self._pid == os.getpid():
            self._free.append(piece)

    def lent(self, piece: Piece, size: int, own: bool) -> Bytes:
        """The batch of `size` bytes in `piece`. `own`: its holder may write to it."""
        if size == 0:
            self.give_back(piece)
            return np.empty(0, np.uint8)
        return np.asarray(_Lent(self, piece, size, own))


class SparePieces:
    """Of batches that come one by one: used again where the next one is about as large.

    Thread-safe. Picklable: without what it holds.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._pieces = Pieces(0, 0)

    def __reduce__(self) -> tuple[type[SparePieces], tuple[int]]:
        return SparePieces, (self._kept,)

    def of(self, size: int) -> Pieces:
        """Pieces that a batch of `size` bytes fits in."""
        pieces = self._pieces
        if not size <= pieces.size <= 2 * size:
            pieces = self._pieces = Pieces(size, self._kept)
        return pieces
