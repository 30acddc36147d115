"""What is refused: the same code and the same words in every client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from client_under_test import CLIENTS, Connection, Refused, Way

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
TRAIN = {"view": {"split": "train"}, "batch_size": 32}

# Name: (command, words, code, what the text must name).
REFUSALS: dict[str, tuple[str, Words, str, list[str]]] = {
    "no such split": (
        "open",
        {**TRAIN, "view": {"split": "trian"}},
        "NOT_FOUND",
        ["split", "trian", "train"],
    ),
    "no such slice": (
        "open",
        {**TRAIN, "view": {"split": "train[:10]"}},
        "INVALID_ARGUMENT",
        ["split", "train[:10]"],
    ),
    "no such class": (
        "open",
        {**TRAIN, "view": {"classes": ["no such word"]}},
        "NOT_FOUND",
        ["class", "no such word"],
    ),
    "no such column to filter by": (
        "open",
        {**TRAIN, "view": {"where": [["contrycode", "==", ["US"]]]}},
        "INVALID_ARGUMENT",
        ["contrycode", "countrycode"],
    ),
    "an operator that a column has not": (
        "open",
        {**TRAIN, "view": {"where": [["word", "<", ["cat"]]]}},
        "INVALID_ARGUMENT",
        ["where[0].op", "<", "word", "not in"],
    ),
    "a value of the wrong kind": (
        "open",
        {**TRAIN, "view": {"where": [["timestamp", ">", ["yesterday"]]]}},
        "INVALID_ARGUMENT",
        ["timestamp", "yesterday"],
    ),
    "fold beyond count": (
        "open",
        {**TRAIN, "view": {"fold": {"index": 5, "count": 5}}},
        "INVALID_ARGUMENT",
        ["fold", "5"],
    ),
    "fraction": ("open", {**TRAIN, "view": {"fraction": 1.5}}, "INVALID_ARGUMENT", ["1.5"]),
    "unknown keys": (
        "open",
        {**TRAIN, "view": {"include_keys": "ab" * 16}},
        "NOT_FOUND",
        ["include_keys", "ab" * 16],
    ),
    "an empty view": (
        "open",
        {**TRAIN, "view": {"where": [["points", ">", ["1000000"]]]}},
        "INVALID_ARGUMENT",
        ["no drawings"],
    ),
    "no such column": (
        "open",
        {**TRAIN, "columns": ["lable"]},
        "INVALID_ARGUMENT",
        ["columns", "lable", "label"],
    ),
    "image too large": (
        "open",
        {**TRAIN, "image": {"height": 4096}},
        "INVALID_ARGUMENT",
        ["image.height", "4096", "1024"],
    ),
    "channel without data": (
        "open",
        {**TRAIN, "image": {"height": 28, "channels": ["ink", "pressure"]}},
        "INVALID_ARGUMENT",
        ["channels", "pressure", "ink"],
    ),
    "std of zero": (
        "open",
        {**TRAIN, "image": {"height": 28, "dtype": "float32", "std": [0.0]}},
        "INVALID_ARGUMENT",
        ["std"],
    ),
    "mean for bytes": (
        "open",
        {**TRAIN, "image": {"height": 28, "mean": [0.5]}},
        "INVALID_ARGUMENT",
        ["mean"],
    ),
    "strokes too long": (
        "open",
        {**TRAIN, "strokes": {"max_len": 100_000}},
        "INVALID_ARGUMENT",
        ["max_len", "100000", "4096"],
    ),
    "too many views": (
        "open",
        {**TRAIN, "image": {"height": 28}, "views": 99},
        "INVALID_ARGUMENT",
        ["views", "99", "16"],
    ),
    "probability": (
        "open",
        {**TRAIN, "image": {"height": 28}, "augment": {"flip_x": 1.5}},
        "INVALID_ARGUMENT",
        ["flip_x", "1.5"],
    ),
    "batch too large": (
        "open",
        {**TRAIN, "batch_size": 10_000_000},
        "INVALID_ARGUMENT",
        ["batch_size", "10000000", "65536"],
    ),
    "batch of too many bytes": (
        "open",
        {**TRAIN, "batch_size": 65_536, "image": {"height": 512}},
        "INVALID_ARGUMENT",
        ["bytes", "268435456"],
    ),
    "rank beyond world": (
        "open",
        {**TRAIN, "rank": 3, "world": 3},
        "INVALID_ARGUMENT",
        ["rank", "3"],
    ),
    "no rows to drop from": (
        "open",
        {**TRAIN, "batch_size": 4096},
        "INVALID_ARGUMENT",
        ["world 1", "batch_size 4096", 'tail "partial"'],
    ),
    "zero rows": ("open", {**TRAIN, "batch_size": 0}, "INVALID_ARGUMENT", ["batch_size", "0"]),
    "world of nobody": ("open", {**TRAIN, "world": 0}, "INVALID_ARGUMENT", ["world", "0"]),
    "no views": ("open", {**TRAIN, "views": 0}, "INVALID_ARGUMENT", ["views", "0"]),
    "no epochs": ("open", {**TRAIN, "epochs": 0}, "INVALID_ARGUMENT", ["epochs", "0"]),
    "no stride": ("open", {**TRAIN, "step_stride": 0}, "INVALID_ARGUMENT", ["step_stride", "0"]),
    "offset beyond stride": (
        "open",
        {**TRAIN, "step_stride": 2, "step_offset": 2},
        "INVALID_ARGUMENT",
        ["step_offset", "2"],
    ),
    "window of nothing": (
        "open",
        {**TRAIN, "shuffle": "window", "window": 0},
        "INVALID_ARGUMENT",
        ["window"],
    ),
    "alpha": ("open", {**TRAIN, "sampling": {"balanced": 2}}, "INVALID_ARGUMENT", ["alpha", "2"]),
    "too few weights": (
        "open",
        {**TRAIN, "sampling": {"weights": [1.0, 2.0]}},
        "INVALID_ARGUMENT",
        ["weights", "2", "10"],
    ),
    "a weight below zero": (
        "open",
        {**TRAIN, "sampling": {"weights": [-1.0] + [1.0] * 9}},
        "INVALID_ARGUMENT",
        ["weights", "-1"],
    ),
    "plan: no such split": (
        "plan",
        {**TRAIN, "view": {"split": "vaild"}},
        "NOT_FOUND",
        ["vaild", "valid"],
    ),
    "plan: image too large": (
        "plan",
        {**TRAIN, "image": {"height": 1025}},
        "INVALID_ARGUMENT",
        ["1025", "1024"],
    ),
    "fetch: key": ("fetch", {"keys": [5]}, "NOT_FOUND", ["5"]),
    "describe: no such dataset": (
        "describe",
        {"dataset": "quickdrow"},
        "NOT_FOUND",
        ["quickdrow"],
    ),
    "describe: no such class": (
        "describe",
        {"view": {"classes": ["appel"]}},
        "NOT_FOUND",
        ["appel"],
    ),
}
# In a message 0 is what is not set, so a C++ program that is told by one cannot ask for it.
ZEROS = {"no epochs", "no stride", "no views", "world of nobody", "zero rows"}
# Where a client has words of its own; the README's table.
OWN_WORDS = {*ZEROS, "window of nothing"}


def refusal(connection: Connection, command: str, words: Words) -> Refused:
    with pytest.raises(Refused) as refused:
        if command == "open":
            connection.open(**words)
        else:
            connection.ask(command, **words)
    return refused.value


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_name_field_value_and_limit_alike(connect: Connect, name: str) -> None:
    command, words, code, named = REFUSALS[name]
    clients = [client for client in CLIENTS if client != "cpp" or name not in ZEROS]
    said = [refusal(connect(Way(client, "tcp")), command, words) for client in clients]
    for refused in said:
        assert refused.code == code, refused
        for part in named:
            assert part in refused.message, refused
    if name not in OWN_WORDS:
        assert len({(r.code, r.reason, r.message) for r in said}) == 1, said


@pytest.mark.parametrize("client", CLIENTS)
def test_an_index_beyond_the_dataset_is_refused(connect: Connect, client: str) -> None:
    refused = refusal(connect(Way(client, "tcp")), "fetch", {"indices": [0, 500]})
    assert refused.code == ("INVALID_ARGUMENT" if client == "cpp" else "OUT_OF_RANGE")
    assert "index[1]" in refused.message
    assert "500" in refused.message


@pytest.mark.parametrize("client", CLIENTS)
def test_more_than_a_call_gives_is_refused_or_comes_in_several(
    connect: Connect, client: str
) -> None:
    connection = connect(Way(client, "tcp"))
    if client == "cpp":
        refused = refusal(connection, "fetch", {"indices": [7] * 5000})
        assert refused.code == "INVALID_ARGUMENT"
        assert "5000 drawings asked for; at most 4096" in refused.message
    else:
        batch = connection.ask("fetch", indices=[7] * 5000)
        assert batch["tensors"]["index"]["values"] == [7] * 5000


def test_a_refused_stream_leaves_its_client_in_order(plain: Connection) -> None:
    for _ in range(3):
        refusal(plain, "open", {**TRAIN, "batch_size": 10_000_000})
    assert len(plain.read(**TRAIN)) > 0


# What is wrong with a cursor, and what the text must name.
CURSORS: dict[str, tuple[Words, str, list[str]]] = {
    "position": ({"position": 10**9}, "INVALID_ARGUMENT", ["cursor.position", "1000000000"]),
    "plan": ({"plan_hash": "00" * 16, "order_plan": ""}, "FAILED_PRECONDITION", ["00" * 16]),
    "hash": ({"plan_hash": "what"}, "INVALID_ARGUMENT", ["cursor.plan_hash", "what"]),
    "data": ({"fingerprint": "ab" * 32}, "FAILED_PRECONDITION", ["ab" * 32]),
    "version": ({"version": 9}, "INVALID_ARGUMENT", ["cursor.version", "9"]),
}


@pytest.mark.parametrize("name", CURSORS)
def test_a_cursor_that_cannot_be_is_refused_alike(connect: Connect, name: str) -> None:
    change, code, named = CURSORS[name]
    said = []
    for client in CLIENTS:
        connection = connect(Way(client, "tcp"))
        with connection.stream(**TRAIN) as stream:
            state = stream.state()
        said.append(refusal(connection, "open", {**TRAIN, "start": {**state, **change}}))
    for refused in said:
        assert refused.code == code, refused
        for part in named:
            assert part in refused.message, refused
        if name == "data":
            assert connection.described["fingerprint"] in refused.message
    assert len({(r.code, r.reason) for r in said}) == 1, said
    if name not in ("version", "data"):  # found out by the clients themselves
        assert len({r.message for r in said}) == 1, said
