"""A view as a Ray Dataset whose read tasks are cursors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import ray.data
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask
from ray.data.extensions import ArrowTensorArray

from inkstream._adapters.source import dataset_of
from inkstream._batch.batch import Batch
from inkstream._order.schedule import Schedule
from inkstream._request.cursor import State
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import OrderOptions
from inkstream._request.strokes import Strokes, as_strokes
from inkstream._request.values import whole
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest

if TYPE_CHECKING:
    from typing_extensions import Unpack

# What a Ray Dataset has no use for, or that is its own to say.
_FIXED = ("epochs", "tail", "step_offset", "step_stride")


@checked_keywords(OrderOptions)
def dataset(
    data: Dataset,
    view: View | str = "train",
    *,
    batch_size: int = 256,
    image: Image | int | tuple[int, int] | None = None,
    strokes: Strokes | int | None = None,
    columns: Sequence[str] = ("label",),
    epoch: int = 0,
    blocks: int | None = None,
    **stream: Unpack[OrderOptions],
) -> ray.data.Dataset:
    """One epoch of a view as a Ray Dataset: every drawing once, in the order of its seed.

    Each read task holds a cursor and streams its part of the epoch from it, on whichever node it
    runs; so `data` must be of a server that all nodes reach, or of a store that lies at the same
    path on all. A task that is run again gives the same rows. Rows are counted without reading.
    `epoch`: which one; `shuffle=False` for the store's order. `blocks`: how many read tasks; left
    out, as many as Ray thinks fit. `batch_size`: drawings a message, of which blocks are made.
    `stream`: every other keyword of `Dataset.stream`.

    A row has `image` and `strokes` as tensors, and the columns as numbers; bfloat16 comes as
    float32, since Arrow has none. Ray keeps the order where it is told to
    (`DataContext.execution_options.preserve_order`).
    """
    for name in _FIXED:
        if name in stream:
            raise FixRequest(f"{name} is not for a Ray Dataset, which is one whole epoch")
    points = as_strokes(strokes)
    if points is not None and points.ragged:
        raise FixRequest("Strokes.ragged = True: blocks want rows of one shape; leave it out")
    asked: dict[str, Any] = {"batch_size": batch_size, "image": image, "strokes": points}
    asked.update(columns=columns, tail="partial", **stream)
    source = _Source(dataset_of(data), view, asked, whole("epoch", epoch, 0))
    count = None if blocks is None else min(whole("blocks", blocks, 1), max(source.steps, 1))
    return ray.data.read_datasource(source, override_num_blocks=count)


class _Source(Datasource):  # type: ignore[misc]
    def __init__(self, data: Dataset, view: View | str, asked: dict[str, Any], epoch: int) -> None:
        super().__init__()
        self._part = data, view, asked
        report = data.plan(view, epoch=epoch, **asked)
        self._schedule = Schedule(report.epoch_drawings, report.step_drawings, 0, 1, "partial")
        self.steps = self._schedule.steps_from(0)
        self._step_bytes = report.batch_bytes
        self._start: State = {**report.start, "epoch": epoch, "position": 0}

    def get_name(self) -> str:
        return "Inkstream"

    def estimate_inmemory_data_size(self) -> int:
        return self._step_bytes * self.steps

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        count = max(1, min(parallelism, self.steps))
        ends = [self.steps * i // count for i in range(count + 1)]
        return [
            self._task(first, last - first, per_task_row_limit) for first, last in pairwise(ends)
        ]

    def _task(self, first: int, steps: int, limit: int | None) -> ReadTask:
        position = self._place(first)
        rows = self._place(first + steps) - position
        start = {**self._start, "position": position}
        part = self._part

        def read() -> Iterator[pyarrow.Table]:
            return _blocks(*part, start, steps)

        known = BlockMetadata(
            num_rows=rows if limit is None else min(rows, limit),
            size_bytes=self._step_bytes * steps,
            input_files=None,
            exec_stats=None,
        )
        return ReadTask(read, known, per_task_row_limit=limit)

    def _place(self, step: int) -> int:
        """Drawings of the epoch before `step`: its last two share what is left."""
        if step == self.steps:
            return self._schedule.size
        epoch, position = self._schedule.step_at(0, 0, step - 1).after if step else (0, 0)
        assert epoch == 0
        return position


def _blocks(
    data: Dataset, view: View | str, asked: dict[str, Any], start: State, steps: int
) -> Iterator[pyarrow.Table]:
    epochs = start["epoch"] + 1
    with data.stream(view, **asked, start=start, epochs=epochs) as stream:
        for _ in range(steps):
            yield _table(next(stream))


def _table(batch: Batch) -> pyarrow.Table:
    columns = {}
    for name in batch:
        array = batch[name]
        if array.dtype == np.uint16:  # bfloat16, as NumPy has it
            array = batch.float32(name)
        if array.ndim == 1:
            columns[name] = pyarrow.array(array)
        else:
            columns[name] = ArrowTensorArray.from_numpy(array)
    return pyarrow.table(columns)
