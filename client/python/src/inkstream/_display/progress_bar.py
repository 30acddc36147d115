"""Progress of something long, for a person who watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from inkstream._request.values import flag

Progress = Callable[[int, int], None]


class Meter:
    """A line on stderr, once it is worth one."""

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


def progress_of(wanted: Any, what: str) -> Progress:
    """The callable to tell.

    `wanted`: one, or True or False for a line on stderr or none; None: a line if somebody
    watches. FixRequest for anything else.
    """
    if callable(wanted):
        told: Progress = wanted
        return told
    if _watched() if wanted is None else flag("progress", wanted):
        return Meter(what)
    return _silent


def _watched() -> bool:
    """Whether stderr is a terminal or a notebook's cell."""
    kernel = getattr(sys.modules.get("ipykernel.iostream"), "OutStream", None)
    return sys.stderr.isatty() or (kernel is not None and isinstance(sys.stderr, kernel))


def _silent(done: int, total: int) -> None:
    pass
