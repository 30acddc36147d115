"""Keywords of a mixture: weights, now and later, and the words that its labels count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from inkstream._request.values import holds_many, real, sequence, shown, text, whole
from inkstream.errors import FixRequest

Shares = tuple[float, ...]
Changes = tuple[tuple[int, Shares], ...]


def weights_of(name: str, given: Any, count: int) -> Shares:
    """One weight a part, of which one at least is above 0."""
    if not holds_many(given) or isinstance(given, (str, Mapping)):
        raise FixRequest(f"{name} = {shown(given)}: give a list of weights, one a part")
    weights = tuple(real(f"{name}[{i}]", weight) for i, weight in enumerate(given))
    if len(weights) != count:
        raise FixRequest(f"{name} has {len(weights)} entries for {count} parts")
    for i, weight in enumerate(weights):
        if not 0 <= weight < math.inf:
            raise FixRequest(f"{name}[{i}] = {weight}: a weight is at least 0, and finite")
    if not any(weights):
        raise FixRequest(f"{name} are all 0: give at least one part a weight above it")
    return weights


def curriculum_of(given: Any, count: int, name: str = "curriculum") -> list[tuple[int, Shares]]:
    """(position, weights) each, positions growing."""
    found: list[tuple[int, Shares]] = []
    for i, entry in enumerate(sequence(name, given, "(position, weights)")):
        if not isinstance(entry, (tuple, list)) or len(entry) != 2:
            raise FixRequest(f"{name}[{i}] = {shown(entry)}: give (position, weights)")
        position = whole(f"{name}[{i}][0]", entry[0], 0)
        if found and position <= found[-1][0]:
            raise FixRequest(
                f"{name}[{i}][0] = {position}: positions grow, and {found[-1][0]} is before it"
            )
        found.append((position, weights_of(f"{name}[{i}][1]", entry[1], count)))
    return found


def classes_of(given: Any) -> tuple[str, ...]:
    """Words, each once."""
    words = tuple(text("classes", word) for word in sequence("classes", given, "words"))
    if not words or len(set(words)) != len(words):
        raise FixRequest(f"classes = {shown(given)}: give at least one word, each once")
    return words
