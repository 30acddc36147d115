"""The loader that training code iterates."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, NoReturn

import torch
import torch.distributed as dist

from inkstream._batch.words import Classed
from inkstream._network.reader import StreamInfo
from inkstream._order.schedule import Schedule
from inkstream._request.cursor import State, check_state
from inkstream._request.plan import Plan
from inkstream._request.values import whole
from inkstream._stream.prefetch import MAX_AHEAD
from inkstream._stream.stream_iterator import StreamIterator
from inkstream.dataset import Dataset
from inkstream.errors import Closed, FixRequest, PlanMismatch
from inkstream.split import Split
from inkstream.torch._form import Form
from inkstream.torch._map_dataset import MapDataset
from inkstream.torch._placement import compare_ranks, place_of
from inkstream.torch._position import Position
from inkstream.torch._steps import LoaderDataset, Step, StepSampler
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.torch._tensors import Ready, Stager

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # What a loader gives: TensorBatches, unless it is told otherwise.
    T = TypeVar("T", default=TensorBatch)
else:  # which is of Python 3.13 and later
    from typing import TypeVar

    T = TypeVar("T")


class Loader(Classed, Generic[T]):
    """See `loader`. Not a DataLoader: frameworks that re-shard those must leave it alone.

    A training loader has one position. A newer `iter()` goes on from it, and the older one raises
    Closed if it is asked again. An evaluation's `iter()` is a pass of its own, however many there
    are.
    Batches are read ahead and copied into tensors on a thread. Not thread-safe; a training loader
    is used in one process, the one that took its first batch.
    """

    # Of a DataLoader without workers; Accelerate takes them over to what it makes of a loader.
    num_workers = 0
    prefetch_factor = None

    def __init__(
        self,
        data: Dataset,
        plan: Plan,
        *,
        train: bool = True,
        device: torch.device | None = None,
        start: Mapping[str, Any] | None = None,
        follow: bool = False,
        form: Form | None = None,
    ) -> None:
        """`form`: what becomes of its batches; left out, nothing."""
        self.data = data
        self.train = train
        self.device = device
        self._follow = follow  # torch.distributed's rank and world
        self._compared = self._closed = False
        self._placed = start is not None  # somebody said where to begin
        self._framework_epoch: int | None = None  # the last that a framework named
        self._newest = 0  # iter() of a training
        self._known: tuple[Plan, StreamInfo] | None = None
        self._form = Form() if form is None else form
        self._stager = Stager(plan.strokes, self._form.transform)
        # A training's position. In an evaluation, the one that the next pass begins with.
        self._iterator = self._begin(plan, start, MAX_AHEAD)
        self._passes: weakref.WeakSet[Position] = weakref.WeakSet((self._iterator,))
        self._latest = self._iterator  # whose counts `stats` tells

    @property
    def batch_size(self) -> int:
        """Drawings a batch of this rank."""
        return self._iterator.plan.batch_size

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of; 0 in an evaluation."""
        return self._iterator.epoch_position[0]

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self._iterator.plan.view.classes or self.data.classes

    @property
    def dataset(self) -> MapDataset:
        """The view's drawings by number, where torch's programs look for them."""
        return LoaderDataset(LoaderSteps(self), Split(self.data, self._iterator.plan))

    @property
    def batch_sampler(self) -> StepSampler:
        """Where frameworks look for `set_epoch`, and for what to skip."""
        return StepSampler(LoaderSteps(self))

    @property
    def sampler(self) -> StepSampler:
        """The same."""
        return self.batch_sampler

    def __iter__(self) -> Iterator[T]:
        """One epoch: the rest of the one begun, or the next one; in an evaluation a whole pass."""
        if not self.train:
            return self._evaluation()
        self._newest += 1
        return self._rest_of_epoch(self._newest)

    def __len__(self) -> int:
        """Batches of one full epoch of this rank, wherever it stands."""
        return self._info().steps_per_epoch

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, _: object) -> NoReturn:
        # What torch's DataLoader would ask of it.
        raise FixRequest(
            "a Loader is iterated as it is, with no DataLoader around it: its batches are ready. "
            "Drawings by number are data.split(...)[i], or a MapDataset's"
        )

    def peek(self) -> T:
        """The batch that comes next, or a pass's first, without moving; for a look.

        It is drawn for this call alone. FixRequest where none comes, behind the last of `epochs`.
        """
        self._prepare()
        start = self._iterator.state() if self.train else None
        with closing(self._open(start, ahead=1)) as iterator:
            item = iterator.take()
        if item is None:
            raise FixRequest(f"no batch comes next: this loader has given its {self.epoch} epochs")
        return self._given(item.value)

    def state_dict(self) -> State:
        """The cursor of the last batch handed out, a JSON-able dict; an evaluation's start."""
        if not self.train:
            return dict(self._info().cursor)
        self._prepare()
        return self._iterator.state()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves a training loader to a cursor. An evaluation always starts at (0, 0)."""
        if self.train:
            self._iterator.load(state)
            self._placed = True
        else:
            check_state(state)

    def set_epoch(self, epoch: int) -> None:
        """Moves a training loader that stands between two epochs to the start of `epoch`.

        A half-read epoch is finished first: frameworks call this after a resume, too.
        """
        epoch = whole("epoch", epoch, 0)
        current, position = self._iterator.epoch_position
        if self.train and position == 0 and epoch != current:
            self._iterator.seek(epoch, 0)

    def stats(self) -> dict[str, Any]:
        """Counts since the loader was made; in an evaluation, of its latest pass."""
        return self._latest.stats()

    def close(self) -> None:
        """Ends the stream and its thread; an evaluation's passes. Idempotent."""
        self._closed = True
        for iterator in list(self._passes):
            iterator.close()

    def __enter__(self) -> Loader[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        plan = self._iterator.plan
        epoch, position = self._iterator.epoch_position
        place = f"epoch {epoch}, position {position}" if self.train else "train=False"
        return (
            f"Loader({self.data.name!r}, {plan.view!r}, batch_size={plan.batch_size}, "
            f"image={plan.image!r}, rank {plan.rank} of {plan.world}, {place})"
        )

    def __reduce__(self) -> Any:
        raise TypeError(
            "a Loader cannot be pickled: it is a live connection. Pass the dataset (it can be) "
            "and state_dict(), and make the loader where it is read"
        )

    def _rest_of_epoch(self, number: int) -> Iterator[T]:
        self._prepare()
        self._compare()
        while True:
            if number != self._newest:
                raise Closed(
                    "a newer iter() of this training loader goes on where this one stood: keep "
                    "one iterator, look at a batch with loader.peek(), or make a second loader"
                )
            item = self._iterator.take()
            if item is None:
                return
            yield self._given(item.value)
            if item.ends_epoch:
                return

    def _evaluation(self) -> Iterator[T]:
        self._prepare()
        self._compare()
        if self._closed:
            raise Closed("this loader was closed; make another one")
        # What this opens, or a comparison of ranks has, is the stream of this pass: `len` later
        # opens none that nobody reads.
        self._info()
        self._latest, self._iterator = self._iterator, self._open(None)
        with closing(self._latest) as iterator:
            while (item := iterator.take()) is not None:
                yield self._given(item.value)
                if item.ends_epoch:
                    return

    def _given(self, ready: Ready) -> T:
        given: T = self._form.chosen(ready.tensors(self.device))
        return given

    def _begin(self, plan: Plan, start: Mapping[str, Any] | None, ahead: int) -> Position:
        """A position of its own."""
        return StreamIterator(self.data, plan, start, self._stager, ahead)

    def _open(self, start: State | None, ahead: int = MAX_AHEAD) -> Position:
        iterator = self._begin(self._iterator.plan, start, ahead)
        self._passes.add(iterator)
        return iterator

    def _info(self) -> StreamInfo:
        """What the server says of the stream; asked once, unless ranks change."""
        self._prepare()
        plan = self._iterator.plan
        if self._known is None or self._known[0] is not plan:
            self._known = plan, self._iterator.info()
        return self._known[1]

    def _prepare(self) -> None:
        """Takes up what became known since the loader was made."""
        iterator = self._iterator
        if self._follow:
            placed = place_of(None, None)
            if placed != (iterator.plan.rank, iterator.plan.world):
                if not iterator.untouched:
                    raise PlanMismatch(
                        f"this loader began as rank {iterator.plan.rank} of "
                        f"{iterator.plan.world}, and torch.distributed now says rank "
                        f"{placed[0]} of {placed[1]}: make it after init_process_group"
                    )
                iterator.replan(replace(iterator.plan, rank=placed[0], world=placed[1]))
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
                self._iterator.replan(self._iterator.plan)

    def _compare(self) -> None:
        if self._compared or not self._follow:
            return
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            compare_ranks(self._to_compare)
        self._compared = True

    def _to_compare(self) -> dict[str, object]:
        """What all ranks ought to have in common."""
        info = self._iterator.info()
        return {
            "fingerprint": info.cursor["fingerprint"],
            "order plan": info.cursor["plan_hash"],
            "place": f"epoch {info.cursor['epoch']}, position {info.cursor['position']}",
            "raster version": info.raster_version,
        }


class LoaderSteps:
    """What StepSampler and LoaderDataset ask of a loader."""

    def __init__(self, loader: Loader[Any]) -> None:
        self._loader = loader
        self._pass: Position | None = None  # an evaluation's own

    def __len__(self) -> int:
        return len(self._loader)

    def framework_epoch(self) -> int:
        """See Steps."""
        named = self._loader._framework_epoch
        return self._loader.epoch if named is None or not self._loader.train else named

    def begin_at(self, epoch: int) -> None:
        """See Steps."""
        loader = self._loader
        loader._framework_epoch = epoch
        if not loader._placed and loader._iterator.untouched:
            loader.set_epoch(epoch)

    def batch_of(self, step: Step) -> Any:
        """See Steps."""
        loader = self._loader
        loader._prepare()
        plan = loader._iterator.plan
        if loader.train:
            iterator = loader._iterator
            loader._placed = True
            loader._newest += 1
        else:
            self._pass = iterator = self._pass or loader._open(None)
        place = (step.epoch, 0)
        if step.number:
            size = loader._info().view_size
            schedule = Schedule(size, plan.batch_size, plan.rank, plan.world, plan.tail)
            place = schedule.step_at(step.epoch, 0, step.number - 1).after
        if iterator.epoch_position != place:
            iterator.seek(place[0], 0, position=place[1])
        item = iterator.take()
        if item is None:
            raise FixRequest(f"no batch at {step}: the loader's epochs end before it")
        return loader._given(item.value)
