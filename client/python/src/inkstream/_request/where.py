"""Conditions on columns, as users write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from inkstream._request.values import holds_many, is_bool, shown, text
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2

_OPERATORS = {"==": 1, "!=": 2, "<": 3, "<=": 4, ">": 5, ">=": 6, "in": 7, "not in": 8}
_LISTS = ("in", "not in")
# What others write for them.
_WRITTEN = {
    "==": "= eq is",
    "!=": "<> ne ~= isnot",
    "<": "lt",
    "<=": "=< le lte",
    ">": "gt",
    ">=": "=> ge gte",
    "in": "isin",
    "not in": "not_in notin !in",
}
_ALIASES = {alias: meant for meant, said in _WRITTEN.items() for alias in said.split()}


def terms_of(where: Any) -> list[plan_pb2.Where]:
    """The contract's messages."""
    if where is None:
        return []
    if not isinstance(where, Mapping):
        raise FixRequest(
            f"where = {shown(where)}: give a dict of columns, such as "
            '{"recognized": True, "timestamp": (">=", 1488326400000000)}'
        )
    if not where:
        raise FixRequest("where is empty: give at least one condition, or leave it out")
    terms = []
    for column, given in where.items():
        text("where's column", column)
        several = isinstance(given, (list, tuple)) and not _is_condition(given)
        many = several and given and all(_is_condition(part) for part in given)
        terms += [_term(column, part) for part in (given if many else [given])]
    return terms


def _is_condition(given: Any) -> bool:
    """Whether a tuple is (operator, value) and not two values."""
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and (
            given[0] in _OPERATORS
            or given[0] in _ALIASES
            or not any(letter.isalnum() for letter in given[0])
            or not isinstance(given[1], str)
        )
    )


def _term(column: str, given: Any) -> plan_pb2.Where:
    name = f"where[{column!r}]"
    operator, value = given if _is_condition(given) else ("==", given)
    if operator not in _OPERATORS:
        meant = _ALIASES.get(operator)
        said = f"; here that is {meant!r}" if meant else ""
        known = ", ".join(repr(o) for o in _OPERATORS)
        raise FixRequest(f"{name} has operator {operator!r}{said}; there are {known}")
    many = holds_many(value) and not isinstance(value, (str, bytes, Mapping))
    if operator == "==" and many:
        operator = "in"
    if operator in _LISTS and not many:
        raise FixRequest(f"{name} = {shown(given)}: give {operator!r} a list, [{shown(value)}]")
    if many and operator not in _LISTS:
        raise FixRequest(f"{name} = {shown(given)}: {operator!r} takes one value, not several")
    values = list(value) if many else [value]
    if not values:
        raise FixRequest(f"{name} has no values: give at least one, or leave the column out")
    texts = [_text(name, each) for each in values]
    return plan_pb2.Where(column=column, op=_OPERATORS[operator], values=texts)  # type: ignore[arg-type]


def _text(name: str, value: Any) -> str:
    """One value as the server reads it."""
    if is_bool(value):
        return str(int(value))
    if isinstance(value, (str, int, float, date, np.generic)):
        return text(name, str(value))
    if hasattr(value, "item") and not holds_many(value) and not isinstance(value, type):
        return _text(name, value.item())  # one number of torch or JAX, or a NumPy array of one
    raise FixRequest(f"{name} has a value {shown(value)}: give a str, a number, a bool or a time")
