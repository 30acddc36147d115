"""A cursor goes on anywhere: other client, other way, other world, other pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from client_under_test import CLIENTS, ROADS, ClientUnderTest, Connection, Refused, Way
from expectation import Expectation

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
TRAIN = {"view": {"split": "train"}, "seed": 4, "columns": ["label"]}
SAMPLINGS: dict[str, Words] = {
    "uniform": {},
    "window": {"shuffle": "window", "window": 90},
    "balanced": {"sampling": {"balanced": 0.5}},
    "weights": {"sampling": {"weights": [1, 2, 0, 1, 1, 0.5, 1, 1, 3, 1]}},
    "mix": {
        "sampling": {
            "mix": [
                {"where": [["recognized", "==", ["true"]]]},
                {"where": [["label", "<", ["3"]]]},
            ],
            "weights": [1.0, 2.0],
        }
    },
}


def rows(batches: list[Words]) -> list[int]:
    return [
        index
        for batch in batches
        for index, valid in zip(
            batch["tensors"]["index"]["values"], batch["tensors"]["valid"]["values"], strict=True
        )
        if valid
    ]


def in_steps(ranks: list[list[Words]]) -> list[int]:
    """The rows of all ranks, step by step."""
    return [row for step in zip(*ranks, strict=True) for batch in step for row in rows([batch])]


def without_text(cursor: Words) -> Words:
    return {name: value for name, value in cursor.items() if name != "order_plan"}


@pytest.mark.parametrize("way", ROADS, ids=str)
@pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
def test_any_cursor_that_was_handed_out_goes_on_with_the_same_bytes(
    connect: Connect, way: Way, tail: str
) -> None:
    plan = {**TRAIN, "batch_size": 30, "world": 2, "rank": 1, "tail": tail, "epochs": 2}
    plan["image"] = {"height": 16}
    plan["augment"] = {"rotation": [-30, 30], "jitter": 1}
    whole = connect(way).read(**plan)
    for number, batch in enumerate(whole):
        rest = connect(way).read(**plan, start=batch["cursor"])
        steps = [{**b, "step": None} for b in whole[number + 1 :]]  # counted from the cursor
        assert [{**b, "step": None} for b in rest] == steps


@pytest.mark.parametrize("before", CLIENTS)
@pytest.mark.parametrize("after", CLIENTS)
def test_one_clients_cursor_is_anothers(connect: Connect, before: str, after: str) -> None:
    plan = {**TRAIN, "batch_size": 32, "tail": "partial", "image": {"height": 16}}
    way, other = Way(before, "tcp"), Way(after, "unix", server=1)
    whole = connect(other).read(**plan)
    with connect(way).stream(**plan) as stream:
        assert [b["tensors"] for b in stream.next(4)] == [b["tensors"] for b in whole[:4]]
        state = stream.state()
    assert without_text(state) == without_text(whole[3]["cursor"])
    assert state["order_plan"].startswith("inkstream order plan")
    rest = connect(other).read(**plan, start=state)
    assert [b["tensors"] for b in rest] == [b["tensors"] for b in whole[4:]]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_four_ranks_then_three_then_five_lose_and_repeat_nothing(
    plain: Connection, sampling: str
) -> None:
    plan = {**TRAIN, **SAMPLINGS[sampling], "tail": "partial"}
    alone = rows(plain.read(**plan, batch_size=100))
    seen: list[int] = []
    start: Words | None = None
    for world, batch_size, steps in ((4, 10, 3), (3, 20, 1), (5, 7, None)):
        ranks = []
        for rank in range(world):
            words = {**plan, "world": world, "rank": rank, "batch_size": batch_size}
            with plain.stream(**words, **({"start": start} if start else {})) as stream:
                ranks.append(stream.rest() if steps is None else stream.next(steps))
                states = stream.state()
        seen += in_steps(ranks)
        start = states
    assert seen == alone


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_every_client_samples_alike(connect: Connect, expected: Expectation, sampling: str) -> None:
    plan = {**TRAIN, **SAMPLINGS[sampling], "tail": "partial", "batch_size": 50, "epochs": 2}
    reads = [connect(Way(client, "tcp")).read(**plan) for client in CLIENTS]
    assert reads[0] == reads[1] == reads[2]
    report = connect(Way("cpp", "tcp")).ask("plan", **plan, epoch=1, count=100)
    second = [batch for batch in reads[0] if batch["epoch"] == 1]
    assert [step["indices"] for step in report["steps"]] == [
        batch["tensors"]["index"]["values"] for batch in second
    ]
    if sampling == "balanced":
        flags = ("--sampling", "balanced:0.5", "--seed", "4", "--batch", "50")
        said = expected.planned(*flags, "--tail", "partial", "--epoch", "1", "--steps", "100")
        by_the_program = [step["index"] for step in said["steps"]]
        assert by_the_program == [step["indices"] for step in report["steps"]]


def test_pictures_and_augmentation_may_change_at_a_cursor(plain: Connection) -> None:
    plan = {**TRAIN, "batch_size": 20, "tail": "partial"}
    whole = plain.read(**plan, image={"height": 28})
    other = {"image": {"height": 12}, "augment": {"flip_x": 0.5}, "views": 2, "batch_size": 31}
    rest = plain.read(**{**plan, **other}, start=whole[5]["cursor"])
    assert rows(whole[:6]) + rows(rest) == rows(whole)


def test_no_pause_between_epochs_of_one_stream(plain: Connection) -> None:
    plan = {**TRAIN, "batch_size": 64}
    each = len(plain.read(**plan))
    with plain.stream(**plan, epochs="forever") as stream:
        endless = stream.next(3 * each)
    three = plain.read(**plan, epochs=3)
    assert endless == three
    assert [batch["epoch"] for batch in three] == [e for e in range(3) for _ in range(each)]


def test_seek_moves_to_a_step_of_any_epoch_and_a_cursor_can_be_edited(plain: Connection) -> None:
    plan = {**TRAIN, "batch_size": 40, "epochs": 5}
    whole = plain.read(**plan)
    each = len(whole) // 5
    with plain.stream(**plan) as stream:
        stream.next(2)
        stream.seek(epoch=3, step=2)
        assert stream.next(1)[0]["tensors"] == whole[3 * each + 2]["tensors"]
        stream.seek(epoch=0, position=40)
        assert stream.next(1)[0]["tensors"] == whole[1]["tensors"]
        edited = {**stream.state(), "position": 160}  # over a bad range
    with plain.stream(**plan, start=edited) as stream:
        assert stream.next(1)[0]["tensors"] == whole[4]["tensors"]


def test_the_end_is_a_place_too(plain: Connection) -> None:
    plan = {**TRAIN, "batch_size": 40}
    with plain.stream(**plan) as stream:
        last = stream.rest()[-1]
        assert stream.ask("next", count=1) == {"batches": [], "end": True}
        state = stream.state()
    assert (state["epoch"], state["position"]) == (1, 0)
    assert without_text(state) == without_text(last["cursor"])
    assert plain.read(**plan, start=state) == []
    again = plain.read(**plan, start=state, epochs=2)
    assert [batch["epoch"] for batch in again] == [1] * len(again)


def test_strides_together_are_the_stream(plain: Connection) -> None:
    plan = {**TRAIN, "batch_size": 25, "epochs": 2}
    whole = plain.read(**plan)
    parts = [plain.read(**plan, step_offset=k, step_stride=3) for k in range(3)]
    for epoch in range(2):
        of_epoch = [b["tensors"] for b in whole if b["epoch"] == epoch]
        for offset, part in enumerate(parts):
            strided = [b["tensors"] for b in part if b["epoch"] == epoch]
            assert strided == of_epoch[offset::3]


def test_a_cursor_of_another_order_is_refused_naming_the_field(
    any_client: ClientUnderTest, plain: Connection
) -> None:
    plan = {**TRAIN, "batch_size": 40}
    with plain.stream(**plan) as stream:
        stream.next(1)
        state = stream.state()
    with pytest.raises(Refused) as refused:
        plain.open(**{**plan, "view": {"split": "valid"}}, start=state)
    assert refused.value.code == "FAILED_PRECONDITION"
    assert "split" in refused.value.message
    assert "[0,0.8)" in refused.value.message and "[0.8,1)" in refused.value.message
