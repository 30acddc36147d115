"""The form in which a loader gives its batches, where that is not a TensorBatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from inkstream._batch.batch import ASKED_BY
from inkstream._request.plan import Plan
from inkstream._request.values import nearest, sequence, shown
from inkstream.errors import FixRequest
from inkstream.torch._tensor_batch import TensorBatch

Transform = Callable[[TensorBatch], Any]


@dataclass(frozen=True)
class Form:
    """`transform`, on the reading thread; of what that returns the tensors `names`."""

    transform: Transform | None = None
    names: tuple[str, ...] | None = None

    def chosen(self, made: Any) -> Any:
        """What the loader gives of a batch, or of what `transform` made of one."""
        if self.names is None:
            return made
        if not isinstance(made, Mapping):
            raise FixRequest(
                f"as_tuple names tensors, and transform returned {shown(made)}: return a dict of "
                "them, or leave as_tuple out and return a tuple"
            )
        return tuple(made[name] for name in self.names)


def form_of(plan: Plan, transform: Any, as_tuple: Any, more: Sequence[str] = ()) -> Form:
    """From a loader's keywords. FixRequest for tensors that neither the plan has nor `more`."""
    if transform is not None and not callable(transform):
        raise FixRequest(f"transform = {shown(transform)}: give a function of a TensorBatch")
    if as_tuple is None:
        return Form(transform)
    names = tuple(sequence("as_tuple", as_tuple, "names"))
    if not names:
        raise FixRequest('as_tuple is empty: give names, such as ("image", "label")')
    known = [*_tensors_of(plan), *more]
    for name in names:
        if transform is None and name not in known:  # who knows what a transform makes
            asked = ASKED_BY.get(name)
            how = nearest(str(name), known) if asked is None else f": give {asked}"
            raise FixRequest(f"as_tuple names {shown(name)}, and there are {known}{how}")
    return Form(transform, names)


def moved(value: Any, device: torch.device) -> Any:
    """`value` with every tensor in it on `device`."""
    if isinstance(value, (torch.Tensor, TensorBatch)):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {name: moved(each, device) for name, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(each, device) for each in value))
    if isinstance(value, (tuple, list)):
        return type(value)(moved(each, device) for each in value)
    return value.to(device) if hasattr(value, "to") else value


def _tensors_of(plan: Plan) -> list[str]:
    names = list(plan.columns)
    if plan.image is not None:
        names.append("image")
    if plan.strokes is not None:
        names += ["strokes", "length", *(["offsets"] if plan.strokes.ragged else [])]
    return list(dict.fromkeys([*names, "index", "valid"]))
