"""A Loader over a mixture of several datasets or views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from inkstream._request.keywords import checked_keywords
from inkstream._request.plan import Plan
from inkstream._request.values import flag
from inkstream.errors import FixRequest
from inkstream.mixture import Mixture
from inkstream.split import Split
from inkstream.torch._form import Form, form_of
from inkstream.torch._loader import Loader, LoaderSteps, T
from inkstream.torch._map_dataset import MapDataset
from inkstream.torch._placement import device_of, place_of
from inkstream.torch._position import MixturePosition
from inkstream.torch._steps import LoaderDataset
from inkstream.torch._tensor_batch import TensorBatch


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
        assert isinstance(self._iterator, MixturePosition)
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

    def _begin(self, plan: Plan, start: Mapping[str, Any] | None, ahead: int) -> MixturePosition:
        position = MixturePosition(
            self._given_mixture.for_rank(plan.rank, plan.world), self._transform
        )
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


class _MixedDrawings(LoaderDataset):
    """An epoch's batches by step; drawings of a mixture have no numbers."""

    def __init__(self, loader: MixtureLoader[Any]) -> None:
        super().__init__(LoaderSteps(loader), Split(loader.data, loader._iterator.plan))
        self._drawings = loader.mixture.drawings
        self._classes = loader.classes

    @property
    def classes(self) -> Sequence[str]:
        return self._classes

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
