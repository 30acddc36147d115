"""Which drawings: a subset of a dataset as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from inkstream._errors import FixRequest
from inkstream._key_sets import KeySet
from inkstream._messages import message_of
from inkstream.v1 import plan_pb2

_OPERATORS = {"==": 1, "!=": 2, "<": 3, "<=": 4, ">": 5, ">=": 6, "in": 7, "not in": 8}
_PLAIN = ("split", "max_per_class", "fraction")


@dataclass(frozen=True)
class View:
    """A subset of a dataset: everything given must hold.

    `split`: as listed by `Dataset.splits`, also "train[:10%]"; "" is every drawing.
    `classes`: words; label ids are 0..K-1 in this order.
    `where`: column → value, list of values, or (operator, value) with an operator of
    == != < <= > >= in "not in"; a list of such pairs joins them by AND.
    `max_per_class`: drawings, 0 for no bound. `fraction`: of the view, in (0, 1].
    `fold`: (index, count) trains on the other folds, (index, count, True) is the held-out one.
    `include_keys`, `exclude_keys`: drawings' keys, a sequence or a KeySet, or the hash of one
    that the server has.
    """

    split: str = ""
    _: KW_ONLY
    classes: Sequence[str] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    max_per_class: int = 0
    fraction: float = 0.0
    fold: tuple[int, int] | tuple[int, int, bool] | None = None
    include_keys: str | KeySet | Sequence[int] = ""
    exclude_keys: str | KeySet | Sequence[int] = ""

    def __post_init__(self) -> None:
        for name in ("include_keys", "exclude_keys"):
            keys = getattr(self, name)
            if not isinstance(keys, (str, KeySet)):
                object.__setattr__(self, name, KeySet(keys))

    def to_proto(self) -> plan_pb2.View:
        """The contract's message."""
        if isinstance(self.classes, str):
            raise FixRequest(f"classes = {self.classes!r} is a str; give [{self.classes!r}]")
        values = {name: getattr(self, name) for name in _PLAIN}
        for name in ("include_keys", "exclude_keys"):
            keys = getattr(self, name)
            values[name] = keys if isinstance(keys, str) else keys.hash
        values["classes"] = list(self.classes)
        view: plan_pb2.View = message_of(plan_pb2.View, "View", values)
        for column, terms in self.where.items():
            many = isinstance(terms, list) and terms and isinstance(terms[0], tuple)
            for term in terms if many else [terms]:
                view.where.append(_where(column, term))
        if self.fold is not None:
            index, count, *held_out = self.fold
            view.fold.index, view.fold.count = index, count
            view.fold.held_out = bool(held_out and held_out[0])
        return view


def _where(column: str, term: Any) -> plan_pb2.Where:
    operator, value = term if isinstance(term, tuple) else ("==", term)
    if operator == "==" and isinstance(value, (list, set, frozenset)):
        operator = "in"
    if operator not in _OPERATORS:
        known = ", ".join(repr(o) for o in _OPERATORS)
        raise FixRequest(f"where[{column!r}] has operator {operator!r}; there are {known}")
    values = list(value) if operator in ("in", "not in") else [value]
    texts = [str(int(v)) if isinstance(v, bool) else str(v) for v in values]
    return plan_pb2.Where(column=column, op=_OPERATORS[operator], values=texts)  # type: ignore[arg-type]


def as_view(view: View | str) -> View:
    """A split's name as a view."""
    if isinstance(view, View):
        return view
    if isinstance(view, str):
        return View(view)
    raise FixRequest(f"expected a View or a split's name, got {type(view).__name__}")
