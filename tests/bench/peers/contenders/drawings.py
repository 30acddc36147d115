"""The drawings that every contender starts from, and how those without a server draw them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Strokes = list[list[list[int]]]
BATCH = 256
WORKERS = 2

_SHIFT = 4  # bits of a pixel that OpenCV takes coordinates in


class Drawings:
    """NDJSON lines in memory: raw text of strokes, and a label each."""

    def __init__(self, path: Path, limit: int) -> None:
        opener: Any = gzip.open if path.suffix == ".gz" else open
        words: list[str] = []
        self.texts: list[str] = []
        with opener(path, "rt") as lines:
            for line in lines:
                if len(self.texts) == limit:
                    break
                entry = json.loads(line)
                self.texts.append(json.dumps(entry["drawing"]))
                words.append(entry["word"])
        number = {word: i for i, word in enumerate(sorted(set(words)))}
        self.labels = np.array([number[word] for word in words], np.int64)

    def __len__(self) -> int:
        return len(self.texts)

    def pixels(self, side: int) -> Images:
        """All of them, drawn."""
        return np.stack([draw(json.loads(text), side) for text in self.texts])


def draw(strokes: Strokes, side: int) -> Images:
    """Straight into the target size with sub-pixel coordinates: the quickest way in OpenCV."""
    image = np.zeros((side, side), np.uint8)
    scale = side / 304 * (1 << _SHIFT)  # the official frame: 256, padding and line width
    lines = [
        np.rint((np.stack([stroke[0], stroke[1]], 1) + 24.0) * scale).astype(np.int32)
        for stroke in strokes
    ]
    width = max(1, round(16 * side / 304))
    cv2.polylines(image, lines, False, 255, width, cv2.LINE_AA, _SHIFT)
    return image


def pack(strokes: Strokes) -> bytes:
    """Strokes as bytes: counts, then coordinates."""
    counts = np.array([len(strokes), *(len(s[0]) for s in strokes)], np.uint16)
    points = [np.array(s[:2], np.uint8) for s in strokes]
    return counts.tobytes() + b"".join(p.tobytes() for p in points)


def draw_packed(packed: bytes, side: int) -> Images:
    """What `pack` made, drawn."""
    number = int(np.frombuffer(packed, np.uint16, 1)[0])
    counts = np.frombuffer(packed, np.uint16, number, 2)
    at = 2 + 2 * number
    strokes: list[Any] = []
    for count in counts:
        strokes.append(np.frombuffer(packed, np.uint8, 2 * int(count), at).reshape(2, -1))
        at += 2 * int(count)
    return draw(strokes, side)
