"""The loader that training code iterates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist

from inkstream._cursor import State, check_state
from inkstream._dataset import Dataset
from inkstream._errors import FixRequest, PlanMismatch
from inkstream._image import Image
from inkstream._plan import Plan
from inkstream._playback import Playback
from inkstream._strokes import Strokes
from inkstream._view import View
from inkstream.torch._placement import compare_ranks, place_of
from inkstream.torch._tensors import Staged, Stager, TensorBatch


def loader(
    data: Dataset,
    view: View | str = "train",
    *,
    batch_size: int = 256,
    image: Image | None = None,
    strokes: Strokes | None = None,
    columns: Sequence[str] = ("label",),
    train: bool = True,
    rank: int | None = None,
    world: int | None = None,
    device: torch.device | str | int | None = None,
    start: Mapping[str, Any] | None = None,
    **stream: Any,
) -> Loader:
    """A sized, re-iterable, resumable source of dicts of tensors.

    `train=True` goes on from its position for ever, one epoch an `iter()`; `train=False` gives
    the same pass each time: no augmentation, every drawing once (tail "partial"), epoch 0.
    `rank`, `world`: torch.distributed's if left out. `device`: where the tensors are put; left
    out, they stay on the host, page-locked once CUDA is in use.
    `stream`: every other keyword of `Dataset.stream`.
    """
    place = place_of(rank, world)
    if train:
        stream.setdefault("epochs", "forever")
    else:
        if start is not None:
            raise FixRequest("start= is for training: an evaluation always starts at (0, 0)")
        stream.setdefault("tail", "partial")
        stream.update(epochs=1, augment=None)
    plan = Plan.of(
        view,
        batch_size=batch_size,
        image=image,
        strokes=strokes,
        columns=columns,
        rank=place[0],
        world=place[1],
        **stream,
    )
    return Loader(data, plan, train=train, device=device, start=start, follow=rank is None)


class FrameworkEpochs:
    """Takes a framework's epoch number for what it is worth.

    Lightning ignores a loader's state in a checkpoint made at an epoch's end; on resuming it only
    calls `batch_sampler.sampler.set_epoch(n)`: that is where a loader that knows no place begins.
    In the midst of training the number means nothing: with `limit_train_batches` a framework's
    epochs are shorter than the data's.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    @property
    def sampler(self) -> FrameworkEpochs:
        """Lightning takes a `sampler` on the loader itself for one that it may replace."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Moves a loader that has not begun to the start of `epoch`."""
        if not self._loader.begun:
            self._loader.set_epoch(epoch)


class Loader:
    """See `loader`. Not a DataLoader: frameworks that re-shard those must leave it alone.

    Batches are read ahead and copied into tensors on a thread. Not thread-safe; used in one
    process, the one that took its first batch.
    """

    def __init__(
        self,
        data: Dataset,
        plan: Plan,
        *,
        train: bool = True,
        device: torch.device | str | int | None = None,
        start: Mapping[str, Any] | None = None,
        follow: bool = False,
    ) -> None:
        self.dataset = data
        self.train = train
        self.device = None if device is None else torch.device(device)
        self._follow = follow  # torch.distributed's rank and world
        self._compared = False
        self._placed = start is not None  # somebody said where to begin
        self._stager = Stager()
        self._playback: Playback[Staged] = Playback(data, plan, start, self._stager)

    @property
    def batch_sampler(self) -> FrameworkEpochs:
        """Where frameworks look for a sampler's `set_epoch`."""
        return FrameworkEpochs(self)

    @property
    def begun(self) -> bool:
        """Whether a batch was taken, or a place to begin at was named."""
        return self._placed or not self._playback.untouched

    @property
    def batch_size(self) -> int:
        """Drawings a batch of this rank."""
        return self._playback.plan.batch_size

    def __iter__(self) -> Iterator[TensorBatch]:
        """One epoch: the rest of the one begun, or the next one."""
        self._prepare()
        if not self.train:
            self._playback.rewind()
        self._compare()
        while (item := self._playback.take()) is not None:
            yield item.value.tensors(self.device)
            if item.ends_epoch:
                return

    def __len__(self) -> int:
        """Batches of one full epoch of this rank, wherever it stands."""
        self._prepare()
        return self._playback.steps()

    def __bool__(self) -> bool:
        return True

    def state_dict(self) -> State:
        """The cursor of the last batch handed out, a JSON-able dict."""
        self._prepare()
        return self._playback.state()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves a training loader to a cursor. An evaluation always starts at (0, 0)."""
        if self.train:
            self._playback.load(state)
            self._placed = True
        else:
            check_state(state)

    def set_epoch(self, epoch: int) -> None:
        """Moves a training loader that stands between two epochs to the start of `epoch`.

        A half-read epoch is finished first: frameworks call this after a resume, too.
        """
        current, position = self._playback.place
        if self.train and position == 0 and epoch != current:
            self._playback.seek(epoch, 0)

    def stats(self) -> dict[str, Any]:
        """Counts since the loader was made."""
        return self._playback.stats()

    def close(self) -> None:
        """Ends the stream and its thread. Idempotent."""
        self._playback.close()

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        """Takes up what became known since the loader was made."""
        playback = self._playback
        if self._follow:
            placed = place_of(None, None)
            if placed != (playback.plan.rank, playback.plan.world):
                if not playback.untouched:
                    raise PlanMismatch(
                        f"this loader began as rank {playback.plan.rank} of "
                        f"{playback.plan.world}, and torch.distributed now says rank "
                        f"{placed[0]} of {placed[1]}: make it after init_process_group"
                    )
                playback.replan(replace(playback.plan, rank=placed[0], world=placed[1]))
        self._pin()

    def _pin(self) -> None:
        """Uses page-locked memory where CUDA is, but is not the one to initialise CUDA."""
        if self._stager.pinned_for is None:
            if self.device is not None and self.device.type == "cuda":
                index = self.device.index
                self._stager.pinned_for = torch.cuda.current_device() if index is None else index
            elif self.device is None and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
                self._stager.pinned_for = torch.cuda.current_device()
            if self._stager.pinned_for is not None:
                # Opened for another kind of memory, where it is open already.
                self._playback.replan(self._playback.plan)

    def _compare(self) -> None:
        if self._compared or not self._follow:
            return
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            compare_ranks(self._playback.facts)
        self._compared = True
