"""What a Loader moves along: a stream's place, or a mixture's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inkstream._network.reader import StreamInfo
from inkstream._order.schedule import Schedule
from inkstream._request.cursor import State
from inkstream._request.plan import Plan
from inkstream._request.values import whole
from inkstream._stream.converter import Item
from inkstream._stream.stream_iterator import StreamIterator
from inkstream.mixture import Mixture
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.torch._tensors import Formed, Ready, from_batch


class MixturePosition:
    """A mixture's place, counted in epochs too; its methods are a StreamIterator's."""

    def __init__(self, mixture: Mixture, transform: Callable[[TensorBatch], Any] | None) -> None:
        self.mixture = mixture
        self.plan = mixture.plan
        self._transform = transform
        self._taken = 0
        self.epoch_position = (
            self._schedule().behind(0, 0, mixture.step) if mixture.step else (0, 0)
        )

    @property
    def untouched(self) -> bool:
        return self._taken == 0

    def take(self) -> Item[Any] | None:
        schedule = self._schedule()
        epoch, position = self.epoch_position
        if not schedule.steps_from(position):  # of another batch size: no whole one is left
            epoch, position = epoch + 1, 0
        batch = next(self.mixture)
        batch.epoch, batch.step = epoch, position // schedule.step_size
        self.epoch_position = schedule.behind(epoch, position, 1)
        self._taken += 1
        cursor = self._with_epoch(batch.cursor)
        tensors = from_batch(batch, cursor, copy=False)
        value = tensors if self._transform is None else self._transform(tensors)
        return Item(Formed(value), cursor, epoch, batch.step)

    def info(self) -> StreamInfo:
        return StreamInfo(
            dataset="a mixture",
            cursor=self.state(),
            view_size=self.mixture.drawings,
            steps_per_epoch=self._schedule().steps_from(0),
            raster_version=0,
            classes=tuple(self.mixture.classes),
            credit_window=0,
        )

    def state(self) -> State:
        return self._with_epoch(self.mixture.state_dict())

    def load(self, state: Mapping[str, Any]) -> None:
        self.mixture.load_state_dict(state)
        if "epoch" in state:
            place = (
                whole("state.epoch", state["epoch"], 0),
                whole("state.epoch_position", state.get("epoch_position", 0), 0),
            )
        else:
            place = self._schedule().behind(0, 0, state["step"])
        self.epoch_position = place

    def seek(self, epoch: int, step: int, position: int | None = None) -> None:
        schedule = self._schedule()
        if position is not None:
            step = position // schedule.step_size
        self.mixture.seek(epoch * schedule.steps_from(0) + step)
        self.epoch_position = epoch, step * schedule.step_size

    def replan(self, plan: Plan) -> None:
        if (plan.rank, plan.world) != (self.plan.rank, self.plan.world):
            self.mixture.close()
            self.mixture = self.mixture.for_rank(plan.rank, plan.world)
        self.plan = plan

    def stats(self) -> dict[str, Any]:
        return {"batches": self._taken, "parts": self.mixture.stats()}

    def close(self) -> None:
        self.mixture.close()

    def _schedule(self) -> Schedule:
        """FixRequest where no batch is an epoch's."""
        plan = self.plan
        return Schedule(self.mixture.drawings, plan.batch_size, plan.rank, plan.world)

    def _with_epoch(self, state: Mapping[str, Any]) -> State:
        epoch, position = self.epoch_position
        return {**state, "epoch": epoch, "epoch_position": position}


Position = StreamIterator[Ready] | MixturePosition
