"""Datasets for torch's own DataLoader."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import IterableDataset as TorchIterableDataset
from torch.utils.data import default_collate, get_worker_info

from inkstream._cursor import State, check_state
from inkstream._dataset import Dataset
from inkstream._errors import FixRequest, WrongProcess
from inkstream._plan import Plan
from inkstream._playback import Playback
from inkstream._split import Split
from inkstream._view import View
from inkstream.torch._placement import place_of
from inkstream.torch._sampler import IndexBatch
from inkstream.torch._tensors import Staged, Stager, TensorBatch, from_batch

_MOST_WORKERS = 128
_SLOTS_EACH = _MOST_WORKERS * (_MOST_WORKERS + 1) // 2
_STARTED = ("ForkProcess", "SpawnProcess", "ForkServerProcess")
_SLOTS = 1 + len(_STARTED) * _SLOTS_EACH


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


class IterableDataset(TorchIterableDataset[TensorBatch]):
    """Ready batches for `DataLoader(dataset, batch_size=None, num_workers=...)`.

    Each worker streams every num_workers-th step, so that the DataLoader's round robin gives
    one sequence, whatever the number of workers and however they are started. Each batch
    carries its `cursor`, which is what a checkpoint keeps; `load_state_dict` goes on there.

    Each `iter()` of the DataLoader is one epoch: the next one each time, or the one that
    `set_epoch` named, or the rest of the one that `load_state_dict` moved into.
    Keywords are those of `Dataset.stream`, without `epochs`.
    """

    def __init__(
        self,
        data: Dataset,
        view: View | str = "train",
        *,
        rank: int | None = None,
        world: int | None = None,
        start: Mapping[str, Any] | None = None,
        **stream: Any,
    ) -> None:
        super().__init__()
        for name in ("epochs", "step_offset", "step_stride"):
            if name in stream:
                raise FixRequest(f"{name} is set by the IterableDataset itself")
        # Here, not in the workers: those do not know torch.distributed.
        placed = place_of(rank, world)
        self.data = data
        self._plan = Plan.of(view, rank=placed[0], world=placed[1], **stream)
        self._steps: int | None = None
        # Shared by all copies of this object: epoch and position that the first pass starts at,
        # then the passes that each worker has begun.
        self._shared = torch.zeros(2 + _SLOTS, dtype=torch.int64)
        self._shared.share_memory_()  # type: ignore[no-untyped-call]
        self._last: State = {}
        if start is not None:
            self.load_state_dict(start)

    def __len__(self) -> int:
        """Batches of one full epoch of this rank, over all workers."""
        if self._steps is None:
            playback = self._open(self._plan, None)
            try:
                self._steps = playback.steps()
            finally:
                playback.close()
        return self._steps

    def __iter__(self) -> Iterator[TensorBatch]:
        worker = get_worker_info()
        offset, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        epoch, position = self._begin()
        start = {**self._last, "seed": self._plan.seed, "epoch": epoch, "position": position}
        plan = replace(self._plan, epochs=epoch + 1, step_offset=offset, step_stride=stride)
        playback = self._open(plan, start if epoch or position else None)
        try:
            while (item := playback.take()) is not None:
                if worker is None:
                    self._last = item.cursor
                yield item.value.tensors()
        finally:
            playback.close()

    def set_epoch(self, epoch: int) -> None:
        """The next pass gives `epoch`; one that a loaded cursor has begun is kept."""
        half_read = int(self._shared[1]) > 0 and not bool(self._shared[2:].any())
        if not half_read:
            self._move(epoch, 0)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next pass goes on at a cursor. In the main process, before the pass begins."""
        if get_worker_info() is not None:
            raise WrongProcess(
                "load_state_dict in a DataLoader worker: each worker would go on elsewhere. Load "
                "the cursor of the last batch in the main process, before iterating"
            )
        checked = check_state(state)
        self._plan = self._plan.with_seed(checked["seed"])
        self._last = checked
        epoch, position = checked["epoch"], checked["position"]
        if position and self._left(checked) < self._plan.world * self._plan.batch_size:
            epoch, position = epoch + 1, 0
        self._move(epoch, position)

    def state_dict(self) -> State:
        """Without workers: the cursor of the last batch. With workers, keep a batch's own."""
        if get_worker_info() is not None:
            raise WrongProcess("state_dict in a DataLoader worker: keep the `cursor` of a batch")
        return dict(self._last) or check_state({"seed": self._plan.seed})

    def _left(self, state: State) -> int:
        """Drawings left in the epoch for a tail that may drop them; else a whole step."""
        step = self._plan.world * self._plan.batch_size
        if self._plan.tail != "drop":
            return step
        playback = self._open(self._plan, None)
        try:
            return playback.facts().view_size - int(state["position"])
        finally:
            playback.close()

    def _move(self, epoch: int, position: int) -> None:
        self._shared.zero_()
        self._shared[0], self._shared[1] = epoch, position

    def _begin(self) -> tuple[int, int]:
        """(epoch, position) at which the pass starts that this process is asked for.

        A DataLoader tells its dataset nothing when a pass begins, but it starts every worker
        once a pass: the n-th start of a worker belongs to the n-th pass, in whatever order
        workers come. Only that worker writes its count, so nothing is locked. Each number of
        workers and way of starting them counts passes of its own.
        """
        slot = 2 + _slot()
        passes = int(self._shared[slot])
        self._shared[slot] = passes + 1
        return (
            int(self._shared[0]) + passes,
            0 if passes else int(self._shared[1]),
        )

    def _open(self, plan: Plan, start: Mapping[str, Any] | None) -> Playback[Staged]:
        return Playback(self.data, plan, start, Stager())


class MapDataset(TorchDataset[TensorBatch]):
    """Drawings of a view by number, fetched a batch at a time.

    For `DataLoader(dataset, batch_sampler=BatchSampler(...), collate_fn=collate)`: one round
    trip a batch. Picklable; holds no drawings.
    Keywords are those of `Dataset.split`. With `augment`, batches of a BatchSampler are
    augmented anew each epoch, as a stream of the same seed does; otherwise `epoch` says how.
    """

    def __init__(self, data: Dataset, view: View | str = "train", **split: Any) -> None:
        self.split: Split = data.split(view, **split)

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> TensorBatch:
        """One drawing, without the batch dimension."""
        return from_batch(self.split[index])

    def __getitems__(self, indices: Sequence[int]) -> TensorBatch:
        """A ready batch, in the order asked; `collate` passes it through."""
        split = self.split
        if isinstance(indices, IndexBatch):
            split = split.in_epoch(indices.epoch)
        batch = from_batch(split[list(indices)])
        if isinstance(indices, IndexBatch):
            batch.cursor = indices.cursor or {}
            batch["valid"][indices.valid_rows :] = False
        return batch


def collate(samples: Any) -> Any:
    """Passes ready batches through and joins single drawings, ragged strokes too."""
    if isinstance(samples, Mapping):
        return samples
    if len(samples) == 1 and isinstance(samples[0], TensorBatch) and "index" in samples[0]:
        only = samples[0]
        if only["index"].ndim == 1:
            return only
    ragged = ("strokes", "offsets") if "offsets" in samples[0] else ()
    even = [{k: v for k, v in sample.items() if k not in ragged} for sample in samples]
    joined: dict[str, torch.Tensor] = default_collate(even)
    if ragged:
        sizes = torch.cat([sample["offsets"].diff() for sample in samples])
        joined["offsets"] = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        joined["strokes"] = torch.cat([sample["strokes"] for sample in samples])
    return TensorBatch(joined)
