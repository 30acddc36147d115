"""A shared view in a file, for views larger than memory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inkstream._display.progress_bar import Progress
from inkstream.errors import FixRequest
from inkstream.shared._memory import NotEnoughMemory, text_of
from inkstream.shared._new_segment import write_all
from inkstream.shared._row_file import RowFile, array_in, what_is_in
from inkstream.shared._segment import Mapping
from inkstream.shared.views.shared_view import SharedView

_CHECKPOINT_BYTES = 256 << 20  # between two moments it can be resumed from
_POLL = 0.05  # seconds


class ViewFile:
    """The file at `path`, complete or absent, and FILE.partial beside it while it is made."""

    def __init__(self, view: SharedView, path: Path, progress: Progress) -> None:
        self._view = view
        self._path = path
        self._unfinished = Path(f"{path}.partial")
        self._progress = progress

    def array(self) -> NDArray[Any]:
        """Maps the file, or makes it first; goes on where another process was interrupted."""
        rows: RowFile | None = None
        while True:
            array = self._mapped()
            if array is not None:
                return array
            rows = rows or self._view.rows()
            fd = os.open(self._unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if _locked(fd, rows, self._progress) and _is(fd, self._unfinished):
                    if self._mapped() is None:
                        self._make(fd, rows)
                    else:
                        self._unfinished.unlink()
            finally:
                os.close(fd)

    def _mapped(self) -> NDArray[Any] | None:
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            found = what_is_in(fd)
            if found is None:
                raise FixRequest(
                    f"{self._path} exists and is no shared view; it is not written over: give "
                    "another path, or remove it"
                )
            if found[1] != self._view.made_of():
                os.close(fd)
                return None  # of another content: replaced, and kept by those who have it mapped
            return array_in(Mapping(fd, os.fstat(fd).st_size, self._view.identity(), sealed=False))
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(fd)
            raise

    def _make(self, fd: int, rows: RowFile) -> None:
        write = partial(write_all, fd)
        written = rows.rows_in(fd)
        if written is None:
            free = shutil.disk_usage(self._path.parent).free + os.fstat(fd).st_blocks * 512
            if rows.size > free:
                self._unfinished.unlink()
                raise NotEnoughMemory(
                    f"{self._path} takes {text_of(rows.size)}, and {text_of(free)} are free there"
                )
            os.ftruncate(fd, 0)
            os.ftruncate(fd, rows.size)
            rows.start(write)
            rows.mark(write, 0)
            written = 0
        marked = written
        every = max(1, _CHECKPOINT_BYTES // rows.row_bytes)
        for done in self._view.fill(write, rows, written):
            self._progress(done, rows.shape[0])
            if done - marked >= every:
                os.fdatasync(fd)  # rows first, then the word that they are there
                rows.mark(write, done)
                marked = done
        os.fdatasync(fd)
        rows.mark(write, rows.shape[0])
        os.fchmod(fd, 0o444)
        os.fsync(fd)
        self._unfinished.rename(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


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
