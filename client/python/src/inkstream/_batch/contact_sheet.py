"""Contact sheets: a batch as one image for a person."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkstream._python.extras import require
from inkstream._request.values import whole
from inkstream.errors import FixRequest

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

    from inkstream._batch.batch import Batch

_TEXT_HEIGHT = 14  # pixels
_SMALLEST_CELL = 96  # pixels: narrower labels cannot be read
_GAP = 4  # pixels
_SKETCH_SIDE = 96  # pixels of a cell drawn from strokes
_MOST_COLUMNS = 256
_GREYS, _COLOURS = 1, 3  # planes of a cell


Array = NDArray[Any]


def contact_sheet(batch: Batch, limit: int = 64, columns: int | None = None) -> PilImage:
    """One cell a drawing and view, its word below: dark ink on white.

    Images of 3 channels are shown in colour, of other numbers by their first. Without images,
    strokes are drawn, each in a shade of its own. FixRequest where there is neither.
    """
    limit = whole("limit", limit, 1)
    columns = None if columns is None else whole("columns", columns, 1, _MOST_COLUMNS)
    require("a contact sheet", "cli", ["PIL"])
    from PIL import Image, ImageDraw

    if batch.rows == 0:
        raise FixRequest("this batch has no drawings to show")
    if "image" in batch:
        pixels = _cells(batch, limit)
    elif "strokes" in batch:
        pixels = _sketches(batch, limit)
    else:
        raise FixRequest(f"this batch has no images or strokes to show; it has {list(batch)}")
    drawings = min(limit, np.atleast_1d(batch["index"]).size)
    views = len(pixels) // max(drawings, 1)
    words = batch.words()[:drawings] if "label" in batch or "word" in batch else [""] * drawings
    columns = columns or max(1, ceil(sqrt(len(pixels)) / views)) * views
    rows = ceil(len(pixels) / columns)
    height, width = pixels.shape[1:3]
    zoom = max(1, ceil(_SMALLEST_CELL / width))
    cell_width, cell_height = width * zoom + _GAP, height * zoom + _TEXT_HEIGHT + _GAP
    size = (columns * cell_width + _GAP, rows * cell_height + _GAP)
    mode, white = ("RGB", (255, 255, 255)) if pixels.shape[3] == _COLOURS else ("L", 255)
    sheet = Image.new(mode, size, white)
    pen = ImageDraw.Draw(sheet)
    for i, drawing in enumerate(pixels):
        x, y = _GAP + i % columns * cell_width, _GAP + i // columns * cell_height
        cell = Image.fromarray(255 - drawing.squeeze(2) if mode == "L" else 255 - drawing)
        sheet.paste(cell.resize((width * zoom, height * zoom), 0), (x, y))
        pen.rectangle((x - 1, y - 1, x + width * zoom, y + height * zoom), outline="lightgrey")
        pen.text((x + 1, y + height * zoom + 1), words[i // views], fill="dimgrey")
    return sheet


def _cells(batch: Batch, limit: int) -> Array:
    """[drawings * views, H, W, 1 or 3] uint8 of a batch's images, 255 for ink."""
    images = batch.image if batch.image.dtype == np.uint8 else batch.float32("image")
    if batch["index"].ndim == 0:  # one drawing alone
        images = images[None]
    images = images[:limit].reshape(-1, *images.shape[-3:])
    if images.shape[1] <= images.shape[-1]:  # channels first
        images = images.transpose(0, 2, 3, 1)
    images = images[..., :_COLOURS] if images.shape[-1] == _COLOURS else images[..., :_GREYS]
    if images.dtype == np.uint8:
        return images
    low, high = float(images.min()), float(images.max())
    return ((images - low) / max(high - low, 1e-6) * 255).astype(np.uint8)


def _sketches(batch: Batch, limit: int) -> Array:
    """The same of a batch's strokes, each drawing filling its cell."""
    from PIL import Image, ImageDraw

    alone = batch["index"].ndim == 0
    views = batch.length.size if alone else batch.length.size // len(batch["index"])
    cells = []
    for i in range(1 if alone else min(limit, len(batch["index"]))):
        for view in range(views):
            cell = Image.new("L", (_SKETCH_SIDE, _SKETCH_SIDE), 0)
            pen = ImageDraw.Draw(cell)
            lines = batch.polylines(i, view)
            points = np.concatenate(lines) if lines else np.zeros((1, 2), np.float32)
            low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-6)
            for number, line in enumerate(lines):
                place = (line - low) / extent * (_SKETCH_SIDE - 12) + 6
                shade = 255 - 12 * min(number, 10)
                dots = [(float(x), float(y)) for x, y in place]
                pen.line(dots if len(dots) > 1 else dots * 2, fill=shade, width=2)
            cells.append(np.asarray(cell))
    return np.stack(cells)[..., None] if cells else np.zeros((0, 1, 1, 1), np.uint8)
