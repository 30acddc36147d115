"""A Loader over a mixture of several datasets or views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from inkstream._network.reader import StreamInfo
from inkstream._order.schedule import Schedule
from inkstream._request.cursor import State
from inkstream._request.keywords import checked_keywords
from inkstream._request.plan import Plan
from inkstream._request.values import flag, whole
from inkstream._stream.converter import Item
from inkstream.errors import FixRequest
from inkstream.mixture import Mixture
from inkstream.split import Split
from inkstream.torch._form import Form, form_of
from inkstream.torch._loader import Loader, Steps
from inkstream.torch._map_dataset import MapDataset
from inkstream.torch._placement import device_of, place_of
from inkstream.torch._position import Position
from inkstream.torch._steps import LoaderDataset
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.torch._tensors import Formed, from_batch

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=TensorBatch)
else:  # which is of Python 3.13 and later
    from typing import TypeVar

    T = TypeVar("T")


class MixtureLoader(Loader[T]):
    """See `loader`. An epoch is as many drawings as the mixture's parts have together.

    So an epoch's length does not hang on the weights, and parts begin anew within it, or go on
    over its end, as their weights have it. A state is the mixture's with the epoch added:
    `mix(..., start=state)` takes it too, and `load_state_dict` takes a mixture's own.
    """

    def __init__(
        self,
        mixture: Mixture,
        *,
        device: torch.device | None = None,
        start: Mapping[str, Any] | None = None,
        follow: bool = False,
        form: Form | None = None,
    ) -> None:
        self._given_mixture = mixture
        self._transform = None if form is None else form.transform
        super().__init__(
            mixture.parts[0][0],
            mixture.plan,
            device=device,
            start=start,
            follow=follow,
            form=form,
        )

    @property
    def mixture(self) -> Mixture:
        """What it reads now; `loader.mixture.remix(weights)` holds from the next batch on."""
        assert isinstance(self._iterator, _Position)
        return self._iterator.mixture

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        return self.mixture.classes

    @property
    def dataset(self) -> MapDataset:
        """Where frameworks look for what an epoch has."""
        return _MixedDrawings(self)

    def __repr__(self) -> str:
        epoch, position = self._iterator.epoch_position
        plan = self._iterator.plan
        return (
            f"MixtureLoader({self.mixture!r}, rank {plan.rank} of {plan.world}, epoch {epoch}, "
            f"position {position})"
        )

    def _begin(self, plan: Plan, start: Mapping[str, Any] | None, ahead: int) -> Position:
        position = _Position(self._given_mixture.for_rank(plan.rank, plan.world), self._transform)
        if start is not None:
            position.load(start)
        return position

    def _to_compare(self) -> dict[str, object]:
        state = self._iterator.state()
        parts = state["parts"]
        return {
            "place": f"epoch {state['epoch']}, position {state['epoch_position']}",
            "weights": state["changes"],
            "fingerprints": [part["fingerprint"] for part in parts],
            "order plans": [part["plan_hash"] for part in parts],
            "places of parts": [(part["epoch"], part["position"]) for part in parts],
        }


class _Position:
    """A mixture's place, counted in epochs too."""

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


class _MixedDrawings(LoaderDataset):
    """An epoch's batches by step; drawings of a mixture have no numbers."""

    def __init__(self, loader: MixtureLoader[Any]) -> None:
        super().__init__(Steps(loader), Split(loader.data, loader._iterator.plan))
        self._drawings = loader.mixture.drawings
        self._classes = loader.classes

    @property
    def classes(self) -> Sequence[str]:
        return self._classes

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {word: label for label, word in enumerate(self._classes)}

    def __len__(self) -> int:
        return self._drawings

    def __getitem__(self, index: object) -> TensorBatch:
        raise FixRequest(
            f"drawing {index!r}: drawings of a mixture have no numbers; iterate the loader, or "
            "take a MapDataset of one part"
        )

    def _batch(self, indices: Sequence[int]) -> TensorBatch:
        return self[list(indices)]

    def __repr__(self) -> str:
        return f"drawings of a mixture, {self._drawings} an epoch"


@checked_keywords()
def loader(
    mixture: Mixture,
    *,
    train: bool = True,
    rank: int | None = None,
    world: int | None = None,
    device: torch.device | str | int | None = None,
    start: Mapping[str, Any] | None = None,
    transform: Callable[[TensorBatch], Any] | None = None,
    as_tuple: Sequence[str] | None = None,
) -> MixtureLoader[Any]:
    """`inkstream.torch.loader` of a mixture, which says itself what is drawn."""
    if not flag("train", train):
        raise FixRequest(
            "train = False: a mixture has no end and repeats drawings; evaluate each part, "
            "loader(data, view, train=False)"
        )
    own = rank is None and world is None and mixture.placed
    place = (mixture.plan.rank, mixture.plan.world) if own else place_of(rank, world)
    return MixtureLoader(
        mixture.for_rank(*place),
        device=None if device is None else device_of(device),
        start=start,
        follow=rank is None and not own,
        form=form_of(mixture.plan, transform, as_tuple, ["part"]),
    )
