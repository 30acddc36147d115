"""One thread a process that ends streams on which nothing moves.

Keepalive finds dead peers; this finds live ones that do not answer. A timer a stream would be
a thread a stream.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Protocol

_TICK = 0.5  # seconds
_LINGER = 10.0  # seconds without streams before the thread ends


class Watched(Protocol):
    """Something that may stall."""

    def check(self, now: float) -> None:
        """Called about twice a second with time.monotonic()."""


class _Watchdog:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._watched: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        with self._lock:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="inkstream-stall", daemon=True
                )
                self._thread.start()

    def discard(self, watched: Watched) -> None:
        with self._lock:
            self._watched.discard(watched)

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            time.sleep(_TICK)
            now = time.monotonic()
            with self._lock:
                watched = list(self._watched)
                if watched:
                    idle_since = now
                elif now - idle_since > _LINGER:
                    self._thread = None
                    return
            for one in watched:
                one.check(now)
            del watched


_watchdog = _Watchdog()


def watch(watched: Watched) -> None:
    """Checks `watched` until `unwatch` or until it is collected."""
    global _watchdog
    if _watchdog.pid != os.getpid():  # threads do not survive a fork
        _watchdog = _Watchdog()
    _watchdog.add(watched)


def unwatch(watched: Watched) -> None:
    """Stops checking."""
    if _watchdog.pid == os.getpid():
        _watchdog.discard(watched)
