"""A batch of drawings as one picture, each with its word below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

COLUMNS = 16
LABEL_HEIGHT = 18
GAP = 4
GROUND = 225  # grey, so that the white drawings stand apart


def write_contact_sheet(images: NDArray[np.uint8], words: list[str], path: Path) -> None:
    """Writes images [N, 1, H, W], 255 = ink, as black on white into a PNG."""
    count, _, height, width = images.shape
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    cell_width, cell_height = width + GAP, height + LABEL_HEIGHT + GAP
    sheet = Image.new("L", (columns * cell_width + GAP, rows * cell_height + GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default()
    for i, (image, word) in enumerate(zip(images, words, strict=True)):
        left = GAP + i % columns * cell_width
        top = GAP + i // columns * cell_height
        sheet.paste(Image.fromarray(255 - image[0]), (left, top))
        draw.text((left + 2, top + height + 2), word, fill=0, font=font)
    sheet.save(path)
