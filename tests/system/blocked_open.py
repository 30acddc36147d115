"""A file whose opening hangs, as on a mount that has gone: fanotify's permission events."""

from __future__ import annotations

import ctypes
import os
import select
from pathlib import Path
from types import TracebackType

_FAN_CLASS_CONTENT = 0x4
_FAN_CLOEXEC = 0x1
_FAN_MARK_ADD = 0x1
_FAN_OPEN_PERM = 0x10000
_AT_FDCWD = -100


class BlockedOpen:
    """From `with` to its end every process but this one that opens `path` waits, and can be killed.

    OSError: the kernel, or this user, does not do that (CAP_SYS_ADMIN).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> BlockedOpen:
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.fanotify_init(_FAN_CLASS_CONTENT | _FAN_CLOEXEC, os.O_RDONLY)
        if self._events < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        marked = libc.fanotify_mark(
            self._events,
            _FAN_MARK_ADD,
            ctypes.c_uint64(_FAN_OPEN_PERM),
            _AT_FDCWD,
            os.fsencode(self._path),
        )
        if marked != 0:
            error = ctypes.get_errno()
            os.close(self._events)
            raise OSError(error, os.strerror(error))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever still waits is let through.
        os.close(self._events)

    def wait_for_somebody(self, seconds: float) -> bool:
        """Whether somebody is waiting to open it, or begins to in that time."""
        ready, _, _ = select.select([self._events], [], [], seconds)
        return bool(ready)
