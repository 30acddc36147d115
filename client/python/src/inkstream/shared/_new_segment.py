"""A segment while it is being written."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import numpy as np

from inkstream.errors import InkstreamError
from inkstream.shared import _segment

_F_ADD_SEALS = 1033
_MADV_COLLAPSE = 25
_STEP = 8 << 20  # bytes asked for at once; a signal is answered in between


class NewSegment:
    """A memfd that can be written to until `seal`; `close` it in any case.

    With `huge_pages`, memory is taken in huge pages just ahead of what is written: asked for
    with MADV_COLLAPSE, because memfds get them in no other way where the administrator has not
    said so. Where a page is there, bytes are copied through a map (4 GB/s in all, against 2.1
    with pwrite into small pages); elsewhere they are written with pwrite, so that no fault is
    taken for each small page. From the first refusal on the pages are small ones.
    """

    def __init__(self, name: str, size: int, *, huge_pages: bool = True) -> None:
        if not hasattr(os, "memfd_create"):
            raise InkstreamError("shared segments need Linux (memfd_create)")
        self.fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._address: int | None = None
        self._huge_to = 0  # up to here the map may be written to
        self._huge_end = size - size % _segment.HUGE  # beyond it huge pages are not asked for
        self._size = size
        try:
            os.ftruncate(self.fd, size)
            if huge_pages and self._huge_end:
                self._address = _segment.map_shared(self.fd, size)
        except BaseException:
            self.close()
            raise

    def write(self, buffer: Any, offset: int) -> None:
        """All bytes of a contiguous buffer, at a place of the segment."""
        view = memoryview(buffer).cast("B")
        while len(view):
            part = view[:_STEP]
            mapped = min(max(self._taken(offset + len(part)) - offset, 0), len(part))
            if mapped:
                assert self._address is not None
                there = np.asarray(
                    _segment.Memory(self._address + offset, mapped, None, writable=True)
                )
                np.copyto(there, np.frombuffer(part[:mapped], np.uint8))
            write_all(self.fd, part[mapped:], offset + mapped)
            offset += len(part)
            view = view[len(part) :]

    def seal(self) -> int:
        """Makes it immutable; another descriptor of it, that can only be read from.

        Kernels before 6.7 refuse to map a sealed memfd through a descriptor that could write.
        """
        self._unmap()
        fcntl.fcntl(self.fd, _F_ADD_SEALS, _segment.SEALS)
        return os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Frees what `seal` has not given another descriptor of. Idempotent."""
        self._unmap()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _taken(self, end: int) -> int:
        """Takes huge pages up to `end`, as far as they can be had; where they end."""
        while self._address is not None and self._huge_to < min(end, self._huge_end):
            start = self._huge_to
            stop = min(start + _STEP, self._huge_end)
            for offset in range(start, stop, _segment.HUGE):
                os.pwrite(self.fd, b"\0", offset)  # only what has a page already is collapsed
            if not _segment.advise(self._address + start, stop - start, _MADV_COLLAPSE):
                self._huge_end = start
                break
            self._huge_to = stop
        return self._huge_to

    def _unmap(self) -> None:
        if self._address is not None:
            _segment.unmap(self._address, self._size)
            self._address = None


def create(
    name: str, pieces: Iterable[tuple[int, Any]], size: int, *, huge_pages: bool = True
) -> int:
    """A sealed segment of `size` bytes with (offset, contiguous buffer) pieces; gaps are zero."""
    with closing(NewSegment(name, size, huge_pages=huge_pages)) as segment:
        for offset, buffer in pieces:
            segment.write(buffer, offset)
        return segment.seal()


def write_all(fd: int, buffer: Any, offset: int) -> None:
    """All bytes of a contiguous buffer, at a place of a file."""
    view = memoryview(buffer).cast("B")
    done = 0
    while done < len(view):
        done += os.pwrite(fd, view[done : done + _STEP], offset + done)
