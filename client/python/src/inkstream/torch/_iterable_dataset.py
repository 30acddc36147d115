"""Ready batches for torch's own DataLoader, with and without workers.

Two things are told apart. Where the next pass begins lies in memory that all copies of a dataset
share, because a DataLoader tells its dataset nothing when a pass begins: it starts every worker
once a pass, so a worker's n-th start belongs to the n-th pass, in whatever order workers come.
Where the running pass stands is each process's own, and what a checkpoint asks for.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import IterableDataset as TorchIterableDataset
from torch.utils.data import get_worker_info

from inkstream._adapters.source import dataset_of
from inkstream._batch.words import Classed
from inkstream._request.cursor import State, check_state
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import OrderOptions
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes
from inkstream._request.values import whole
from inkstream._request.view import View
from inkstream._stream.stream_iterator import StreamIterator
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest, WrongProcess
from inkstream.torch._placement import Placement
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.torch._tensors import Ready, Stager

if TYPE_CHECKING:
    from typing_extensions import Unpack

_MOST_WORKERS = 128
_SLOTS_EACH = _MOST_WORKERS * (_MOST_WORKERS + 1) // 2
_STARTED = ("ForkProcess", "SpawnProcess", "ForkServerProcess")
_SLOTS = 1 + len(_STARTED) * _SLOTS_EACH
# A worker's state: the cursor of its last batch, whose pass that was, and which of how many.
_WORKERS_FIELDS = frozenset(("cursor", "pass", "apart", "worker", "num_workers"))


def _slot() -> int:
    """A number for this process: how workers are started, how many there are, which it is."""
    worker = get_worker_info()
    if worker is None:
        return 0
    if worker.num_workers > _MOST_WORKERS:
        raise FixRequest(f"num_workers = {worker.num_workers}; the limit is {_MOST_WORKERS}")
    kind = type(multiprocessing.current_process()).__name__
    kinds = _STARTED.index(kind) if kind in _STARTED else 0
    others = worker.num_workers * (worker.num_workers - 1) // 2
    return 1 + kinds * _SLOTS_EACH + others + worker.id


def _is_a_workers(state: Mapping[str, Any]) -> bool:
    return _WORKERS_FIELDS.issubset(state)


class IterableDataset(TorchIterableDataset[TensorBatch], Classed):
    """Ready batches for `DataLoader(dataset, batch_size=None, num_workers=...)`.

    Each worker streams every num_workers-th step, so that the DataLoader's round robin gives
    one sequence, whatever the number of workers and however they are started. Each batch
    carries its `cursor`, which is what a checkpoint keeps; `load_state_dict` goes on there.
    torchdata's StatefulDataLoader keeps a state of its own, for as many workers.

    Each `iter()` of the DataLoader is one epoch: the next one each time, or the one that
    `set_epoch` named, or the rest of the one that `load_state_dict` moved into.
    `rank`, `world`: torch.distributed's if left out; rank 0 of 1 for Accelerate, which shares
    batches out itself.
    Keywords are those of `Dataset.stream`, without `epochs`.
    """

    @checked_keywords(OrderOptions)
    def __init__(
        self,
        data: Dataset,
        view: View | str = "train",
        *,
        batch_size: int = 256,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        rank: int | None = None,
        world: int | None = None,
        start: Mapping[str, Any] | None = None,
        **stream: Unpack[OrderOptions],
    ) -> None:
        super().__init__()
        for name in ("epochs", "step_offset", "step_stride"):
            if name in stream:
                raise FixRequest(
                    f"{name} is set by the IterableDataset itself: each iter() is one epoch, and "
                    "workers take turns"
                )
        # Here, not in the workers: those do not know torch.distributed.
        self._place = Placement("IterableDataset", rank, world)
        self.data = data = dataset_of(data)
        self._plan = Plan.of(
            view,
            data,
            batch_size=batch_size,
            image=image,
            strokes=strokes,
            columns=columns,
            rank=self._place.rank,
            world=self._place.world,
            **stream,
        )
        self._steps: int | None = None
        # Shared by all copies of this object: epoch and position that the first pass starts at;
        # then, by worker, the epoch after the last one begun, 0 for none.
        self._shared = torch.zeros(2 + _SLOTS, dtype=torch.int64)
        self._shared.share_memory_()  # type: ignore[no-untyped-call]
        self._known: State = {}  # what a loaded cursor says of its data and order
        self._pass = 0  # the epoch that the running pass gives
        self._cursor: State = {}  # of the running pass's last batch
        self._apart = False  # see ResumePoint
        self._resumed = False  # a worker's own state was loaded, and is where iter() goes on
        if start is not None:
            self.load_state_dict(start)

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self._plan.view.classes or self.data.classes

    def __len__(self) -> int:
        """Batches of one full epoch of this rank, over all workers."""
        self._place.check()
        if self._steps is None:
            with closing(self._open(self._plan, None)) as iterator:
                self._steps = iterator.steps()
        return self._steps

    def __iter__(self) -> Iterator[TensorBatch]:
        self._place.check()
        resumed, self._resumed = self._resumed, False
        if resumed:
            return self._batches((self._cursor, self._apart))
        self._cursor, self._apart = {}, False
        return self._batches(None)

    def set_epoch(self, epoch: int) -> None:
        """The next pass gives `epoch`; one that a loaded cursor has begun is kept."""
        epoch = whole("epoch", epoch, 0)
        half_read = int(self._shared[1]) > 0 and not bool(self._shared[2:].any())
        if not half_read:
            self._move(epoch, 0)

    def state_dict(self) -> State:
        """The cursor of the last batch; before one, of where the next pass starts.

        WrongProcess once workers have begun, which alone know where they are: keep a batch's own
        `cursor`. In a worker, for torchdata: that worker's part of a state.
        """
        if get_worker_info() is None and not self._shared[2] and self._shared[3:].any():
            raise WrongProcess(
                "DataLoader workers read this dataset, and this process does not know how far: "
                "keep the `cursor` of the last batch, or the state of torchdata's "
                "StatefulDataLoader"
            )
        epoch, position = self._next()
        start = {**self._known, "seed": self._plan.seed, "epoch": epoch, "position": position}
        cursor = dict(self._cursor) or check_state(start)
        worker = get_worker_info()
        if worker is None:
            return cursor
        return {
            "cursor": cursor,
            "pass": self._pass if self._cursor else epoch,
            "apart": self._apart,
            "worker": worker.id,
            "num_workers": worker.num_workers,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass goes on at a cursor. In the main process, before the pass begins.

        In a worker, for torchdata: the rest of the pass that its state was taken in, which is
        empty if that was behind the epoch's last batch.
        """
        worker = get_worker_info()
        if worker is not None:
            self._load_in_worker(state, worker.id, worker.num_workers)
            return
        if _is_a_workers(state):
            raise FixRequest(
                f"this is the state of a DataLoader's worker, one of {state['num_workers']}: load "
                "all of it into a StatefulDataLoader with as many, or the cursor of a batch here"
            )
        checked = check_state(state)
        self._plan = self._plan.with_seed(checked["seed"])
        self._known = checked
        epoch, position = checked["epoch"], checked["position"]
        if position and self._left(checked) < self._plan.world * self._plan.batch_size:
            epoch, position = epoch + 1, 0
        self._move(epoch, position)
        self._cursor = {}

    def __repr__(self) -> str:
        plan = self._plan
        return (
            f"IterableDataset({self.data.name!r}, {plan.view!r}, batch_size={plan.batch_size}, "
            f"image={plan.image!r}, rank {plan.rank} of {plan.world})"
        )

    def _batches(self, resumed: tuple[State, bool] | None) -> Iterator[TensorBatch]:
        # A generator, so that what is never read counts for no pass.
        worker = get_worker_info()
        offset, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        start, apart = (self._begin(), False) if resumed is None else resumed
        plan = replace(self._plan, epochs=self._pass + 1, step_offset=offset, step_stride=stride)
        with closing(self._open(plan, start, apart)) as iterator:
            while (item := iterator.take()) is not None:
                self._cursor = item.cursor
                self._apart = stride > 1 and not item.ends_epoch
                yield item.value.tensors()

    def _begin(self) -> State | None:
        """Where the pass starts that this process is asked for; None: epoch 0."""
        self._pass, position = self._next()
        # Only this worker writes its slot, so nothing is locked.
        self._shared[2 + _slot()] = self._pass + 1
        if not self._pass and not position:
            return None
        place = {"seed": self._plan.seed, "epoch": self._pass, "position": position}
        return {**self._known, **place}

    def _next(self) -> tuple[int, int]:
        """(epoch, position) at which the next pass of this process starts."""
        begun = int(self._shared[2 + _slot()])
        return (begun, 0) if begun else (int(self._shared[0]), int(self._shared[1]))

    def _move(self, epoch: int, position: int) -> None:
        self._shared.zero_()
        self._shared[0], self._shared[1] = epoch, position

    def _load_in_worker(self, state: Mapping[str, Any], worker: int, num_workers: int) -> None:
        if not _is_a_workers(state):
            raise WrongProcess(
                "load_state_dict in a DataLoader worker: each worker would go on elsewhere. Load "
                "the cursor of the last batch in the main process, before iterating"
            )
        if (state["worker"], state["num_workers"]) != (worker, num_workers):
            raise WrongProcess(
                f"this state is of worker {state['worker']} of {state['num_workers']} and is "
                f"loaded by worker {worker} of {num_workers}: resume with num_workers="
                f"{state['num_workers']}, or load the cursor of a batch in the main process, "
                "which goes on with any number"
            )
        cursor = check_state(state["cursor"])
        if cursor["seed"] != self._plan.seed:
            raise FixRequest(
                f"cursor.seed = {cursor['seed']}, but this dataset's is {self._plan.seed}: make "
                f"it with seed={cursor['seed']}, so that the passes after this one have it too"
            )
        self._cursor, self._apart = cursor, bool(state["apart"])
        self._pass = int(state["pass"])
        self._resumed = True
        self._shared[2 + _slot()] = self._pass + 1

    def _left(self, state: State) -> int:
        """Drawings left in the epoch for a tail that may drop them; else a whole step."""
        step = self._plan.world * self._plan.batch_size
        if self._plan.tail != "drop":
            return step
        with closing(self._open(self._plan, None)) as iterator:
            return iterator.info().view_size - int(state["position"])

    def _open(
        self, plan: Plan, start: Mapping[str, Any] | None, apart: bool = False
    ) -> StreamIterator[Ready]:
        return StreamIterator(self.data, plan, start, Stager(plan.strokes), apart=apart)
