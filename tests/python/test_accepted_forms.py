"""Values in the forms that people have them in, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import inkstream
import numpy as np
import pytest
import torch
from inkstream import Augment, Image, KeySet, Strokes, View

SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"image": 28}, {"image": Image(28)}),
    ({"image": np.int64(28)}, {"image": Image(28)}),
    ({"image": (28, 36)}, {"image": Image(28, 36)}),
    ({"image": Image(28, dtype=np.float32)}, {"image": Image(28, dtype="float32")}),
    ({"image": Image(28, dtype=np.dtype("float16"))}, {"image": Image(28, dtype="float16")}),
    ({"image": Image(28, dtype=torch.bfloat16)}, {"image": Image(28, dtype="bfloat16")}),
    (
        {"image": Image(28, dtype="float32", mean=np.float32(0.5), std=torch.tensor(0.25))},
        {"image": Image(28, dtype="float32", mean=0.5, std=0.25)},
    ),
    (
        {"image": Image(28, channels=np.array(["ink", "order"]))},
        {"image": Image(28, channels=["ink", "order"])},
    ),
    ({"strokes": 100}, {"strokes": Strokes(100)}),
    (
        {"strokes": Strokes(torch.tensor(9), dtype=torch.float16, scale=np.float32(2))},
        {"strokes": Strokes(9, dtype="float16", scale=2)},
    ),
    ({"shuffle": True}, {"shuffle": "full"}),
    ({"shuffle": np.bool_(False)}, {"shuffle": "none"}),
    ({"epochs": None}, {"epochs": "forever"}),
    (
        {"batch_size": np.int32(10), "seed": torch.tensor(3), "rank": np.uint8(1), "world": 2},
        {"batch_size": 10, "seed": 3, "rank": 1, "world": 2},
    ),
    (
        {"image": 28, "augment": Augment(rotation=np.float64(9), scale=np.array([0.5, 2]))},
        {"image": Image(28), "augment": Augment(rotation=9, scale=(0.5, 2.0))},
    ),
    ({"sampling": np.arange(1, 11)}, {"sampling": [*range(1, 11)]}),
    ({"sampling": torch.arange(1, 11)}, {"sampling": [*range(1, 11)]}),
    ({"sampling": [("train", 1), ("train[:50%]", np.float32(2))]},
     {"sampling": [(View("train"), 1.0), (View("train[:50%]"), 2.0)]}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "plain"), SAME)
def test_a_form_comes_to_the_plain_one(
    data: inkstream.Dataset, given: dict[str, Any], plain: dict[str, Any]
) -> None:
    with data.stream("train", **given) as one, data.stream("train", **plain) as other:
        assert one._iterator.plan == other._iterator.plan
        first, second = next(one), next(other)
    for name in second:
        np.testing.assert_array_equal(first[name], second[name])


def test_weights_by_word_go_by_the_classes_of_the_view(data: inkstream.Dataset) -> None:
    words = data.classes[2], data.classes[0]
    view = View("train", classes=words)
    with data.stream(
        view, sampling={words[1]: 1, words[0]: 3}, batch_size=20, tail="partial"
    ) as stream:
        drawn = [word for batch in stream for word in batch.words()]
    assert drawn.count(words[0]) == pytest.approx(3 * drawn.count(words[1]), rel=0.1)
    everything = dict.fromkeys(data.classes, 0.0) | {words[0]: 2.0}
    with data.stream("train", sampling=everything, batch_size=20) as stream:
        assert set(next(stream).words()) == {words[0]}


VIEWS: list[tuple[View, View]] = [
    (View("train", classes=("cat", "dog")), View("train", classes=np.array(["cat", "dog"]))),
    (View(""), View()),
    (View("train", exclude_keys=[]), View("train")),
    (View("train", exclude_keys=np.array([], int)), View("train")),
    (View(include_keys=[5, 6]), View(include_keys=KeySet(torch.tensor([6, 5])))),
    (View(where={"countrycode": ("US", "GB")}), View(where={"countrycode": ["GB", "US"]})),
    (View(where={"countrycode": ("IN", "US")}), View(where={"countrycode": ["IN", "US"]})),
    (View(where={"label": np.array([1, 2])}), View(where={"label": [1, 2]})),
    (View(where={"label": range(1, 3)}), View(where={"label": ("in", {1, 2})})),
    (View(where={"recognized": np.bool_(False)}), View(where={"recognized": 0})),
    (View(where={"label": torch.tensor(3)}), View(where={"label": 3})),
    (View(where={"label": ((">", 1), ("<", 3))}), View(where={"label": [(">", 1), ("<", 3)]})),
    (View(where={"label": ((">", 1),)}), View(where={"label": (">", 1)})),
    (View(where={"a": 1, "b": 2}), View(where={"b": 2, "a": 1})),
    (View(fold=np.array([0, 5])), View(fold=(0, 5, False))),
    (View(fraction=np.float32(0.5), max_per_class=np.int16(3)),
     View(fraction=0.5, max_per_class=3)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), VIEWS)
def test_views_that_ask_for_the_same_are_equal(one: View, other: View) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_views_that_ask_for_something_else_are_not_equal() -> None:
    views = [
        View(), View("train"), View("train", fraction=0.5), View("train", fold=(0, 5)),
        View("train", fold=(0, 5, True)), View("train", classes=["a", "b"]),
        View("train", classes=["b", "a"]), View(where={"label": 1}),
        View(where={"label": (">", 1)}), View(include_keys=[1]),
        View(exclude_keys=[1]), View(include_keys=[1, 2]),
    ]  # fmt: skip
    assert len(set(views)) == len(views)


MASKS: list[Callable[[np.ndarray[Any, Any]], Any]] = [
    lambda mask: mask,
    lambda mask: mask.tolist(),
    lambda mask: tuple(mask.tolist()),
    lambda mask: list(mask),
    torch.from_numpy,
    lambda mask: list(torch.from_numpy(mask)),
]


@pytest.mark.parametrize("held", MASKS)
def test_a_mask_is_a_mask_whatever_holds_it(data: inkstream.Dataset, held: Any) -> None:
    split = data.split("valid")
    every = split[:]
    mask = every.label == 2
    assert split[held(mask)].index.tolist() == every.index[mask].tolist()
    with pytest.raises(inkstream.OutOfRange, match="give one flag for each"):
        split[held(mask[:-5])]


NUMBERS: list[Callable[[list[int]], Any]] = [
    list,
    tuple,
    iter,
    np.array,
    lambda rows: np.array(rows, np.int8),
    lambda rows: np.array(rows, object),
    torch.tensor,
    lambda rows: list(torch.tensor(rows)),
    lambda rows: list(np.array(rows)),
]


@pytest.mark.parametrize("held", NUMBERS)
def test_numbers_are_numbers_whatever_holds_them(data: inkstream.Dataset, held: Any) -> None:
    split = data.split("valid")
    every = split[:].index
    assert split[held([5, 0, -1, 5])].index.tolist() == every[[5, 0, -1, 5]].tolist()
    assert data.fetch(held([5, 0, 7, 5])).index.tolist() == [5, 0, 7, 5]


def test_one_number_is_a_row_of_a_split_and_a_batch_of_one_of_fetch(
    data: inkstream.Dataset,
) -> None:
    split = data.split("valid", image=28)
    for number in (3, np.int64(3), torch.tensor(3), np.array(3)):
        assert split[number].image.shape == (1, 28, 28)
        assert data.fetch(number).index.tolist() == [3]
        assert data.inspect(number) == data.inspect(index=3)
    first = data.fetch(3, columns=["key_id"])
    assert data.fetch(key_id=first.key_id[0]).index.tolist() == [3]
    assert data.inspect(key_id=first.key_id[0]) == data.inspect(3)


def test_data_takes_what_split_takes(data: inkstream.Dataset) -> None:
    tenth = data["train[:10%]"]
    assert len(tenth) == data.count("train[:10%]")
    view = View("valid", classes=data.classes[:2])
    assert data[view][:].index.tolist() == data.split(view)[:].index.tolist()
