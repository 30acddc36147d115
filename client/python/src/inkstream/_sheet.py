"""Contact sheets: a batch as one image for a person."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from inkstream._errors import FixRequest

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

    from inkstream._batch import Array, Batch

_TEXT_HEIGHT = 14  # pixels
_SMALLEST_CELL = 96  # pixels: narrower labels cannot be read
_GAP = 4  # pixels


def contact_sheet(batch: Batch, limit: int = 64, columns: int | None = None) -> PilImage:
    """Dark ink on white, one cell a drawing, its word below. FixRequest without images."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ImportError("a contact sheet needs Pillow: pip install pillow") from None
    if "image" not in batch:
        raise FixRequest(f"this batch has no images to show; it has {list(batch)}")
    pixels = _as_grey(batch.image)[:limit]
    words = batch.words()[:limit] if "label" in batch else [""] * len(pixels)
    columns = columns or max(1, ceil(sqrt(len(pixels))))
    rows = ceil(len(pixels) / columns)
    height, width = pixels.shape[1:]
    zoom = max(1, ceil(_SMALLEST_CELL / width))
    cell_width, cell_height = width * zoom + _GAP, height * zoom + _TEXT_HEIGHT + _GAP
    sheet = Image.new("L", (columns * cell_width + _GAP, rows * cell_height + _GAP), 255)
    pen = ImageDraw.Draw(sheet)
    for i, (drawing, word) in enumerate(zip(pixels, words, strict=True)):
        x, y = _GAP + i % columns * cell_width, _GAP + i // columns * cell_height
        cell = Image.fromarray(255 - drawing).resize((width * zoom, height * zoom), 0)
        sheet.paste(cell, (x, y))
        pen.rectangle((x - 1, y - 1, x + width * zoom, y + height * zoom), outline=224)
        pen.text((x + 1, y + height * zoom + 1), word, fill=64)
    return sheet


def _as_grey(images: Array) -> Array:
    """[B, H, W] uint8 from any image tensor of a batch, augmented views aside."""
    if images.ndim in (2, 3):  # one drawing alone
        images = images.reshape((1,) * (4 - images.ndim) + images.shape)
    while images.ndim > 4:
        images = images[:, 0]
    channels_first = images.shape[1] <= images.shape[-1]
    images = images[:, 0] if channels_first else images[..., 0]
    if images.dtype == np.uint8:
        return images
    if images.dtype == np.uint16:  # bfloat16 bits
        images = (images.astype(np.uint32) << 16).view(np.float32)
    images = images.astype(np.float32)
    low, high = float(images.min()), float(images.max())
    return ((images - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
