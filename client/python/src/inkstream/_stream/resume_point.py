"""Where a stream goes on, and what its stride means there.

A cursor is a place of all ranks; it does not tell how far a stream with `step_stride` > 1 is
from its next own step. Steps are counted from the cursor a stream is opened at, so behind one
of its own steps the next one is the last of a whole stride: `step_stride` - 1. That holds to
the end of the epoch only; the next one is opened anew, with the offset as it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from inkstream._network.reader import End
from inkstream._request.cursor import State
from inkstream._request.plan import Plan


@dataclass
class ResumePoint:
    """The place of one stream. Not thread-safe."""

    plan: Plan
    cursor: State | None = None  # None: the start
    apart: bool = False  # behind a step of its own, in the midst of an epoch
    _bounded: bool = False  # the present opening ends with its epoch
    # (epoch, steps of it) behind the place where the present opening began, and behind `cursor`.
    _opened: tuple[int, int] = (0, 0)
    _now: tuple[int, int] = (0, 0)

    def passed(self, cursor: State, epoch: int, step: int) -> int:
        """A batch of `epoch` was received; `cursor` is the place after it.

        `step` is its number as the present opening counts; returns it as the first one did, so
        that going on elsewhere does not show.
        """
        if epoch == self._opened[0]:
            step += self._opened[1]
        self._now = (epoch, step + 1) if cursor["epoch"] == epoch else (0, 0)
        self.cursor = cursor
        self.apart = self.plan.step_stride > 1 and cursor["epoch"] == epoch
        return step

    def opening(self) -> Plan:
        """What to ask for at `cursor`."""
        self._bounded = self.apart and self.cursor is not None
        self._opened = self._now
        if not self._bounded:
            return self.plan
        assert self.cursor is not None
        return replace(
            self.plan, step_offset=self.plan.step_stride - 1, epochs=self.cursor["epoch"] + 1
        )

    def ended(self, end: End) -> bool:
        """Whether this is the end. If not, `cursor` is where the next epoch begins."""
        if not self._bounded or self.cursor is None:
            self.cursor = end.cursor
            return True
        epoch = self.cursor["epoch"] + self.apart
        if self.plan.epochs is not None and epoch >= self.plan.epochs:
            return True
        self.cursor = {**self.cursor, "epoch": epoch, "position": 0}
        self.apart = False
        self._now = (0, 0)
        return False
