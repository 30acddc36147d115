"""Progress of something long, for a person who watches."""

from __future__ import annotations

import sys
import time

from inkstream.shared._rendezvous import Progress


class Meter:
    """A line on a terminal's stderr, once it is worth one."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + 0.5
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Shows it, at most ten times a second."""
        now = time.monotonic()
        if now >= self._next or (self._shown and done == total):
            self._next, self._shown = now + 0.1, True
            percent = 100 * done // max(total, 1)
            end = "\n" if done == total else ""
            print(
                f"\r{self._what}: {done:,} of {total:,} drawings, {percent} %",
                end=end,
                file=sys.stderr,
                flush=True,
            )


def progress_of(wanted: bool | Progress | None, what: str) -> Progress:
    """The callable to tell; None means a meter if somebody watches."""
    if callable(wanted):
        return wanted
    if wanted or (wanted is None and sys.stderr.isatty()):
        return Meter(what)
    return _silent


def _silent(done: int, total: int) -> None:
    pass
