"""A weight a drawing, on every way: the order that the published functions say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import inkstream
import numpy as np
import pytest
from client_under_test import CLIENTS, CODED, ROADS, Connection, Refused, Way
from expectation import Expectation

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
TRAIN = {"view": {"split": "train"}, "seed": 4, "columns": ["label"]}
EVEN_TAIL = {**TRAIN, "tail": "partial"}
ALL_BITS = (1 << 64) - 1


def mix(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & ALL_BITS
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & ALL_BITS
    return x ^ (x >> 31)


def derive(key: int, number: int) -> int:
    golden = 0x9E3779B97F4A7C15
    return mix((mix((key + golden) & ALL_BITS) ^ number) + golden & ALL_BITS)


def order_of(members: list[int], weights: list[float], seed: int, epoch: int) -> list[int]:
    """An epoch's drawings by position, as server/order/README.md has it."""
    most = max(weights)
    shares = {
        index: max(1, int(weights[index] / most * (2**32 - 1) + 0.5))
        for index in members
        if weights[index] > 0
    }
    drawings, size, total = list(shares), len(shares), sum(shares.values())
    phase = derive(derive(seed, epoch), 6) * total >> 64
    ends = np.cumsum(list(shares.values()), dtype=object)
    slots = inkstream.Permutation(size, seed, epoch)(np.arange(size)).tolist()
    places = [(slot * total + phase) // size for slot in slots]
    return [drawings[int(np.searchsorted(ends, place, side="right"))] for place in places]


def weights_of(expected: Expectation) -> list[float]:
    """By index; a quarter of them is 0."""
    return [float(i % 4) * (1 + i % 7) for i in range(len(expected.drawings))]


def words_of(expected: Expectation, by: str) -> Words:
    if by == "indices":
        return {"indices": list(range(len(expected.drawings))), "weights": weights_of(expected)}
    keys = [int(drawing["key_id"]) for drawing in expected.drawings]
    return {"keys": keys, "weights": weights_of(expected)}


def sampled(connection: Connection, expected: Expectation, by: str = "keys") -> Words:
    named = connection.ask("weights", **words_of(expected, by))
    assert named["keys"] == len(expected.drawings)
    return {"sampling": {"drawings": named["hash"]}}


def rows(batches: list[Words]) -> list[int]:
    pairs = [
        pair
        for batch in batches
        for pair in zip(
            batch["tensors"]["index"]["values"], batch["tensors"]["valid"]["values"], strict=True
        )
    ]
    return [index for index, valid in pairs if valid]


@pytest.mark.parametrize("by", ["keys", "indices"])
@pytest.mark.parametrize("way", [*ROADS, *CODED], ids=str)
def test_positions_are_those_of_the_published_order(
    connect: Connect, expected: Expectation, way: Way, by: str
) -> None:
    connection = connect(way)
    plan = {**EVEN_TAIL, **sampled(connection, expected, by), "batch_size": 40, "epochs": 3}
    batches = connection.read(**plan, image={"height": 12}, codec=way.codec)
    for epoch in range(3):
        wanted = order_of(expected.splits["train"], weights_of(expected), 4, epoch)
        assert rows([batch for batch in batches if batch["epoch"] == epoch]) == wanted


def test_augmentation_tells_appearances_apart_alike_on_every_way(
    connect: Connect, expected: Expectation
) -> None:
    reads = []
    for way in (*ROADS, *CODED):
        connection = connect(way)
        plan = {**TRAIN, **sampled(connection, expected), "batch_size": 64}
        plan |= {"image": {"height": 16}, "augment": {"rotation": [-40, 40], "jitter": 2}}
        batches = connection.read(**plan, codec=way.codec)
        reads.append([batch["tensors"] for batch in batches])
    assert all(read == reads[0] for read in reads)


def test_four_ranks_then_three_then_five_lose_and_repeat_nothing(
    plain: Connection, expected: Expectation
) -> None:
    plan = {**EVEN_TAIL, **sampled(plain, expected)}
    wanted = order_of(expected.splits["train"], weights_of(expected), 4, 0)
    seen: list[int] = []
    start: Words = {}
    for world, batch_size, steps in ((4, 10, 3), (3, 20, 1), (5, 7, None)):
        ranks = []
        for rank in range(world):
            words = {**plan, "world": world, "rank": rank, "batch_size": batch_size, **start}
            with plain.stream(**words) as stream:
                ranks.append(stream.rest() if steps is None else stream.next(steps))
                state = stream.state()
        seen += [
            row for step in zip(*ranks, strict=True) for batch in step for row in rows([batch])
        ]
        start = {"start": state}
    assert seen == wanted


def test_any_cursor_goes_on_and_the_plan_says_what_comes(
    plain: Connection, expected: Expectation
) -> None:
    plan = {**TRAIN, **sampled(plain, expected), "batch_size": 30, "epochs": 2}
    whole = plain.read(**plan)
    for number in (0, len(whole) // 2, len(whole) - 2):
        rest = plain.read(**plan, start=whole[number]["cursor"])
        assert [b["tensors"] for b in rest] == [b["tensors"] for b in whole[number + 1 :]]
    report = plain.ask("plan", **plan, epoch=1, count=100)
    second = [batch for batch in whole if batch["epoch"] == 1]
    assert [step["indices"] for step in report["steps"]] == [
        batch["tensors"]["index"]["values"] for batch in second
    ]
    pairs = [
        pair
        for step in report["steps"]
        for pair in zip(step["indices"], step["occurrences"], strict=True)
    ]
    assert len(set(pairs)) == len(pairs)


def test_one_name_for_one_content_and_a_cursor_of_another_is_refused(
    connect: Connect, expected: Expectation
) -> None:
    names = set()
    for client in CLIENTS:
        connection = connect(Way(client, "here" if client == "here" else "tcp"))
        plan = {**TRAIN, **sampled(connection, expected), "batch_size": 30}
        names.add(plan["sampling"]["drawings"])
        with connection.stream(**plan) as stream:
            stream.next(1)
            state = stream.state()
        other = words_of(expected, "keys")
        other["weights"][3] += 1
        plan["sampling"] = {"drawings": connection.ask("weights", **other)["hash"]}
        with pytest.raises(Refused, match="sampling was") as refused:
            connection.open(**plan, start=state)
        assert refused.value.code == "FAILED_PRECONDITION"
    assert len(names) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"keys": [5, 6], "weights": [1, -1]}, r"weights\[1\]"),
        ({"keys": [5, 6], "weights": [0, 0]}, r"weights.*all.* 0"),
        ({"keys": [5, 6], "weights": [1]}, "weights.* 1 .*for 2"),
        ({"keys": [5, 5], "weights": [1, 1]}, "5.* twice"),
        ({"keys": [0], "weights": [1]}, r"key.*\[0\].* 0 "),
    ],
    ids=str,
)
def test_wrong_weights_are_refused_by_field_and_value(
    plain: Connection, words: Words, says: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        plain.ask("weights", **words)
    assert refused.value.code == "INVALID_ARGUMENT"


def test_drawings_that_the_store_does_not_have_are_refused(
    plain: Connection, expected: Expectation
) -> None:
    for words, says in (
        ({"keys": [7], "weights": [1]}, "1 of 1 keys are no drawing's.*first of them 7"),
        ({"indices": [999_999], "weights": [1]}, "999999; it has drawings 0 to 499"),
    ):
        named = plain.ask("weights", **words)
        with pytest.raises(Refused, match=says) as refused:
            plain.open(**TRAIN, sampling={"drawings": named["hash"]})
        assert refused.value.code == "INVALID_ARGUMENT"
