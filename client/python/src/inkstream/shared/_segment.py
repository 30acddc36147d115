"""Segments: memory that is written once, sealed, and mapped by any number of processes.

A segment is a memfd. It has no name in any file system, so the kernel frees it with its last
descriptor and mapping, however their owners end. The seals promise a reader that neither the
size nor a byte will change, whoever else holds it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import weakref

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import InkstreamError
from inkstream.shared import _maps

ALIGNMENT = 64  # bytes, of every array in a segment
ID_BYTES = 16

_F_GET_SEALS = 1034


class Mapping:
    """One segment in this process; arrays over it keep it mapped.

    Mapped privately: what somebody writes in spite of the read-only flag (PyTorch does not
    know it) changes this process's copy of the page instead of ending the process.
    """

    def __init__(
        self, fd: int, size: int, identity: bytes, *, writable: bool = False, sealed: bool = True
    ) -> None:
        """Takes `fd` over, once mapped.

        `writable`: arrays may be written to, privately to this process. `sealed`: it is a
        segment; False for a file, which is not sent by reference.
        """
        self.size = size
        self.identity = identity
        self.writable = writable
        self.companion: object = None  # lives as long as this
        self.address = _maps.map_private(fd, size)
        # A private copy that may have been written to cannot stand for the segment again, so
        # nobody will ask for its descriptor.
        self.fd = -1 if writable else fd
        if writable:
            os.close(fd)
        weakref.finalize(self, _unmap, self.address, size, self.fd).atexit = False
        if sealed and not writable:
            _live[self.address] = weakref.ref(self)

    def bytes(self) -> NDArray[np.uint8]:
        """All of it."""
        return np.asarray(_maps.Memory(self.address, self.size, self, writable=self.writable))


_live: dict[int, weakref.ref[Mapping]] = {}


def mapping_at(address: int, size: int) -> Mapping | None:
    """The read-only mapping in which all of [address, address + size) lies."""
    for start, reference in list(_live.items()):
        if start <= address:
            mapping = reference()
            if mapping is not None and address + size <= start + mapping.size:
                return mapping
    return None


def mapping_of(identity: bytes) -> Mapping | None:
    """The read-only mapping of a segment, if this process has one."""
    for reference in list(_live.values()):
        mapping = reference()
        if mapping is not None and mapping.identity == identity:
            return mapping
    return None


def new_identity() -> bytes:
    """A name that no other segment has."""
    return secrets.token_bytes(ID_BYTES)


def check_sealed(fd: int, size: int | None = None) -> int:
    """The size of a segment that came from elsewhere; InkstreamError if it may still change."""
    try:
        seals = fcntl.fcntl(fd, _F_GET_SEALS)
    except OSError:
        seals = 0
    status = os.fstat(fd)
    if seals & _maps.SEALS != _maps.SEALS or status.st_uid != os.geteuid():
        raise InkstreamError("a descriptor arrived that is no sealed segment of this user")
    if size is not None and status.st_size != size:
        raise InkstreamError(f"a segment of {status.st_size} bytes arrived instead of {size}")
    return status.st_size


def _unmap(address: int, size: int, fd: int) -> None:
    _live.pop(address, None)
    _maps.unmap(address, size)
    if fd >= 0:
        os.close(fd)
