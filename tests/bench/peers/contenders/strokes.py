"""Strokes in a data frame or in LMDB, drawn by OpenCV in a DataLoader's workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import cv2
import lmdb
import pandas as pd
import zstandard
from torch.utils.data import DataLoader, Dataset

from .contender import Contender, Endless
from .drawings import BATCH, WORKERS, draw, draw_packed, pack


class Frame(Contender):
    """A pandas frame of JSON text, as Kaggle's CSV gives it."""

    name: ClassVar[str] = "pandas strokes, OpenCV"

    def prepare(self) -> None:
        """Makes the frame."""
        labels = self.drawings.labels
        self._frame = pd.DataFrame({"drawing": self.drawings.texts, "label": labels})

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """A DataLoader."""
        rows = FrameRows(self._frame, self.side)
        return iter(DataLoader(rows, BATCH, sampler=Endless(len(rows)), num_workers=WORKERS))


class FrameRows(Dataset[Any]):
    """By row number."""

    def __init__(self, frame: Any, side: int) -> None:
        self._texts = frame["drawing"].tolist()
        self._labels = frame["label"].to_numpy()
        self._side = side

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, i: int) -> Any:
        cv2.setNumThreads(0)
        return draw(json.loads(self._texts[i]), self._side), self._labels[i]


class Lmdb(Contender):
    """One zstd-compressed record a key."""

    name: ClassVar[str] = "LMDB strokes, OpenCV"

    def prepare(self) -> None:
        """Writes the database."""
        compress = zstandard.ZstdCompressor(3).compress
        with (
            lmdb.open(str(self.folder), map_size=4 << 30) as store,
            store.begin(write=True) as writing,
        ):
            for i, text in enumerate(self.drawings.texts):
                writing.put(i.to_bytes(8, "big"), compress(pack(json.loads(text))))

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """A DataLoader."""
        rows = LmdbRows(str(self.folder), self.drawings.labels, self.side)
        return iter(DataLoader(rows, BATCH, sampler=Endless(len(rows)), num_workers=WORKERS))


class LmdbRows(Dataset[Any]):
    """Opens the database in the process that reads."""

    def __init__(self, path: str, labels: Any, side: int) -> None:
        self._path = path
        self._labels = labels
        self._side = side
        self._reading: Any = None

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, i: int) -> Any:
        if self._reading is None:
            cv2.setNumThreads(0)
            store = lmdb.open(self._path, readonly=True, lock=False, readahead=False)
            self._reading = store.begin(buffers=True)
            self._decompress = zstandard.ZstdDecompressor().decompress
        packed = self._decompress(self._reading.get(int(i).to_bytes(8, "big")))
        return draw_packed(packed, self._side), self._labels[i]
