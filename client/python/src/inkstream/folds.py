"""Cross-validation in which every class has its share of each fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkstream._order.permutation import Permutation
from inkstream._request.uploaded_set import KeySet
from inkstream._request.values import whole
from inkstream._request.view import View, as_view
from inkstream.errors import FixRequest
from inkstream.table import Table


class Fold(NamedTuple):
    """The two views of one fold, which share no drawing."""

    train: View
    valid: View


def stratified(
    read: Callable[..., Table], count: int, view: View | str = "train", seed: int = 0
) -> list[Fold]:
    """`count` folds of a view, each with the same share of every class, but for one drawing.

    `View(fold=...)` splits by chance, so that a rare class may be missing from a fold; here the
    drawings of a class are dealt out one by one, in an order that `seed` shuffles. Drawings without
    a word are a class of their own. The folds are sets of keys: FixRequest where a drawing has no
    `key_id`, or two in the view have the same, and for a view that has sets of its own by hash.
    `read`: makes a table of a view.
    """
    view = as_view(view)
    count = whole("count", count, 2)
    for name in ("include_keys", "exclude_keys"):
        if isinstance(getattr(view, name), str):
            raise FixRequest(f"view.{name} is a hash: give the keys themselves, for folds of them")
    table = read(view, columns=["label", "key_id"])
    keys, labels = table["key_id"], table["label"]
    _check_keys(keys, count)
    fold = np.empty(keys.size, np.int64)
    dealt = 0
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = Permutation(members.size, seed)(np.arange(members.size))
        # Goes on where the class before ended, so that remainders do not pile up in fold 0.
        fold[members[order]] = (np.arange(members.size) + dealt) % count
        dealt += members.size
    return [_fold(view, keys[fold == i]) for i in range(count)]


def _fold(view: View, held_out: NDArray[Any]) -> Fold:
    excluded = view.exclude_keys
    without = held_out if excluded is None else np.concatenate([held_out, _keys_of(excluded)])
    return Fold(replace(view, exclude_keys=without), replace(view, include_keys=held_out))


def _keys_of(keys: Any) -> NDArray[Any]:
    assert isinstance(keys, KeySet)  # the other forms were refused or made one by View
    return keys.keys


def _check_keys(keys: NDArray[Any], count: int) -> None:
    if keys.size < count:
        raise FixRequest(f"count = {count}: the view has only {keys.size} drawings")
    missing = int((keys < 0).sum())
    if missing:
        raise FixRequest(
            f"{missing:,} of {keys.size:,} drawings have no key_id, by which folds are told "
            "apart: take View(fold=(i, n)), which needs none"
        )
    twice = keys.size - np.unique(keys).size
    if twice:
        raise FixRequest(
            f"{twice:,} drawings have a key_id that another one of the view has, and would be in "
            "both parts of a fold: make the store with `inkstream ingest --duplicates first`"
        )
