"""Memory maps at addresses where huge pages can begin, and address ranges as NumPy sees them."""

from __future__ import annotations

import ctypes
import os

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
