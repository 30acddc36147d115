"""File systems mounted for a test: in memory, and one that never answers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2
_MS_RDONLY = 1
_MS_REMOUNT = 32
_MS_BIND = 4096


def _mount(source: str, where: Path, kind: str, flags: int, data: str) -> None:
    done = _LIBC.mount(source.encode(), str(where).encode(), kind.encode(), flags, data.encode())
    if done != 0:
        error = os.strerror(ctypes.get_errno())
        pytest.skip(f"this machine does not let {kind or source} be mounted: {error}")


@contextmanager
def _mounted(source: str, where: Path, kind: str, flags: int, data: str) -> Iterator[Path]:
    _mount(source, where, kind, flags, data)
    try:
        yield where
    finally:
        _LIBC.umount2(str(where).encode(), _MNT_DETACH)


@contextmanager
def tmpfs(where: Path, megabytes: int = 64) -> Iterator[Path]:
    """A file system in memory on a directory that it makes."""
    where.mkdir()
    with _mounted("tmpfs", where, "tmpfs", 0, f"size={megabytes}m"):
        yield where


def resize(where: Path, megabytes: int) -> None:
    """Gives a file system in memory another size."""
    _mount("", where, "", _MS_REMOUNT, f"size={megabytes}m")


@contextmanager
def bound(source: Path, where: Path) -> Iterator[Path]:
    """`source`, a file or a directory, mounted on `where`."""
    with _mounted(str(source), where, "", _MS_BIND, ""):
        yield where


@contextmanager
def read_only(source: Path, where: Path) -> Iterator[Path]:
    """`source`, a directory, to be seen at `where` but not to be written there."""
    where.mkdir()
    with bound(source, where):
        _mount("", where, "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY, "")
        yield where


@contextmanager
def fuse(where: Path) -> Iterator[int]:
    """A file system on a directory that it makes, and the device through which it is served."""
    where.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"this machine has no /dev/fuse to serve a file system by: {error}")
    try:
        data = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        with _mounted("fuse", where, "fuse", 0, data):
            yield device
    finally:
        # Whoever waits still gets an error.
        os.close(device)


@contextmanager
def hung(where: Path) -> Iterator[Path]:
    """A file system whose server answers no request: whoever looks into it waits."""
    with fuse(where):
        yield where
