"""How a batch of several parts is made up: rows of each, and where in the batch they stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inkstream._order.schedule import Schedule
from inkstream.errors import FixRequest


def rows_of_parts(weights: Sequence[float], batch_size: int) -> tuple[int, ...]:
    """Rows of each part in a batch: its share rounded down, what is left by largest remainder.

    Every batch has the same, so a batch is as good a sample as the epoch. FixRequest where a part
    that has a weight would get no row.
    """
    total = sum(weights)
    exact = [batch_size * weight / total for weight in weights]
    rows = [int(share) for share in exact]
    by_remainder = sorted(range(len(rows)), key=lambda i: (rows[i] - exact[i], i))
    for i in by_remainder[: batch_size - sum(rows)]:
        rows[i] += 1
    for i, weight in enumerate(weights):
        if weight > 0 and rows[i] == 0:
            least = int(np.ceil(total / min(weight for weight in weights if weight > 0)))
            raise FixRequest(
                f"weights[{i}] = {weight:g} of {total:g} is less than one drawing in a batch of "
                f"{batch_size}: give a batch_size of at least {least}, or 0 to leave the part out"
            )
    return tuple(rows)


def places_behind(
    spans: Sequence[tuple[int, Sequence[float]]],
    sizes: Sequence[int],
    batch_size: int,
    rank: int,
    world: int,
) -> list[tuple[int, int]]:
    """(epoch, position) of each part behind (steps, weights) each; `sizes`: drawings of parts."""
    places = [(0, 0)] * len(sizes)
    for steps, weights in spans:
        for i, rows in enumerate(rows_of_parts(weights, batch_size)):
            if steps > 0 and rows:
                schedule = Schedule(sizes[i], rows, rank, world)
                places[i] = schedule.behind(*places[i], steps)
    return places


def places_of_parts(rows: Sequence[int]) -> tuple[NDArray[np.intp], ...]:
    """Which rows of the batch each part has: spread evenly, so that any run of rows has its mix."""
    part = np.repeat(np.arange(len(rows)), rows)
    within = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in rows])
    order = np.lexsort((part, within))
    return tuple(np.flatnonzero(part[order] == i) for i in range(len(rows)))
