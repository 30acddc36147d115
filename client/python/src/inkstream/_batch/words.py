"""Columns whose integers stand for words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from inkstream._python.cached_property import cached_property
from inkstream._request.values import one_of


class Worded(Protocol):
    """Columns by name, and what the numbers of some of them mean."""

    @property
    def classes(self) -> Sequence[str]:
        """What `label` counts."""

    @property
    def vocabulary(self) -> Mapping[str, Sequence[str]]:
        """What other columns count."""

    def __getitem__(self, name: str, /) -> Any: ...


class Classed:
    """Something whose `label` counts words."""

    @property
    def classes(self) -> Sequence[str]:
        """The words that `label` counts."""
        raise NotImplementedError

    @cached_property
    def class_to_idx(self) -> dict[str, int]:
        """Word → label."""
        return {word: label for label, word in enumerate(self.classes)}


_NUMBERED = ("label", "word", "countrycode")


def numbered(name: str) -> bool:
    """Whether a column's integers stand for words."""
    return name in _NUMBERED


def stored(columns: Sequence[str]) -> list[str]:
    """Those of a dataset's columns that its drawings have; every batch has the others anyway."""
    return [name for name in columns if name not in ("index", "valid")]


def words_of(columns: Worded, name: str) -> list[str]:
    """The words of column `name`, one a row; "" for a missing one.

    FixRequest for a column that counts none, NotFound for one that is not there.
    """
    name = one_of("name", name, _NUMBERED)
    numbers = columns[name]
    words = columns.classes if name == "label" else columns.vocabulary.get(name, ())
    known = len(words)
    found = np.asarray(numbers).reshape(-1).tolist()
    return [words[i] if 0 <= i < known else "" for i in found]


def values_of(columns: Worded, name: str) -> list[Any]:
    """A column's values as Python's own, None for a missing one; of `label` the numbers."""
    values = np.asarray(columns[name]).tolist()
    if name == "label":
        return [None if label < 0 else label for label in values]
    if numbered(name):
        return [word or None for word in words_of(columns, name)]
    if name == "recognized":
        return [None if value == -1 else value == 1 for value in values]
    return [None if value == -1 else value for value in values]


def union_of(lists: Iterable[Sequence[str]]) -> list[str]:
    """The words of all lists, each once, in the order in which they come."""
    return list(dict.fromkeys(word for words in lists for word in words))
