"""Contact sheets: a batch as one image for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkstream._request.values import whole

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_TEXT_HEIGHT = 14  # pixels
_SMALLEST_CELL = 96  # pixels: narrower labels cannot be read
_GAP = 4  # pixels
_SKETCH_SIDE = 96  # pixels of a cell drawn from strokes
_MOST_COLUMNS = 256
_GREYS, _COLOURS = 1, 3  # planes of a cell


Array = NDArray[Any]


def contact_sheet(cells: Array, words: Sequence[str], columns: int | None) -> PilImage:
    """One cell a drawing and view, the drawing's word below: dark ink on white.

    `cells`: [drawings * views, H, W, 1 or 3] uint8, 255 for ink; `words`: one a drawing.
    """
    columns = None if columns is None else whole("columns", columns, 1, _MOST_COLUMNS)
    from PIL import Image, ImageDraw

    views = len(cells) // max(len(words), 1)
    columns = columns or max(1, ceil(sqrt(len(cells)) / views)) * views
    rows = ceil(len(cells) / columns)
    height, width = cells.shape[1:3]
    zoom = max(1, ceil(_SMALLEST_CELL / width))
    cell_width, cell_height = width * zoom + _GAP, height * zoom + _TEXT_HEIGHT + _GAP
    size = (columns * cell_width + _GAP, rows * cell_height + _GAP)
    mode, white = ("RGB", (255, 255, 255)) if cells.shape[3] == _COLOURS else ("L", 255)
    sheet = Image.new(mode, size, white)
    pen = ImageDraw.Draw(sheet)
    for i, drawing in enumerate(cells):
        x, y = _GAP + i % columns * cell_width, _GAP + i // columns * cell_height
        cell = Image.fromarray(255 - drawing.squeeze(2) if mode == "L" else 255 - drawing)
        sheet.paste(cell.resize((width * zoom, height * zoom), 0), (x, y))
        pen.rectangle((x - 1, y - 1, x + width * zoom, y + height * zoom), outline="lightgrey")
        pen.text((x + 1, y + height * zoom + 1), words[i // views], fill="dimgrey")
    return sheet


def cells_of_images(images: Array) -> Array:
    """The cells of [drawings, ..., C, H, W] or [drawings, ..., H, W, C] images.

    Images of 3 channels are shown in colour, of other numbers by their first.
    """
    images = images.reshape(-1, *images.shape[-3:])
    if images.shape[1] <= images.shape[-1]:  # channels first
        images = images.transpose(0, 2, 3, 1)
    images = images[..., :_COLOURS] if images.shape[-1] == _COLOURS else images[..., :_GREYS]
    if images.dtype == np.uint8:
        return images
    low, high = float(images.min()), float(images.max())
    return ((images - low) / max(high - low, 1e-6) * 255).astype(np.uint8)


def cells_of_strokes(drawings: Iterable[Sequence[Array]]) -> Array:
    """The cells of polylines, each drawing filling its cell, each line in a shade of its own."""
    from PIL import Image, ImageDraw

    cells = []
    for lines in drawings:
        cell = Image.new("L", (_SKETCH_SIDE, _SKETCH_SIDE), 0)
        pen = ImageDraw.Draw(cell)
        points = np.concatenate(lines) if lines else np.zeros((1, 2), np.float32)
        low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-6)
        for number, line in enumerate(lines):
            place = (line - low) / extent * (_SKETCH_SIDE - 12) + 6
            shade = 255 - 12 * min(number, 10)
            dots = [(float(x), float(y)) for x, y in place]
            pen.line(dots if len(dots) > 1 else dots * 2, fill=shade, width=2)
        cells.append(np.asarray(cell))
    return np.stack(cells)[..., None] if cells else np.zeros((0, 1, 1, 1), np.uint8)
