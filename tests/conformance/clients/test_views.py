"""Every way to name a subset: what it holds is worked out from the exported drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from client_under_test import CLIENTS, Connection, Way
from expectation import Expectation, microseconds

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
Keep = Callable[[Words], bool]
BATCHES = {"batch_size": 64, "tail": "partial", "columns": ["label", "key_id"]}


def points(drawing: Words) -> int:
    return sum(len(stroke[0]) for stroke in drawing["drawing"])


# Terms of `where`, and what they mean.
FILTERS: dict[str, tuple[list[list[Any]], Keep]] = {
    "recognized": ([["recognized", "==", ["true"]]], lambda d: d["recognized"]),
    "not": ([["recognized", "!=", ["1"]]], lambda d: not d["recognized"]),
    "country": ([["countrycode", "==", ["US"]]], lambda d: d["countrycode"] == "US"),
    "countries": (
        [["countrycode", "in", ["US", "GB", "DE"]]],
        lambda d: d["countrycode"] in ("US", "GB", "DE"),
    ),
    "other countries": (
        [["countrycode", "not in", ["US", "GB"]]],
        lambda d: d["countrycode"] not in ("US", "GB"),
    ),
    "since": (
        [["timestamp", ">=", ["2017-02-15"]]],
        lambda d: microseconds(d["timestamp"]) >= microseconds("2017-02-15 00:00:00 UTC"),
    ),
    "between": (
        [["timestamp", ">", ["2017-02-01T12:00:00Z"]], ["timestamp", "<", ["2017-03-01"]]],
        lambda d: (
            microseconds("2017-02-01 12:00:00 UTC")
            < microseconds(d["timestamp"])
            < microseconds("2017-03-01 00:00:00 UTC")
        ),
    ),
    "points": ([["points", "<=", ["40"]]], lambda d: points(d) <= 40),
    "strokes": ([["strokes", ">", ["2"]]], lambda d: len(d["drawing"]) > 2),
    "all of them": (
        [["recognized", "==", ["true"]], ["points", ">", ["20"]], ["countrycode", "!=", ["US"]]],
        lambda d: d["recognized"] and points(d) > 20 and d["countrycode"] != "US",
    ),
}


def read(connection: Connection, view: Words, **plan: Any) -> list[int]:
    batches = connection.read(view=view, **{**BATCHES, **plan})
    return [i for batch in batches for i in batch["tensors"]["index"]["values"]]


@pytest.mark.parametrize("name", FILTERS)
def test_filters(plain: Connection, expected: Expectation, name: str) -> None:
    where, keep = FILTERS[name]
    members = expected.members("train", keep)
    assert 0 < len(members) < len(expected.splits["train"]), "the drawings test nothing"
    view = {"split": "train", "where": where}
    assert plain.ask("describe", view=view)["view_drawings"] == len(members)
    plan = {"view": view, **BATCHES}
    expected.check(plain.read(**plan), members, plan)


def test_classes_give_labels_in_the_order_named(plain: Connection, expected: Expectation) -> None:
    classes = [expected.words[6], expected.words[1], expected.words[4]]
    members = expected.members("train", lambda d: d["word"] in classes)
    plan = {"view": {"split": "train", "classes": classes}, **BATCHES}
    with plain.stream(**plan) as stream:
        assert stream.info["classes"] == classes
        expected.check(stream.rest(), members, plan)


def test_splits_share_nothing_and_leave_nothing_out(
    plain: Connection, expected: Expectation
) -> None:
    train, valid = (read(plain, {"split": name}) for name in ("train", "valid"))
    assert sorted(train + valid) == list(range(len(expected.drawings)))
    assert sorted(read(plain, {})) == sorted(train + valid)
    assert plain.described["splits"] == {"train": len(train), "valid": len(valid)}


@pytest.mark.parametrize("parts", [["[:10%]", "[10%:55.5%]", "[55.5%:]"], ["[:50%]", "[50%:]"]])
def test_slices_are_the_split_cut_up(plain: Connection, parts: list[str]) -> None:
    whole = read(plain, {"split": "train"})
    pieces = [i for part in parts for i in read(plain, {"split": "train" + part})]
    assert sorted(pieces) == sorted(whole)


def test_folds_take_turns_to_be_held_out(plain: Connection) -> None:
    whole = set(read(plain, {"split": "train"}))
    held_out: list[int] = []
    for index in range(4):
        fold = {"index": index, "count": 4}
        training = set(read(plain, {"split": "train", "fold": fold}))
        testing = read(plain, {"split": "train", "fold": {**fold, "held_out": True}})
        assert training | set(testing) == whole and not training & set(testing)
        held_out += testing
    assert sorted(held_out) == sorted(whole)


def test_a_larger_fraction_holds_a_smaller_one(plain: Connection, expected: Expectation) -> None:
    size = len(expected.splits["train"])
    last: set[int] = set()
    for fraction in (0.1, 0.5, 0.9, 1.0):
        members = set(read(plain, {"split": "train", "fraction": fraction}))
        assert last <= members and abs(len(members) - fraction * size) < 0.12 * size
        last = members
    assert last == set(expected.splits["train"])


def test_no_class_has_more_than_its_cap(plain: Connection, expected: Expectation) -> None:
    counts = Counter(expected.drawings[i]["word"] for i in expected.splits["train"])
    cap = sorted(counts.values())[len(counts) // 2]
    members = read(plain, {"split": "train", "max_per_class": cap})
    capped = Counter(expected.drawings[i]["word"] for i in members)
    assert capped == {word: min(cap, count) for word, count in counts.items()}


def test_key_sets_are_sent_once_and_named_by_hash(connect: Connect, expected: Expectation) -> None:
    some = expected.splits["train"][3:200:7]
    keys = [int(expected.drawings[i]["key_id"]) for i in some]
    hashes = set()
    for client in CLIENTS:
        connection = connect(Way(client, "tcp", server=CLIENTS.index(client) % 2))
        uploaded = connection.ask("keys", keys=keys + keys[:5])
        assert uploaded["keys"] == len(keys)
        hashes.add(uploaded["hash"])
        included = {"split": "train", "include_keys": uploaded["hash"]}
        excluded = {"split": "train", "exclude_keys": uploaded["hash"]}
        assert sorted(read(connection, included)) == some
        assert connection.ask("describe", view=included)["view_drawings"] == len(some)
        left = sorted(set(expected.splits["train"]) - set(some))
        assert sorted(read(connection, excluded)) == left
        both = {"mix": [included, excluded], "weights": [1.0, 1.0]}
        mixed = read(connection, {"split": "train"}, sampling=both)
        assert len(mixed) == len(some) + len(left)
    assert len(hashes) == 1


def test_every_client_reads_every_view_alike(connect: Connect, expected: Expectation) -> None:
    views = [
        {"split": "train[10%:60%]", "fraction": 0.7},
        {"split": "train", "fold": {"index": 1, "count": 3}, "max_per_class": 9},
        {"classes": expected.words[:4], "where": FILTERS["points"][0], "fraction": 0.6},
    ]
    for view in views:
        reads = [connect(Way(client, "tcp")).read(view=view, **BATCHES) for client in CLIENTS]
        assert reads[0] == reads[1] == reads[2]
        assert reads[0], view
