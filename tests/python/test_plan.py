"""Views, orders and plans against the real server: what is promised is what comes."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Image, KeySet, NotFound, PlanMismatch, View

COLUMNS = ["label", "recognized", "countrycode", "timestamp", "key_id"]


@pytest.fixture
def near(address: str) -> Iterator[inkstream.Dataset]:
    with inkstream.connect(address) as client:
        yield client.dataset("quickdraw")


@pytest.fixture
def table(near: inkstream.Dataset) -> dict[str, np.ndarray[Any, Any]]:
    """Every drawing's columns, by index."""
    plain = near.stream(View(), batch_size=500, columns=COLUMNS, shuffle="none", tail="partial")
    batches = list(plain)
    return {name: np.concatenate([b[name] for b in batches]) for name in (*COLUMNS, "index")}


def indices(stream: inkstream.Stream) -> list[int]:
    return [int(i) for batch in stream for i in batch.index[batch.valid]]


def of_view(near: inkstream.Dataset, view: View) -> list[int]:
    return indices(near.stream(view, batch_size=100, shuffle="none", tail="partial"))


def test_filters_select_what_a_mask_over_the_columns_selects(
    near: inkstream.Dataset, table: dict[str, np.ndarray[Any, Any]]
) -> None:
    middle = int(np.median(table["timestamp"]))
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"recognized": True}, table["recognized"] == 1),
        ({"timestamp": ("<", middle)}, table["timestamp"] < middle),
        (
            {"timestamp": [(">=", middle), ("!=", middle)], "recognized": 0},
            (table["timestamp"] > middle) & (table["recognized"] == 0),
        ),
        ({"label": [1, 3, 5]}, np.isin(table["label"], [1, 3, 5])),
        ({"word": ("not in", near.classes[:2])}, table["label"] >= 2),
        ({"index": ("<=", 99)}, table["index"] < 100),
    ]
    for where, wanted in cases:
        found = of_view(near, View(where=where))
        assert found == table["index"][wanted].tolist(), where
        assert near.count(View(where=where)) == len(found)


def test_strokes_and_points_are_columns_to_filter_by(near: inkstream.Dataset) -> None:
    few = near.count(View(where={"strokes": ("<=", 2)}))
    many = near.count(View(where={"strokes": (">", 2)}))
    assert few + many == len(near)
    assert few > 0 and many > 0
    assert near.count(View(where={"points": (">", 0)})) == len(near)


def test_slices_folds_and_fractions_are_parts_of_their_split(near: inkstream.Dataset) -> None:
    train = set(of_view(near, View("train")))
    parts = [set(of_view(near, View(f"train[{a}%:{b}%]"))) for a, b in ((0, 30), (30, 100))]
    assert parts[0] | parts[1] == train
    assert not parts[0] & parts[1]
    held_out = [set(of_view(near, View("train", fold=(i, 5, True)))) for i in range(5)]
    assert sum(map(len, held_out)) == len(train)
    assert set.union(*held_out) == train
    assert set(of_view(near, View("train", fold=(2, 5)))) == train - held_out[2]
    tenth = set(of_view(near, View("train", fraction=0.1)))
    assert tenth < set(of_view(near, View("train", fraction=0.5))) < train


def test_a_cap_holds_for_every_class(near: inkstream.Dataset) -> None:
    stream = near.stream(View("train", max_per_class=20), batch_size=50, tail="partial")
    labels = Counter(int(label) for batch in stream for label in batch.label)
    assert set(labels.values()) == {20}


def test_key_sets_are_uploaded_when_a_server_asks(
    near: inkstream.Dataset, table: dict[str, np.ndarray[Any, Any]]
) -> None:
    keys = table["key_id"][100:160].tolist()
    view = pickle.loads(pickle.dumps(View(include_keys=keys)))
    assert of_view(near, view) == list(range(100, 160))
    others = View(exclude_keys=KeySet(table["key_id"][50:]))
    assert near.count(others) == 50
    assert near.split(others)[0].index == 0
    with pytest.raises(NotFound, match="upload it"):
        near.count(View(include_keys="0" * 32))
    with pytest.raises(FixRequest, match=r"include_keys\[0\] = 0 .* 1\.\.2\^63-1"):
        View(include_keys=[0])


def test_errors_of_views_come_with_the_nearest_choice(near: inkstream.Dataset) -> None:
    for view, text in (
        (View("train", where={"recognised": 1}), 'nearest is "recognized"'),
        (View("trian[:10%]"), 'nearest is "train"'),
        (View("train[10:20]"), "percents"),
        (View("train", fold=(5, 5)), "folds are 0..4"),
        (View("train", fraction=2.0), r"\(0, 1\]"),
    ):
        with pytest.raises(FixRequest, match=text):
            near.count(view)


ORDERS: list[dict[str, Any]] = [
    {},
    {"shuffle": "window:300"},
    {"shuffle": "none"},
    {"sampling": "balanced:0"},
    {"sampling": "balanced:0.5", "shuffle": "window:64"},
    {"sampling": [1.0] * 5 + [0.0] * 4 + [7.5]},
    {
        "sampling": [
            (View(where={"recognized": True}), 1.0),
            (View(where={"label": ("<", 3)}), 2.0),
        ]
    },
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_plan_is_what_the_stream_delivers(
    near: inkstream.Dataset, order: dict[str, Any]
) -> None:
    keywords = {"batch_size": 48, "world": 2, "seed": 5, "tail": "partial", **order}
    for rank in range(2):
        stream = near.stream("train", rank=rank, image=Image(8), epochs=2, **keywords)
        batches = list(stream)
        report = near.plan("train", rank=rank, image=Image(8), steps=1000, **keywords)
        assert len(stream) == len(batches) == 2 * report.steps_per_epoch
        second = stream.explain(epoch=1, steps=1000)
        steps = report.steps + second.steps
        assert len(steps) == len(batches)
        for step, batch in zip(steps, batches, strict=True):
            assert step.index.tolist() == batch.index.tolist()
            assert (step.epoch, step.valid_rows) == (batch.epoch, int(batch.valid.sum()))
            assert step.cursor == batch.cursor
    everyone = near.plan("train", all_ranks=True, step=1, **keywords).steps[0]
    ranks = [near.plan("train", rank=r, step=1, **keywords).steps[0].index for r in range(2)]
    assert everyone.index.tolist() == np.concatenate(ranks).tolist()


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_ranks_come_and_go_within_an_epoch(near: inkstream.Dataset, order: dict[str, Any]) -> None:
    """4 → 3 → 5 ranks: together they see what one rank alone sees, in the same order."""
    keywords: dict[str, Any] = {"seed": 3, "tail": "partial", "columns": ["label"], **order}
    alone = indices(near.stream("train", batch_size=100, **keywords))
    seen: list[int] = []
    cursor = None
    for world, batch_size, steps in ((4, 25, 3), (3, 40, 2), (5, 16, None)):
        rows: dict[int, list[int]] = {}
        for rank in range(world):
            stream = near.stream(
                "train", batch_size=batch_size, rank=rank, world=world, start=cursor, **keywords
            )
            for number, batch in enumerate(stream):
                rows.setdefault(number, []).extend(batch.index[batch.valid].tolist())
                last = batch.cursor
                if steps is not None and number + 1 == steps:
                    break
            stream.close()
        cursor = last
        for number in sorted(rows):
            seen += rows[number]
    assert cursor is not None and (cursor["epoch"], cursor["position"]) == (1, 0)
    assert seen == alone


def test_balanced_classes_are_drawn_alike_and_repeats_are_counted(near: inkstream.Dataset) -> None:
    report = near.plan("train", sampling="balanced:0", batch_size=50, steps=1000, tail="partial")
    positions = [positions for _, positions in report.components.values()]
    assert sum(positions) == report.epoch_drawings
    assert max(positions) - min(positions) <= 1
    came: Counter[int] = Counter()
    for step in report.steps:
        for index, occurrence in zip(step.index.tolist(), step.occurrence.tolist(), strict=True):
            assert occurrence == came[index]
            came[index] += 1


def test_epochs_follow_each_other_without_a_gap(near: inkstream.Dataset) -> None:
    stream = near.stream("train", batch_size=100, epochs="forever")
    per_epoch = near.plan("train", batch_size=100).steps_per_epoch
    epochs = [next(stream).epoch for _ in range(3 * per_epoch)]
    stream.close()
    assert epochs == [e for e in range(3) for _ in range(per_epoch)]


def test_seeking_jumps_over_a_bad_range(near: inkstream.Dataset) -> None:
    stream = near.stream("train", batch_size=10, epochs=2)
    order = indices(near.stream("train", batch_size=10))
    next(stream)
    stream.seek(position=137)
    assert next(stream).index.tolist() == order[137:147]
    state = stream.state_dict()
    state["position"] += 25
    stream.load_state_dict(state)
    assert next(stream).index.tolist() == order[172:182]
    stream.seek(epoch=1, step=2)
    assert next(stream).cursor["epoch"] == 1
    with pytest.raises(FixRequest, match="one of them"):
        stream.seek(step=1, position=3)
    stream.close()


def test_a_cursor_of_another_view_names_the_term(near: inkstream.Dataset) -> None:
    cursor = next(near.stream(View("train", fraction=0.5), batch_size=10)).cursor
    with pytest.raises(PlanMismatch, match=r'fraction was "0.5".*\(not set\)'):
        next(near.stream("train", batch_size=10, start=cursor))
    with pytest.raises(PlanMismatch, match='sampling was "uniform"'):
        half = View("train", fraction=0.5)
        next(near.stream(half, batch_size=10, start=cursor, sampling="balanced:1"))


def test_evaluation_gives_every_rank_the_same_steps_and_every_drawing_once(
    near: inkstream.Dataset,
) -> None:
    total = near.count("valid")
    for world in (1, 3, 7):
        counts = []
        seen: list[int] = []
        for rank in range(world):
            stream = near.stream("valid", batch_size=16, rank=rank, world=world, tail="partial")
            batches = list(stream)
            counts.append(len(batches))
            assert all(len(batch.index) > 0 for batch in batches)
            seen += [int(i) for b in batches for i in b.index[b.valid]]
        assert len(set(counts)) == 1
        assert len(seen) == len(set(seen)) == total
