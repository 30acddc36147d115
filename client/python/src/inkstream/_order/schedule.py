"""Which positions each batch covers: the server's step schedule, for those who sample here.

Step j of an epoch entered at p covers positions [p + j·G, p + (j+1)·G), G = world · batch size;
rank r takes the r-th slice. server/order/README.md gives the tail rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.errors import FixRequest


@dataclass(frozen=True, slots=True)
class Step:
    """One rank's share of a step: row i stands for position (first + i) mod size."""

    first: int
    rows: int
    valid_rows: int  # the rows behind these repeat others and do not count
    after: tuple[int, int]  # (epoch, position) of the cursor behind it


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of one rank. FixRequest for what the server would refuse, too."""

    size: int
    batch_size: int
    rank: int = 0
    world: int = 1
    tail: str = "drop"

    def __post_init__(self) -> None:
        if self.size < 1 or self.batch_size < 1 or self.world < 1:
            raise FixRequest(
                f"size = {self.size}, batch_size = {self.batch_size}, world = {self.world}: each "
                "must be at least 1"
            )
        if not 0 <= self.rank < self.world:
            raise FixRequest(f"rank = {self.rank} is not in 0..{self.world - 1}")
        if self.tail == "drop" and self.size < self.step_size:
            raise FixRequest(
                f"the view has {self.size} drawings, fewer than one step of world {self.world} x "
                f'batch_size {self.batch_size}: use a smaller batch or tail="partial"'
            )

    @property
    def step_size(self) -> int:
        """Drawings a step, over all ranks."""
        return self.world * self.batch_size

    def steps_from(self, position: int) -> int:
        """Steps of an epoch that is entered at `position`."""
        whole, remainder = divmod(self.size - min(position, self.size), self.step_size)
        return whole + (self.tail != "drop" and remainder > 0)

    def behind(self, epoch: int, entered: int, steps: int) -> tuple[int, int]:
        """(epoch, position) behind so many steps, of later epochs too."""
        rest = self.steps_from(entered)
        if steps < rest:
            return self.step_at(epoch, entered, steps - 1).after if steps else (epoch, entered)
        epochs, more = divmod(steps - rest, self.steps_from(0))
        return self.behind(epoch + 1 + epochs, 0, more)

    def step_at(self, epoch: int, entered: int, number: int) -> Step:
        """Step `number` < steps_from(entered) of an epoch that is entered at `entered`."""
        steps = self.steps_from(entered)
        begin = entered + number * self.step_size
        end = min(begin + self.step_size, self.size)
        partial = self.tail == "partial"
        if partial and self.batch_size >= 2 and steps >= 2 and number + 2 >= steps:
            shared = entered + (steps - 2) * self.step_size
            middle = shared + (self.size - shared + 1) // 2
            begin, end = (shared, middle) if number + 2 == steps else (middle, self.size)
        after = (epoch + 1, 0) if number + 1 == steps else (epoch, end)
        if partial:
            each, extra = divmod(end - begin, self.world)
            rows = each + (self.rank < extra)
            first = begin + self.rank * each + min(self.rank, extra)
            return Step(first % self.size, max(rows, 1), rows, after)
        first = begin + self.rank * self.batch_size
        valid = max(0, min(end - first, self.batch_size))
        return Step(first % self.size, self.batch_size, valid, after)
