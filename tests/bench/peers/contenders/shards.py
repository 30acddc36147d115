"""Strokes in the shards of MosaicML StreamingDataset and of WebDataset."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch.utils.data import DataLoader

from .contender import Contender
from .drawings import BATCH, WORKERS, draw_packed, pack


class Mosaic(Contender):
    """MDS shards on the local disk."""

    name: ClassVar[str] = "MosaicML StreamingDataset"

    def prepare(self) -> None:
        """Writes them."""
        from streaming import MDSWriter

        shutil.rmtree(self.folder)
        columns = {"strokes": "bytes", "label": "int"}
        with MDSWriter(out=str(self.folder), columns=columns) as writer:
            for text, label in zip(self.drawings.texts, self.drawings.labels, strict=True):
                writer.write({"strokes": pack(json.loads(text)), "label": int(label)})

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Its dataset in a DataLoader."""
        from streaming import StreamingDataset
        from streaming.base.util import clean_stale_shared_memory

        clean_stale_shared_memory()
        rows = StreamingDataset(
            local=str(self.folder),
            shuffle=True,
            batch_size=BATCH,
            epoch_size=20 * len(self.drawings),
        )
        drawn = Drawn(self.side)
        return iter(DataLoader(rows, BATCH, num_workers=WORKERS, drop_last=True, collate_fn=drawn))


class Drawn:
    """Collates samples into a batch."""

    def __init__(self, side: int) -> None:
        self._side = side

    def __call__(self, samples: list[Any]) -> tuple[Any, Any]:
        images = [torch.from_numpy(draw_packed(s["strokes"], self._side)) for s in samples]
        return torch.stack(images), torch.tensor([s["label"] for s in samples])


class Web(Contender):
    """tar shards on the local disk, shuffled through a buffer."""

    name: ClassVar[str] = "WebDataset"
    note: ClassVar[str] = "shuffles through a buffer of 2,000, not the whole epoch"

    def prepare(self) -> None:
        """Writes eight shards."""
        count = len(self.drawings)
        for shard in range(8):
            with tarfile.open(self.folder / f"{shard:03}.tar", "w") as tar:
                for i in range(shard * count // 8, (shard + 1) * count // 8):
                    packed = pack(json.loads(self.drawings.texts[i]))
                    _add(tar, f"{i:08}.strokes", packed)
                    _add(tar, f"{i:08}.cls", str(self.drawings.labels[i]).encode())

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Its pipeline in its loader."""
        import webdataset as wds

        shards = str(self.folder / "{000..007}.tar")
        rows = (
            wds.WebDataset(shards, shardshuffle=8)
            .shuffle(2000)
            .map(DrawnEntry(self.side))
            .batched(BATCH, partial=False)
            .repeat()
        )
        return iter(wds.WebLoader(rows, batch_size=None, num_workers=WORKERS))


class DrawnEntry:
    """One entry of a tar file, drawn."""

    def __init__(self, side: int) -> None:
        self._side = side

    def __call__(self, entry: Any) -> tuple[Any, int]:
        return draw_packed(entry["strokes"], self._side), int(entry["cls"])


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
