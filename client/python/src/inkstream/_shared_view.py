"""A whole view, drawn once into one read-only array that every process of this user maps."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from inkstream._errors import DataLoss, FixRequest, PlanMismatch
from inkstream._plan import Plan
from inkstream._stream import Stream
from inkstream.shared._memory import NotEnoughMemory, check_fits, text_of
from inkstream.shared._new_segment import NewSegment, write_all
from inkstream.shared._passing import register
from inkstream.shared._rendezvous import Claim, Hint, Progress, claim, find_segment, wait_for
from inkstream.shared._row_file import RowFile, Write, array_in, what_is_in
from inkstream.shared._segment import (
    ID_BYTES,
    Mapping,
    check_sealed,
    mapping_of,
)

if TYPE_CHECKING:
    from inkstream._dataset import Dataset

_BATCH_BYTES = 4 << 20
_CHECKPOINT_BYTES = 256 << 20  # of a file, between two moments it can be resumed from
_POLL = 0.05  # seconds
_FORMAT = 1


@dataclass(frozen=True)
class SharedView:
    """What an array holds: one tensor of every drawing of a view, in index order."""

    dataset: Dataset
    plan: Plan
    tensor: str
    huge_pages: bool = True

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

    def in_memory(self, budget: int | None, progress: Progress) -> NDArray[Any]:
        """Maps the array that some process has, waits for the one that builds it, or builds."""
        identity = self.identity()
        name = f"inkstream-view-{identity.hex()}"
        register()
        while True:
            mapping = mapping_of(identity)
            if mapping is not None:
                return array_in(mapping)
            fd = find_segment(name)
            if fd is None:
                mine = claim(name)
                if mine is None:
                    fd = wait_for(name, progress)
                else:
                    with mine:
                        fd = find_segment(name) or self._build(name, budget, progress, mine)
            if fd is not None:
                mapping = Mapping(fd, check_sealed(fd), identity)
                mapping.companion = Hint(name)
                return array_in(mapping)

    def _build(self, name: str, budget: int | None, progress: Progress, mine: Claim) -> int:
        rows = self._rows()
        check_fits(
            rows.size,
            f"a shared view of {rows.shape[0]} drawings, {rows.shape[1:]} {rows.dtype} each,",
            'take a smaller image, a part of the view such as "train[:10%]", or path=FILE',
            budget,
        )
        with NewSegment(name, rows.size, huge_pages=self.huge_pages) as segment:
            rows.start(segment.write)
            for done in self._fill(segment.write, rows, 0):
                mine.tell(done, rows.shape[0])
                progress(done, rows.shape[0])
            rows.mark(segment.write, rows.shape[0])
            sealed = segment.seal()
            mine.hand_out(sealed, rows.size)
            return sealed

    def in_file(self, path: Path, progress: Progress) -> NDArray[Any]:
        """Maps the file, or makes it first; goes on where another process was interrupted."""
        rows: RowFile | None = None
        while True:
            array = self._mapped_file(path)
            if array is not None:
                return array
            rows = rows or self._rows()
            unfinished = Path(f"{path}.partial")
            fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if _locked(fd, rows, progress) and _is(fd, unfinished):
                    if self._mapped_file(path) is None:
                        self._make_file(fd, rows, path, unfinished, progress)
                    else:
                        unfinished.unlink()
            finally:
                os.close(fd)

    def _mapped_file(self, path: Path) -> NDArray[Any] | None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            found = what_is_in(fd)
            if found is None:
                raise FixRequest(
                    f"{path} exists and is no shared view; it is not written over: give "
                    "another path, or remove it"
                )
            if found[1] != self.made_of():
                os.close(fd)
                return None  # of another content: replaced, and kept by those who have it mapped
            return array_in(Mapping(fd, os.fstat(fd).st_size, self.identity(), sealed=False))
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(fd)
            raise

    def _make_file(
        self, fd: int, rows: RowFile, path: Path, unfinished: Path, progress: Progress
    ) -> None:
        write = partial(write_all, fd)
        written = rows.rows_in(fd)
        if written is None:
            free = shutil.disk_usage(path.parent).free + os.fstat(fd).st_blocks * 512
            if rows.size > free:
                unfinished.unlink()
                raise NotEnoughMemory(
                    f"{path} takes {text_of(rows.size)}, and {text_of(free)} are free there"
                )
            os.ftruncate(fd, 0)
            os.ftruncate(fd, rows.size)
            rows.start(write)
            rows.mark(write, 0)
            written = 0
        marked = written
        every = max(1, _CHECKPOINT_BYTES // rows.row_bytes)
        for done in self._fill(write, rows, written):
            progress(done, rows.shape[0])
            if done - marked >= every:
                os.fdatasync(fd)  # rows first, then the word that they are there
                rows.mark(write, done)
                marked = done
        os.fdatasync(fd)
        rows.mark(write, rows.shape[0])
        os.fchmod(fd, 0o444)
        os.fsync(fd)
        unfinished.rename(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _rows(self) -> RowFile:
        count = self.dataset.count(self.plan.view)
        if count == 0:
            raise FixRequest(f"{self.plan.view} has no drawings to share")
        sample = self.dataset.split(
            self.plan.view, image=self.plan.image, columns=self.plan.columns
        )[[0]][self.tensor]
        return RowFile((count, *sample.shape[1:]), sample.dtype, self.made_of())

    def _fill(self, write: Write, rows: RowFile, start: int) -> Iterator[int]:
        """Writes rows from `start` on; yields how many are there."""
        count = rows.shape[0]
        size = max(1, min(count, 65_536, _BATCH_BYTES // rows.row_bytes))
        start -= start % size
        plan = replace(self.plan, batch_size=size, shuffle="none", tail="partial", epochs=1)
        with Stream(self.dataset, plan) as stream:
            version = stream.facts().raster_version
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


def _locked(fd: int, rows: RowFile, progress: Progress) -> bool:
    """Waits, with progress, until nobody else writes the file."""
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            found = what_is_in(fd)
            if found is not None and found[1] == rows.made_of:
                progress(found[0], rows.shape[0])
            time.sleep(_POLL)


def _is(fd: int, path: Path) -> bool:
    """Whether the path still names this file; not once another process has finished it."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


class Meter:
    """A line on a terminal's stderr, once it is worth one."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + 0.5
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Shows it, at most ten times a second."""
        now = time.monotonic()
        if now >= self._next or (self._shown and done == total):
            self._next, self._shown = now + 0.1, True
            percent = 100 * done // max(total, 1)
            end = "\n" if done == total else ""
            print(
                f"\r{self._what}: {done:,} of {total:,} drawings, {percent} %",
                end=end,
                file=sys.stderr,
                flush=True,
            )


def progress_of(wanted: bool | Progress | None, what: str) -> Progress:
    """The callable to tell; None means a meter if somebody watches."""
    if callable(wanted):
        return wanted
    if wanted or (wanted is None and sys.stderr.isatty()):
        return Meter(what)
    return _silent


def _silent(done: int, total: int) -> None:
    pass
