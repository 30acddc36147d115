"""What a contender is: it prepares a folder, then yields batches."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .drawings import BATCH, Drawings


class Contender(ABC):
    """One way. Made anew for each image side."""

    name: ClassVar[str]
    note: ClassVar[str] = ""

    def __init__(self, drawings: Drawings, folder: Path, side: int) -> None:
        self.drawings = drawings
        self.folder = folder
        self.side = side
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def prepare(self) -> None:
        """Everything before the first epoch."""

    @abstractmethod
    def batches(self) -> Iterator[tuple[Any, Any]]:
        """For ever: (uint8 images [n, side, side] or [n, 1, side, side], labels), shuffled."""

    def stop(self) -> None:
        """Ends what prepare() started."""
        return


class Endless:
    """Row numbers, shuffled anew each epoch, for ever: a sampler."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self) -> Iterator[int]:
        for epoch in itertools.count():
            yield from np.random.default_rng(epoch).permutation(self._count).tolist()

    def __len__(self) -> int:
        return 1 << 40


class EndlessBatches(Endless):
    """The same, as whole batches."""

    def __iter__(self) -> Iterator[Any]:
        for epoch in itertools.count():
            order = np.random.default_rng(epoch).permutation(self._count)
            for i in range(0, self._count - self._count % BATCH, BATCH):
                yield order[i : i + BATCH]
