"""What an array of a whole view holds, and its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from inkstream._network.source import Source
from inkstream._request.plan import Plan
from inkstream.errors import DataLoss, FixRequest, PlanMismatch
from inkstream.shared._row_file import RowFile, Write
from inkstream.shared._segment import ID_BYTES
from inkstream.split import Split
from inkstream.stream import Stream

_BATCH_BYTES = 4 << 20
_FORMAT = 1


@dataclass(frozen=True)
class SharedView:
    """What an array holds: one tensor of every drawing of a view, in index order."""

    dataset: Source
    plan: Plan
    tensor: str

    def made_of(self) -> dict[str, Any]:
        """Everything that decides the bytes."""
        plan = self.plan
        image = plan.image.to_proto().SerializeToString(deterministic=True) if plan.image else b""
        view = plan.view.to_proto().SerializeToString(deterministic=True)
        return {
            "format": _FORMAT,
            "fingerprint": self.dataset.fingerprint,
            "raster_version": self.dataset.stats["raster_version"],
            "tensor": self.tensor,
            "image": image.hex(),
            "view": hashlib.sha256(view).hexdigest() if len(view) > 256 else view.hex(),
            "ignore_index": plan.ignore_index,
            "on_corrupt": plan.on_corrupt,
        }

    def identity(self) -> bytes:
        """Names the array among all of this user on this host."""
        text = repr(sorted(self.made_of().items())).encode()
        return hashlib.sha256(text).digest()[:ID_BYTES]

    def rows(self) -> RowFile:
        """The layout of all rows, asked of the server."""
        count = self.dataset.count(self.plan.view)
        if count == 0:
            raise FixRequest(f"{self.plan.view} has no drawings to share")
        first = Plan.of(self.plan.view, image=self.plan.image, columns=self.plan.columns)
        sample = Split(self.dataset, first)[[0]][self.tensor]
        return RowFile((count, *sample.shape[1:]), sample.dtype, self.made_of())

    def fill(self, write: Write, rows: RowFile, start: int) -> Iterator[int]:
        """Writes rows from `start` on; yields how many are there."""
        count = rows.shape[0]
        size = max(1, min(count, 65_536, _BATCH_BYTES // rows.row_bytes))
        start -= start % size
        plan = replace(self.plan, batch_size=size, shuffle="none", tail="partial", epochs=1)
        with Stream(self.dataset, plan) as stream:
            version = stream._iterator.info().raster_version
            if version != self.dataset.stats["raster_version"]:
                raise PlanMismatch(
                    f"the server draws with raster version {version} now, the dataset was "
                    f"described with {self.dataset.stats['raster_version']}: describe it again"
                )
            if start:
                stream.seek(step=start // size)
            done = start
            for batch in stream:
                part = batch[self.tensor]
                if part.shape[1:] != rows.shape[1:] or done + len(part) > count:
                    raise DataLoss(f"a batch of {part.shape} does not suit {rows.shape} at {done}")
                rows.write(write, done, part)
                done += len(part)
                yield done
        if done != count:
            raise DataLoss(f"the view ended after {done} of {count} drawings")
