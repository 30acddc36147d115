"""Drawings as characters, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL_WIDTH, CELL_HEIGHT = 24, 12  # characters a drawing
_DOTS = 2, 4  # of a braille character, across and down
SIDE = CELL_WIDTH * _DOTS[0], CELL_HEIGHT * _DOTS[1]  # pixels of a cell, across and down
_INK = 96  # of 255, from which on a dot is set
# Bit of each dot by row and column, as Unicode numbers them.
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800
_SHADES = " .:-=+*#%@"
_GAP = "  "


def can_show(encoding: str) -> bool:
    """Whether a terminal of this encoding has braille characters."""
    try:
        chr(_BLANK).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def drawings_in_text(
    pixels: NDArray[np.uint8], words: Sequence[str], width: int, braille: bool = True
) -> str:
    """Rows of drawings with their words below, at most `width` characters wide.

    `pixels`: [drawings, SIDE[1], SIDE[0]], 255 for ink. Without braille, in shades of ASCII.
    """
    draw = _braille if braille else _ascii
    across = max(1, (width + len(_GAP)) // (CELL_WIDTH + len(_GAP)))
    cells = [draw(one) for one in pixels]
    lines: list[str] = []
    for row in range(ceil(len(cells) / across)):
        chosen = slice(row * across, (row + 1) * across)
        lines += [_GAP.join(parts).rstrip() for parts in zip(*cells[chosen], strict=True)]
        named = (f"{word[:CELL_WIDTH]:^{CELL_WIDTH}}" for word in words[chosen])
        lines += [_GAP.join(named).rstrip(), ""]
    return "\n".join(lines).rstrip("\n")


def _braille(pixels: NDArray[np.uint8]) -> list[str]:
    dots = _blocks(pixels) >= _INK
    codes = _BLANK + (dots * _BITS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(map(chr, line)) for line in codes.tolist()]


def _ascii(pixels: NDArray[np.uint8]) -> list[str]:
    shades = _blocks(pixels).mean(axis=(1, 3)) * (len(_SHADES) - 1) / 255
    return ["".join(_SHADES[shade] for shade in line) for line in np.ceil(shades).astype(int)]


def _blocks(pixels: NDArray[Any]) -> NDArray[Any]:
    """[rows of characters, dots down, columns of characters, dots across]."""
    return pixels.reshape(CELL_HEIGHT, _DOTS[1], CELL_WIDTH, _DOTS[0])
