"""What the kernel still holds for this package: descriptors, maps, keepers, shared memory.

Only for processes of the running test session, so that others may test on the same machine:
those that descend from this one, or were started with its mark in their environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MARK = "_INKSTREAM_TEST_SESSION"
os.environ.setdefault(MARK, f"{os.getpid()}-{os.urandom(4).hex()}")


def segments_of(pid: int | str = "self", word: str = "inkstream-") -> int:
    """Descriptors of segments that a process has open."""
    return sum(1 for _ in _descriptors(pid, word))


def mapped_segments(pid: int | str = "self", word: str = "inkstream-") -> int:
    """Maps of segments that a process has."""
    return Path(f"/proc/{pid}/maps").read_text().count(f"/memfd:{word}")


def descriptors() -> int:
    """Descriptors of any kind that this process has open."""
    return len(os.listdir("/proc/self/fd"))


def keepers() -> list[int]:
    """Processes of this session that keep segments."""
    return [pid for pid in session() if b"_keep_segments.py" in _read(pid, "cmdline")]


def segment_bytes() -> int:
    """Memory of all segments that a process of this session has open or mapped."""
    found: dict[int, int] = {}
    for pid in session():
        for entry in _descriptors(pid, "inkstream-"):
            try:
                status = entry.stat()
            except OSError:
                continue  # closed meanwhile
            found[status.st_ino] = status.st_blocks * 512
        for line in _read(pid, "maps").splitlines():
            if b"/memfd:inkstream-" in line:
                area, _, _, _, inode, _ = line.split(None, 5)
                low, high = (int(end, 16) for end in area.split(b"-"))
                found.setdefault(int(inode), high - low)
    return sum(found.values())


def session() -> list[int]:
    """Processes of this test session."""
    mark = f"{MARK}={os.environ[MARK]}\0".encode()
    family = {os.getpid()}
    for pid in sorted(int(e.name) for e in Path("/proc").iterdir() if e.name.isdigit()):
        if mark in _read(pid, "environ") or _parent(pid) in family:
            family.add(pid)
    return sorted(family)


def _parent(pid: int) -> int:
    status = _read(pid, "stat").rpartition(b")")[2].split()
    return int(status[1]) if status else 0


def _descriptors(pid: int | str, word: str) -> Iterator[Path]:
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for entry in entries:
        try:
            if os.readlink(entry).startswith(f"/memfd:{word}"):
                yield entry
        except OSError:
            continue  # closed meanwhile


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""  # ended meanwhile
