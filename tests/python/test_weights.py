"""A weight a drawing: frequencies, forms, what is refused, and servers that forget."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, KeySet, NotFound, PlanMismatch, View, Weights
from support.processes import Server


def drawn(data: inkstream.Dataset, weights: Weights, **plan: Any) -> Counter[int]:
    plan = {"batch_size": 50, "tail": "partial", "columns": [], **plan}
    with data.stream("train", sampling=weights, **plan) as stream:
        return Counter(int(i) for batch in stream for i in batch.index[batch.valid])


@pytest.fixture
def train(data: inkstream.Dataset) -> np.ndarray[Any, Any]:
    return data.table("train", columns=["key_id"])["index"]


def test_frequencies_are_as_the_weights(
    data: inkstream.Dataset, train: np.ndarray[Any, Any]
) -> None:
    epochs = 40
    weights = np.random.default_rng(3).pareto(1.0, train.size)
    weights[::5] = 0
    counts = drawn(data, Weights(index=train, weights=weights), epochs=epochs)
    size = np.count_nonzero(weights)
    assert counts.total() == epochs * size
    shares = size * weights / weights.sum()
    got = np.array([counts[int(i)] for i in train])
    assert not got[::5].any()
    # The whole number below or above in each epoch, and close to the share on the mean.
    assert (got >= epochs * np.floor(shares - 1e-6)).all()
    assert (got <= epochs * np.ceil(shares + 1e-6)).all()
    assert (np.abs(got / epochs - shares) < 5 * 0.5 / math.sqrt(epochs)).all()
    chosen = (shares > 0.05) & (shares < 0.95)
    assert got[chosen].sum() == pytest.approx(epochs * shares[chosen].sum(), rel=0.05)


def test_equal_weights_are_the_uniform_order(
    data: inkstream.Dataset, train: np.ndarray[Any, Any]
) -> None:
    plain = data.stream("train", batch_size=50, seed=7)
    even = data.stream(
        "train", batch_size=50, seed=7, sampling=Weights(index=train, weights=[0.1] * len(train))
    )
    for one, other in zip(plain, even, strict=True):
        assert (one.index == other.index).all()


def test_keys_and_what_holds_them_do_not_matter(data: inkstream.Dataset) -> None:
    table = data.table("train", columns=["key_id"])
    keys, weights = table["key_id"][:60], np.arange(60.0)
    by_key = Weights(keys, weights)
    assert by_key == Weights(list(keys[::-1]), weights[::-1].tolist())
    assert by_key == pickle.loads(pickle.dumps(by_key))
    assert hash(by_key) == hash(pickle.loads(pickle.dumps(by_key)))
    assert by_key != Weights(keys, weights + 1)
    assert by_key.hash != Weights(index=keys, weights=weights).hash
    assert drawn(data, by_key) == drawn(data, Weights(index=table["index"][:60], weights=weights))
    assert len(by_key) == 60
    assert "60 by key_id" in repr(by_key)


def test_an_equal_set_that_goes_takes_nothing_with_it(data: inkstream.Dataset) -> None:
    keys = data.table("train", columns=["key_id"])["key_id"]
    kept = KeySet(keys[3:40])
    assert KeySet(keys[3:40]) == kept
    assert data.count(View("train", include_keys=kept)) == 37
    first = KeySet(keys[5:50])
    second = KeySet(keys[5:50])
    del first
    assert data.count(View("train", include_keys=second)) == 45


def test_the_plan_and_the_length_go_by_them(
    data: inkstream.Dataset, train: np.ndarray[Any, Any]
) -> None:
    weights = Weights(index=train[:70], weights=[0.0] * 10 + [1.0] * 50 + [9.0] * 10)
    with data.stream("train", sampling=weights, batch_size=20) as stream:
        assert len(stream) == 3
    report = data.plan("train", sampling=weights, batch_size=20, steps=3)
    assert report.epoch_drawings == 60
    assert report.components == {}


def test_a_cursor_of_other_weights_is_refused(
    data: inkstream.Dataset, train: np.ndarray[Any, Any]
) -> None:
    some = Weights(index=train, weights=np.arange(train.size))
    with data.stream("train", sampling=some) as stream:
        next(stream)
        state = stream.state_dict()
    other = Weights(index=train, weights=np.arange(train.size) + 1.0)
    with (
        data.stream("train", sampling=other, start=state) as stream,
        pytest.raises(PlanMismatch, match="sampling was"),
    ):
        next(stream)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"keys": [5, 6], "weights": [1, -0.5]}, r"weights\[1\] = -0\.5: a weight is at least 0"),
    ({"keys": [5, 6], "weights": [math.nan, 1]}, r"weights\[0\] = nan"),
    ({"keys": [5, 6], "weights": np.array([1, math.inf])}, r"weights\[1\] = inf"),
    ({"keys": [5, 6], "weights": [0, 0]}, "weights are all 0"),
    ({"keys": [5, 6], "weights": [1]}, "weights has 1 entries for 2 keys"),
    ({"keys": [5, 5], "weights": [1, 1]}, "keys has 5 twice"),
    ({"keys": [0], "weights": [1]}, r"keys\[0\] = 0 is out of range"),
    ({"index": [-1], "weights": [1]}, r"index\[0\] = -1 is out of range"),
    ({"keys": [], "weights": []}, "weights are all 0"),
    ({"keys": [1], "index": [1], "weights": [1]}, "give keys or index"),
    ({"weights": [1]}, "give keys or index"),
    ({"keys": [1]}, "weights = None: give a list"),
    ({"keys": [1], "weights": "1"}, "weights = '1': give a list"),
    ({"keys": [1], "weights": [[1]]}, r"weights\[0\]"),
    ({"keys": [1], "weights": np.ones((1, 1))}, "one dimension of numbers"),
    ({"keys": [1], "weights": np.array([True])}, "one dimension of numbers"),
]


@pytest.mark.parametrize(("given", "says"), WRONG, ids=str)
def test_wrong_weights_name_field_and_value(given: dict[str, Any], says: str) -> None:
    with pytest.raises(FixRequest, match=says):
        Weights(**given)


def test_drawings_that_are_not_there_are_refused(data: inkstream.Dataset) -> None:
    with pytest.raises(FixRequest, match=r"1 of 1 keys are no drawing's .* first of them 3"):
        drawn(data, Weights([3], [1]))
    with pytest.raises(FixRequest, match="first of them 123456; it has drawings 0 to"):
        drawn(data, Weights(index=[0, 123_456], weights=[1, 1]))
    outside = int(data.split("valid")[0].index)
    with pytest.raises(FixRequest, match=r"none of the view's .* has a weight above 0"):
        drawn(data, Weights(index=[outside], weights=[1]))


def test_a_key_set_and_weights_are_told_apart(
    data: inkstream.Dataset, train: np.ndarray[Any, Any]
) -> None:
    weights = Weights(index=train[:9], weights=[1] * 9)
    drawn(data, weights)
    with pytest.raises((FixRequest, NotFound), match="key set"):
        data.count(View(include_keys=weights.hash))


def test_a_server_that_forgot_is_told_again(binary: Path, store: Path, tmp_path: Path) -> None:
    with Server(binary, store, tmp_path) as server:
        client = inkstream.connect(server.tcp)
        data = client.dataset()
        train = data.table("train", columns=[])["index"]
        weights = Weights(index=train, weights=1.0 + np.arange(train.size) % 3)
        plan: dict[str, Any] = {"sampling": weights, "batch_size": 25, "image": 12}
        whole = [batch.index.tolist() for batch in data.stream("train", **plan)]
        stream = data.stream("train", **plan)
        begun = [next(stream).index.tolist() for _ in range(2)]
        state = stream.state_dict()
        stream.close()
        server.kill()
        server.start(server.tcp)
        rest = data.stream("train", **plan, start=state)
        assert begun + [batch.index.tolist() for batch in rest] == whole
        client.close()
