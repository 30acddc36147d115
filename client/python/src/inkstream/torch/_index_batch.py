"""What a BatchSampler hands a MapDataset."""

from __future__ import annotations

from typing import Any

from inkstream._request.cursor import State


class IndexBatch(list[int]):
    """Ranks of one batch that carry where they belong: `cursor` is the place after it.

    `epoch`, `seed`: of the order that they are of, and so of how a stream would augment them.
    """

    def __init__(
        self,
        ranks: Any = (),
        cursor: State | None = None,
        valid_rows: int = -1,
        epoch: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(ranks)
        self.epoch = epoch
        self.seed = seed
        self.cursor = cursor
        self.valid_rows = len(self) if valid_rows < 0 else valid_rows
