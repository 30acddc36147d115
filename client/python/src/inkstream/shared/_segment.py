"""Segments: memory that is written once, sealed, and mapped by any number of processes.

A segment is a memfd. It has no name in any file system, so the kernel frees it with its last
descriptor and mapping, however their owners end. The seals promise a reader that neither the
size nor a byte will change, whoever else holds it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import weakref

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import InkstreamError

HUGE = 2 << 20  # bytes
SEALS = 0x1 | 0x2 | 0x4 | 0x8  # SEAL, SHRINK, GROW, WRITE

_PROT_READ, _PROT_WRITE = 1, 2
_MAP_SHARED, _MAP_PRIVATE, _MAP_FIXED, _MAP_ANONYMOUS, _MAP_NORESERVE = 1, 2, 0x10, 0x20, 0x4000
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_int64]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class Memory:
    """An address range as NumPy can view it; views keep `owner` alive."""

    def __init__(self, address: int, size: int, owner: object, *, writable: bool = False) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (address, not writable),
        }


def map_private(fd: int, size: int) -> int:
    """The address of a private map; pages are shared until somebody writes to them."""
    flags = _MAP_PRIVATE | _MAP_NORESERVE
    for protection in (_PROT_READ | _PROT_WRITE, _PROT_READ):  # strict overcommit: no writing
        address = _map_aligned(fd, max(size, 1), protection, flags)
        if address is not None:
            return address
    number = ctypes.get_errno()
    raise InkstreamError(f"cannot map {size} bytes: {os.strerror(number)}")


def map_shared(fd: int, size: int) -> int | None:
    """The address of a map through which the file is written; None if refused."""
    return _map_aligned(fd, size, _PROT_READ | _PROT_WRITE, _MAP_SHARED)


def unmap(address: int, size: int) -> None:
    """Ends a map."""
    _libc.munmap(address, max(size, 1))


def advise(address: int, size: int, advice: int) -> bool:
    """madvise; False if refused."""
    return bool(_libc.madvise(address, size, advice) == 0)


def _map_aligned(fd: int, size: int, protection: int, flags: int) -> int | None:
    if size < HUGE:
        address = _libc.mmap(None, size, protection, flags, fd, 0)
        return None if address == _FAILED else int(address)
    room = _libc.mmap(None, size + HUGE, 0, _MAP_PRIVATE | _MAP_NORESERVE | _MAP_ANONYMOUS, -1, 0)
    if room == _FAILED:
        return None
    start = -(-room // HUGE) * HUGE
    pages = -(-size // _PAGE) * _PAGE
    address = _libc.mmap(start, size, protection, flags | _MAP_FIXED, fd, 0)
    if address == _FAILED:
        _libc.munmap(room, size + HUGE)
        return None
    if start > room:
        _libc.munmap(room, start - room)
    if start + pages < room + size + HUGE:
        _libc.munmap(start + pages, room + size + HUGE - start - pages)
    return int(start)


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
        self.address = map_private(fd, size)
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
        return np.asarray(Memory(self.address, self.size, self, writable=self.writable))


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
    if seals & SEALS != SEALS or status.st_uid != os.geteuid():
        raise InkstreamError("a descriptor arrived that is no sealed segment of this user")
    if size is not None and status.st_size != size:
        raise InkstreamError(f"a segment of {status.st_size} bytes arrived instead of {size}")
    return status.st_size


def _unmap(address: int, size: int, fd: int) -> None:
    _live.pop(address, None)
    unmap(address, size)
    if fd >= 0:
        os.close(fd)
