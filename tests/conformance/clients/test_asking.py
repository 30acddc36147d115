"""What is asked without a stream, and what a stream says of itself: alike in every client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from client_under_test import CLIENTS, ClientUnderTest, Connection, Way
from expectation import Expectation
from support.processes import Server

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
TRAIN = {"view": {"split": "train"}, "batch_size": 32, "seed": 2, "columns": ["label"]}


def test_descriptions_are_the_same(connect: Connect, expected: Expectation) -> None:
    said = [connect(Way(client, "tcp")).described for client in CLIENTS]
    assert said[0] == said[1] == said[2]
    assert said[0]["drawings"] == len(expected.drawings)
    assert list(said[0]["classes"]) == expected.words
    assert min(said[0]["limits"].values()) > 0


@pytest.mark.parametrize("all_ranks", [False, True])
@pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
def test_a_plan_tells_what_the_stream_delivers(
    plain: Connection, expected: Expectation, tail: str, all_ranks: bool
) -> None:
    plan = {**TRAIN, "world": 3, "tail": tail, "image": {"height": 16}}
    ranks = [plain.read(**plan, rank=rank, epochs=2) for rank in range(3)]
    report = plain.ask("plan", **plan, rank=1, epoch=1, count=100, all_ranks=all_ranks)
    wanted = [[b for b in rank if b["epoch"] == 1] for rank in ranks]
    assert report["view_drawings"] == report["epoch_drawings"] == len(expected.splits["train"])
    assert report["steps_per_epoch"] == report["steps_left"] == len(report["steps"])
    assert len(report["steps"]) == len(wanted[1])
    for number, step in enumerate(report["steps"]):
        batches = [rank[number] for rank in wanted] if all_ranks else [wanted[1][number]]
        indices = [i for batch in batches for i in batch["tensors"]["index"]["values"]]
        assert step["indices"] == indices
        assert step["valid_rows"] == sum(wanted[1][number]["tensors"]["valid"]["values"])
        assert {**step["cursor"], "order_plan": ""} == {
            **wanted[1][number]["cursor"],
            "order_plan": "",
        }


def test_plans_are_the_same(connect: Connect) -> None:
    plans: list[Words] = [
        {**TRAIN, "count": 3, "first": 2},
        {**TRAIN, "sampling": {"balanced": 0.3}, "count": 2, "epoch": 7},
        {**TRAIN, "world": 4, "rank": 2, "tail": "partial", "all_ranks": True, "count": 50},
        {**TRAIN, "strokes": {"max_len": 20}, "views": 3, "augment": {"jitter": 1}},
    ]
    for plan in plans:
        said = [connect(Way(client, "tcp")).ask("plan", **plan) for client in CLIENTS]
        assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("codec", ["none", "strokes"])
def test_random_access_gives_what_was_in_a_step(plain: Connection, codec: str) -> None:
    drawn = {
        "image": {"height": 20},
        "strokes": {"max_len": 25},
        "augment": {"rotation": [-40, 40], "point_dropout": 0.2},
        "views": 2,
    }
    for batch in plain.read(**TRAIN, **drawn, epochs=2, codec="none")[::5]:
        tensors = batch["tensors"]
        again = plain.ask(
            "fetch",
            indices=tensors["index"]["values"],
            epoch=batch["epoch"],
            seed=TRAIN["seed"],
            columns=["label"],
            codec=codec,
            **drawn,
        )
        assert again["tensors"] == tensors


@pytest.mark.parametrize("codec", ["none", "strokes"])
def test_drawings_are_found_by_index_key_and_rank(
    plain: Connection, expected: Expectation, codec: str
) -> None:
    indices = [9, 3, 3, 499, 0]
    keys = [int(expected.drawings[i]["key_id"]) for i in indices]
    words = {"image": {"height": 16}, "columns": ["key_id", "label"], "codec": codec}
    by_index = plain.ask("fetch", indices=indices, **words)["tensors"]
    by_key = plain.ask("fetch", keys=keys, **words)["tensors"]
    assert by_index == by_key
    assert by_index["index"]["values"] == indices and by_index["key_id"]["values"] == keys
    members = expected.splits["valid"]
    of_view = plain.ask("fetch", view={"split": "valid"}, ranks=[5, 0, 5], **words)["tensors"]
    assert of_view["index"]["values"] == [members[5], members[0], members[5]]


def test_evaluation_gives_all_ranks_the_same_steps_and_no_drawing_twice(
    plain: Connection, expected: Expectation
) -> None:
    for world, batch_size in ((1, 64), (3, 10), (4, 29), (7, 50)):
        words = {"view": {"split": "valid"}, "batch_size": batch_size, "tail": "partial"}
        ranks = [
            plain.read(**words, world=world, rank=rank, columns=["key_id"], image={"height": 12})
            for rank in range(world)
        ]
        assert len({len(batches) for batches in ranks}) == 1
        every = [batch["tensors"] for batches in ranks for batch in batches]
        assert all(tensors["index"]["values"] for tensors in every), "an empty batch"
        rows = [
            (index, key)
            for tensors in every
            for index, key, valid in zip(
                *(tensors[name]["values"] for name in ("index", "key_id", "valid")), strict=True
            )
            if valid
        ]
        keys = [(i, int(expected.drawings[i]["key_id"])) for i in expected.splits["valid"]]
        assert sorted(rows) == keys


def test_a_loop_that_does_not_read_is_named_as_the_bottleneck(plain: Connection) -> None:
    with plain.stream(**TRAIN, image={"height": 28}, epochs="forever") as stream:
        stream.next(3)
        time.sleep(0.7)
        stats = stream.stats()
        assert stats["batches"] >= 3 and stats["bytes"] > 0 and stats["reopened"] == 0
        assert stats["bottleneck"].startswith("The client is the bottleneck"), stats
        assert stats["target"]


def test_opening_at_a_quota_waits_as_long_as_the_server_says(
    any_client: ClientUnderTest, binary: Any, store: Any, tmp_path: Any
) -> None:
    if any_client.name == "here":
        pytest.skip("there is no server, hence no quota of one")
    with Server(binary, store, tmp_path, "--max-streams", "1") as server:
        first, second = (any_client.connect(server.tcp) for _ in range(2))
        held = first.open(**TRAIN, epochs="forever")
        held.next(1)
        other = ClientUnderTest(any_client.name)
        try:
            connection = other.connect(server.tcp)
            other.tell("open", on=connection.name, **{"as": "waiting"}, **TRAIN)
            time.sleep(0.3)
            held.close()
            assert other.answer()["view_drawings"] > 0
        finally:
            other.end()
        first.close()
        second.close()
