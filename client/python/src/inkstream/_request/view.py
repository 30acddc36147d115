"""Which drawings: a subset of a dataset as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from numpy.typing import NDArray

from inkstream._request.keywords import checked_fields
from inkstream._request.messages import message_of
from inkstream._request.uploaded_set import MAX_KEY, KeySet
from inkstream._request.values import (
    flag,
    holds_many,
    real,
    repr_of,
    sequence,
    shown,
    text,
    whole,
    whole_numbers,
)
from inkstream._request.where import terms_of
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class View:
    """A subset of a dataset: everything given must hold. What is None, or left out, is no bound.

    `split`: as listed by `Dataset.splits`, also "train[:10%]"; left out or "": every drawing.
    `classes`: words; label ids are 0..K-1 in this order.
    `where`: column → value, values, or (operator, value) with an operator of
    == != < <= > >= in "not in"; a list of such pairs joins them by AND.
    `max_per_class`: drawings. `fraction`: of the view, in (0, 1].
    `fold`: (index, count) trains on the other folds, (index, count, True) is the held-out one.
    `include_keys`, `exclude_keys`: drawings' keys, as numbers or a KeySet, or the hash of a set
    that the server has. Excluding no keys excludes nothing.

    Immutable, hashable, picklable; equal where it asks for the same. FixRequest for values of
    the wrong kind, and for empty ones: a list of classes with nothing in it is no drawings, and
    hardly what was meant.
    """

    split: str | None = None
    _: KW_ONLY
    classes: Sequence[str] | None = None
    where: Mapping[str, Any] | None = None
    max_per_class: int | None = None
    fraction: float | None = None
    fold: tuple[int, int] | tuple[int, int, bool] | None = None
    include_keys: KeySet | Sequence[int] | NDArray[Any] | str | None = None
    exclude_keys: KeySet | Sequence[int] | NDArray[Any] | str | None = None
    _key: tuple[Any, ...] = field(init=False, repr=False)
    _message_bytes: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        checks: dict[str, Callable[[Any], Any]] = {
            "split": _split,
            "classes": _classes,
            "where": dict,
            "max_per_class": lambda given: whole("max_per_class", given, 1),
            "fraction": _fraction,
            "fold": _fold,
            "include_keys": lambda given: _keys("include_keys", given),
            "exclude_keys": lambda given: _keys("exclude_keys", given),
        }
        terms = terms_of(self.where)
        for name, check in checks.items():
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, check(given))
        message = self._message()
        named = message.SerializeToString(deterministic=True)
        # In whatever order conditions and their values were written.
        conditions = tuple(sorted((w.column, w.op, *sorted(w.values)) for w in terms))
        object.__setattr__(self, "_key", (named, conditions))
        message.where.extend(terms)
        object.__setattr__(self, "_message_bytes", message.SerializeToString())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return repr_of(self)

    def to_proto(self) -> plan_pb2.View:
        """The contract's message."""
        return plan_pb2.View.FromString(self._message_bytes)

    def _message(self) -> plan_pb2.View:
        values: dict[str, Any] = {
            name: getattr(self, name) for name in ("split", "max_per_class", "fraction")
        }
        for name in ("include_keys", "exclude_keys"):
            keys = getattr(self, name)
            values[name] = keys.hash if isinstance(keys, KeySet) else keys
        values["classes"] = list(self.classes or ())
        view: plan_pb2.View = message_of(plan_pb2.View, "View", values)
        if self.fold is not None:
            index, count, *held_out = self.fold
            view.fold.index, view.fold.count = index, count
            view.fold.held_out = bool(held_out)
        return view


def as_view(view: Any) -> View:
    """A split's name as a view."""
    if isinstance(view, View):
        return view
    if isinstance(view, str):
        return View(view)
    raise FixRequest(f"view = {shown(view)}: give a View or a split's name, such as 'train'")


def _split(given: Any) -> str | None:
    return text("split", given) or None


def _classes(given: Any) -> tuple[str, ...]:
    if isinstance(given, (set, frozenset)):
        raise FixRequest(
            f"classes = {shown(given)} is a set, which has no order, and label ids follow the "
            "order of classes: give a list, such as sorted(classes)"
        )
    words = sequence("classes", given, "words")
    if not words:
        raise FixRequest("classes is empty: give at least one word, or leave it out for all")
    for i, word in enumerate(words):
        if not isinstance(word, str):
            raise FixRequest(
                f"classes[{i}] = {shown(word)}: classes are words; a label's word is "
                "data.classes[label]"
            )
    return tuple(text(f"classes[{i}]", word) for i, word in enumerate(words))


def _fraction(given: Any) -> float:
    share = real("fraction", given)
    if share == 0:  # on the wire: all of them
        raise FixRequest("fraction = 0: it must be above 0 and at most 1")
    return share


def _fold(given: Any) -> tuple[int, int] | tuple[int, int, bool]:
    parts = list(given) if holds_many(given) and not isinstance(given, str) else []
    if len(parts) not in (2, 3):
        raise FixRequest(
            f"fold = {shown(given)}: give (index, count), or (index, count, True) for the part "
            "that is held out"
        )
    index, count = (whole(f"fold[{i}]", parts[i], 0, 2**32 - 1) for i in range(2))
    held_out = len(parts) == 3 and flag("fold[2]", parts[2])
    return (index, count, True) if held_out else (index, count)


def _keys(name: str, given: Any) -> KeySet | str | None:
    if isinstance(given, KeySet):
        return given
    if isinstance(given, str):
        if not given:
            raise FixRequest(f'{name} = "": give the hash of a set, or keys, or leave it out')
        return str(given)
    if not holds_many(given):
        raise FixRequest(f"{name} = {shown(given)}: give keys as numbers, or a KeySet")
    keys = whole_numbers(name, given, 1, MAX_KEY)
    if keys.size == 0 and name == "exclude_keys":
        return None
    if keys.size == 0:
        raise FixRequest(f"{name} is empty: give at least one key, or leave it out")
    return KeySet(keys)
