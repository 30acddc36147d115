"""Image files in a folder, read by a DataLoader's workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import cv2
from torch.utils.data import DataLoader, Dataset

from .contender import Contender, Endless
from .drawings import BATCH, WORKERS


class Files(Contender):
    """One PNG a drawing."""

    name: ClassVar[str] = "PNG files"

    def prepare(self) -> None:
        """Draws and writes them."""
        for i, image in enumerate(self.drawings.pixels(self.side)):
            cv2.imwrite(str(self.folder / f"{i}.png"), image)

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """A DataLoader."""
        rows = FileRows(self.folder, self.drawings.labels)
        return iter(DataLoader(rows, BATCH, sampler=Endless(len(rows)), num_workers=WORKERS))


class FileRows(Dataset[Any]):
    """By number."""

    def __init__(self, folder: Path, labels: Any) -> None:
        self._folder = folder
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, i: int) -> Any:
        image = cv2.imread(str(self._folder / f"{i}.png"), cv2.IMREAD_GRAYSCALE)
        return image, self._labels[i]
