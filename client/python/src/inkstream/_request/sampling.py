"""How often drawings of one kind come, as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inkstream._request.uploaded_set import Weights
from inkstream._request.values import holds_many, nearest, real, sequence, shown
from inkstream._request.view import View, as_view
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

_KNOWN = (
    'there are "uniform", "balanced:ALPHA", weights by word, a list of weights, one a class, '
    "a list of (view, weight), and Weights(keys, weights), one a drawing"
)


@dataclass(frozen=True)
class Sampling:
    """Uniform, or one of the others. Immutable and picklable."""

    alpha: float | None = None
    views: tuple[View, ...] = ()
    weights: tuple[float, ...] = ()
    drawings: Weights | None = None

    def add_to(self, order: plan_pb2.Order) -> None:
        """Sets the contract's field."""
        if self.alpha is not None:
            order.sampling.balanced.alpha = self.alpha
        elif self.views:
            order.sampling.mix.views.extend(view.to_proto() for view in self.views)
            order.sampling.mix.weights.extend(self.weights)
        elif self.weights:
            order.sampling.weights.weights.extend(self.weights)
        elif self.drawings is not None:
            order.sampling.drawings.weights = self.drawings.hash


UNIFORM = Sampling()


def sampling_of(given: Any, classes: Sequence[str]) -> Sampling:
    """What a stream's `sampling=` may be. `classes`: words of the view, which weights go by."""
    if isinstance(given, Sampling):
        return given
    if isinstance(given, Weights):
        return Sampling(drawings=given)
    if isinstance(given, str):
        return _named(given)
    if isinstance(given, Mapping):
        return Sampling(weights=_by_word(given, classes))
    if not holds_many(given):
        raise FixRequest(f"sampling = {shown(given)} is not known; {_KNOWN}")
    entries = sequence("sampling", given, "weights")
    if not entries:
        raise FixRequest(f"sampling is empty; {_KNOWN}")
    pairs = [_is_pair(entry) for entry in entries]
    if all(pairs):
        return Sampling(
            views=tuple(_view(f"sampling[{i}][0]", view) for i, (view, _) in enumerate(entries)),
            weights=tuple(
                real(f"sampling[{i}][1]", weight) for i, (_, weight) in enumerate(entries)
            ),
        )
    if any(pairs):
        raise FixRequest(f"sampling = {shown(given)} has pairs and others; {_KNOWN}")
    return Sampling(weights=tuple(real(f"sampling[{i}]", w) for i, w in enumerate(entries)))


def _named(given: str) -> Sampling:
    kind, colon, alpha = given.partition(":")
    if kind == "balanced":
        try:
            return Sampling(alpha=float(alpha))
        except ValueError:
            raise FixRequest(
                f'sampling = {given!r}: give "balanced:ALPHA", such as "balanced:0.5"'
            ) from None
    if kind != "uniform" or colon:
        near = nearest(kind, ["uniform", "balanced"])
        raise FixRequest(f"sampling = {given!r} is not known{near}; {_KNOWN}")
    return UNIFORM


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, (tuple, list)) and len(entry) == 2


def _view(field: str, given: Any) -> View:
    try:
        return as_view(given)
    except FixRequest:
        raise FixRequest(
            f"{field} = {shown(given)}: give a View or a split's name, such as 'train[:10%]'"
        ) from None


def _by_word(given: Mapping[Any, Any], classes: Sequence[str]) -> tuple[float, ...]:
    known = set(classes)
    for word in given:
        if word not in known:
            near = nearest(word, classes) if isinstance(word, str) else ""
            raise FixRequest(f"sampling has a weight for {shown(word)}, no class of the view{near}")
    missing = [word for word in classes if word not in given]
    if missing:
        others = f" and {len(missing) - 1} others" if missing[1:] else ""
        raise FixRequest(
            f"sampling has no weight for {missing[0]!r}{others}: give every class of the view one "
            f"(0 leaves it out), or name the classes: View(classes={shown(list(given))})"
        )
    return tuple(real(f"sampling[{word!r}]", given[word]) for word in classes)
