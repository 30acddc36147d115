"""A directory as a slow disk shows it, by way of FUSE: each read takes a while, or waits.

Read only, flat, and as much of the protocol (version 7.31) as a store needs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import threading
import time
from pathlib import Path
from types import TracebackType

import mounts

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _STATFS, _RELEASE = 1, 2, 3, 14, 15, 17, 18
_FLUSH, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _INTERRUPT, _BATCH = 25, 26, 27, 28, 29, 36, 42
_ROOT = 1
_BUFFER = 1 << 17
_SECONDS = 3600  # for which the kernel may keep names and attributes


class SlowDisk:
    """`source` to be seen at `where`, which it makes, from `with` to its end.

    `delay`: seconds that each read takes from now on, several at once. Needs root and /dev/fuse;
    skips the test otherwise.
    """

    def __init__(self, source: Path, where: Path, delay: float = 0.0) -> None:
        self._names = [path.name for path in sorted(source.iterdir())]
        self._source = source
        self._where = where
        self.delay = delay
        self.reads = 0
        self._open = threading.Event()
        self._open.set()

    def block(self, blocked: bool = True) -> None:
        """After one more request none is taken, until it is called again with False."""
        self._open.clear() if blocked else self._open.set()

    def __enter__(self) -> Path:
        self._mounted = mounts.fuse(self._where)
        self._device = self._mounted.__enter__()
        threading.Thread(target=self._serve, daemon=True).start()
        return self._where

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.set()
        self._mounted.__exit__(kind, error, trace)

    def _serve(self) -> None:
        while True:
            self._open.wait()
            try:
                request = os.read(self._device, _BUFFER + 4096)
            except OSError as failed:
                if failed.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                return  # it has been taken down
            opcode, unique, node = struct.unpack_from("<IQQ", request, 4)
            if opcode in (_FORGET, _BATCH, _INTERRUPT):
                continue
            work = (unique, opcode, node, request[40:])
            if opcode == _READ:
                threading.Thread(target=self._reply, args=work, daemon=True).start()
            else:
                self._reply(*work)

    def _reply(self, unique: int, opcode: int, node: int, body: bytes) -> None:
        try:
            data, error = self._answer(opcode, node, body), 0
        except OSError as failed:
            data, error = b"", failed.errno or errno.EIO
        with contextlib.suppress(OSError):  # whoever asked has gone
            os.write(self._device, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == _INIT:
            # Without reading ahead, and with pages kept from one opening to the next.
            limits = struct.pack("<HHIIHHI", 16, 12, 4096, 1, 32, 0, 0)
            return struct.pack("<IIII", 7, 31, _BUFFER, 0) + limits + bytes(28)
        if opcode == _LOOKUP:
            name = body.rstrip(b"\0").decode()
            if name not in self._names:
                raise OSError(errno.ENOENT, name)
            found = self._names.index(name) + _ROOT + 1
            return struct.pack("<QQQQII", found, 0, _SECONDS, _SECONDS, 0, 0) + self._status(found)
        if opcode == _GETATTR:
            return struct.pack("<QII", _SECONDS, 0, 0) + self._status(node)
        if opcode in (_OPEN, _OPENDIR):
            return struct.pack("<QII", 0, 2, 0)  # FOPEN_KEEP_CACHE
        if opcode == _READ:
            return self._read(node, *struct.unpack_from("<QQI", body)[1:])
        if opcode == _READDIR:
            return self._entries(*struct.unpack_from("<QQI", body)[1:])
        if opcode == _STATFS:
            return bytes(80)
        if opcode in (_RELEASE, _RELEASEDIR, _FLUSH):
            return b""
        raise OSError(errno.ENOSYS, "not offered")

    def _path(self, node: int) -> Path:
        return self._source if node == _ROOT else self._source / self._names[node - _ROOT - 1]

    def _status(self, node: int) -> bytes:
        seen = self._path(node).stat()
        times = (int(seen.st_atime), int(seen.st_mtime), int(seen.st_ctime), 0, 0, 0)
        modes = (seen.st_mode, 1, seen.st_uid, seen.st_gid, 0, 4096, 0)
        return struct.pack("<QQQQQQIIIIIIIIII", node, seen.st_size, seen.st_blocks, *times, *modes)

    def _read(self, node: int, offset: int, size: int) -> bytes:
        self.reads += 1
        time.sleep(self.delay)
        with self._path(node).open("rb") as file:
            return os.pread(file.fileno(), size, offset)

    def _entries(self, offset: int, size: int) -> bytes:
        listed = b""
        for number, name in enumerate(self._names[offset:], offset + 1):
            entry = struct.pack("<QQII", number + _ROOT, number, len(name), 0) + name.encode()
            entry += bytes(-len(entry) % 8)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return listed
