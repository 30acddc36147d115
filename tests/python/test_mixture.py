"""Several datasets in one stream: shares, one vocabulary, and a state that goes on anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Image, PlanMismatch, Strokes, View
from inkstream._order.shares import places_of_parts, rows_of_parts
from support.stores import make_store

Parts = list[tuple[inkstream.Dataset, Any, float]]


@pytest.fixture(scope="module")
def parts(store: Path, binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Two stores, the second of other drawings and with classes that the first has not."""
    other = make_store(binary, tmp_path_factory.mktemp("second"), 500, seed=3, classes=14)
    with inkstream.open(store) as first, inkstream.open(other) as second:
        a, b = first.dataset(), second.dataset()
        assert set(a.classes) < set(b.classes)
        yield [(a, View("train", classes=a.classes[3:6]), 3), (b, "train", 1)]


def drawn(mixture: inkstream.Mixture, batches: int) -> list[tuple[int, int]]:
    """(part, index) of each row."""
    rows: list[tuple[int, int]] = []
    for batch in islice(mixture, batches):
        rows += zip(batch["part"].tolist(), batch.index.tolist(), strict=True)
    return rows


def test_shares_are_whole_drawings() -> None:
    assert rows_of_parts([0.75, 0.25], 256) == (192, 64)
    assert rows_of_parts([0.7, 0.3], 256) == (179, 77)
    assert rows_of_parts([1, 1, 1], 256) == (86, 85, 85)
    assert rows_of_parts([1, 0], 8) == (8, 0)
    assert rows_of_parts([5], 7) == (7,)
    with pytest.raises(FixRequest, match=r"weights\[1\] = 0.01 .* batch_size of at least 101"):
        rows_of_parts([1, 0.01], 32)
    assert [places.tolist() for places in places_of_parts([4, 2])] == [[0, 2, 3, 5], [1, 4]]
    for rows in ([192, 64], [7, 1, 4], [3, 0]):
        places = places_of_parts(rows)
        assert [len(each) for each in places] == rows
        assert sorted(np.concatenate(places)) == [*range(sum(rows))]


def test_a_batch_has_its_share_of_each_part(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=64, image=Image(16), columns=["label", "word"]) as mixed:
        batch = next(mixed)
    assert Counter(batch["part"].tolist()) == {0: 48, 1: 16}
    assert {Counter(batch["part"][i : i + 8].tolist())[1] for i in range(0, 64, 8)} == {2}
    for part, (data, view, _) in enumerate(parts):
        rows = np.flatnonzero(batch["part"] == part)
        with data.stream(view, batch_size=len(rows), image=Image(16)) as alone:
            expected = next(alone)
        assert (batch.index[rows] == expected.index).all()
        assert (batch.image[rows] == expected.image).all()
        words = [batch.words()[i] for i in rows]
        assert words == expected.words() == [batch.strings("word")[i] for i in rows]
    batch.image[0] = 0  # the batch's own


def test_labels_count_one_vocabulary(parts: Parts) -> None:
    a, b = (data for data, _, _ in parts)
    with inkstream.mix(parts, batch_size=64) as mixed:
        assert mixed.classes[:3] == a.classes[3:6]
        assert sorted(mixed.classes) == sorted(b.classes)
        assert [mixed.class_to_idx[word] for word in mixed.classes] == [*range(14)]
    chosen = [b.classes[-1], a.classes[4]]
    with inkstream.mix(parts, batch_size=64, classes=chosen, ignore_index=-7) as mixed:
        labels = np.concatenate([batch.label for batch in islice(mixed, 5)])
    assert set(labels.tolist()) == {-7, 0, 1}


def test_a_state_goes_on_where_it_was(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=64, seed=4) as mixed:
        before = drawn(mixed, 20)
        state = json.loads(json.dumps(mixed.state_dict()))
        last = next(mixed)
        cursor = json.loads(json.dumps(last.cursor))
        after = drawn(mixed, 20)
    assert state["position"] == 20 * 64 and last.step == 20
    epochs = Counter(row for row in before if row[0] == 0)
    assert max(epochs.values()) > 1, "the smaller part has begun anew"
    with inkstream.mix(parts, batch_size=64, start=state) as again:
        assert drawn(again, 1) == [*zip(last["part"], last.index, strict=True)]
        assert drawn(again, 20) == after
        again.load_state_dict(cursor)
        assert drawn(again, 20) == after


def test_ranks_share_a_batch_out(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=64, seed=4) as one:
        whole = drawn(one, 6)
        state = one.state_dict()
        later = drawn(one, 2)
    ranks = [inkstream.mix(parts, batch_size=32, seed=4, rank=r, world=2) for r in range(2)]
    assert sorted(row for rank in ranks for row in drawn(rank, 6)) == sorted(whole)
    assert [rank.state_dict() for rank in ranks] == [state, state]
    # Two ranks' state is one's, and the reverse: nothing is lost or repeated.
    for rank in ranks:
        rank.load_state_dict(state)
    assert sorted(row for rank in ranks for row in drawn(rank, 2)) == sorted(later)
    for rank in ranks:
        rank.close()
    with inkstream.mix(parts, batch_size=16, seed=4, start=state) as smaller:
        assert sorted(drawn(smaller, 8)) == sorted(later)


def test_new_weights_hold_from_the_next_batch_on_and_after_a_resume(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=64) as mixed:
        first = drawn(mixed, 3)
        mixed.remix([1, 1])
        state = json.loads(json.dumps(mixed.state_dict()))
        changed = drawn(mixed, 3)
        mixed.remix([1, 0])
        only = drawn(mixed, 2)
        silent = mixed.state_dict()
        mixed.remix([1, 1])
        back = drawn(mixed, 1)
    assert [Counter(part for part, _ in rows)[1] for rows in (first, changed, only)] == [48, 96, 0]
    with inkstream.mix(parts, batch_size=64, start=state) as again:
        assert again.weights == (1, 1)
        assert drawn(again, 3) == changed
    with inkstream.mix(parts, batch_size=64, start=silent) as again:
        again.remix([1, 1])
        assert drawn(again, 1) == back, "a part that rested goes on where it stood"
    everything = [row for rows in (first, changed, only, back) for row in rows if row[0] == 1]
    assert len(everything) == len(set(everything)), "and repeats nothing"


def test_a_curriculum_is_a_function_of_the_position(parts: Parts) -> None:
    curriculum = [(0, [1, 1]), (128, [1, 3]), (200, [0, 1])]
    mixed = inkstream.mix(parts, batch_size=64, curriculum=curriculum)
    counted, states = [], []
    for batch in islice(mixed, 5):
        counted.append(int(batch["part"].sum()))
        states.append((batch.cursor, counted[-1]))
    assert counted == [32, 32, 48, 48, 64]
    mixed.close()
    for (state, _), (_, following) in pairwise(states):
        with inkstream.mix(parts, batch_size=64, curriculum=curriculum, start=state) as again:
            assert int(next(again)["part"].sum()) == following
    with inkstream.mix(parts, batch_size=64, curriculum=curriculum) as mixed:
        mixed.remix([3, 1])
        counted = [int(batch["part"].sum()) for batch in islice(mixed, 3)]
    assert counted == [16, 16, 48], "by hand, until the curriculum says otherwise"


def test_a_replay_by_the_states_changes_draws_the_same(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=64, seed=2, curriculum=[(320, [1, 3])]) as mixed:
        first = drawn(mixed, 2)
        mixed.remix([9, 9])
        mixed.remix([1, 1])
        first += drawn(mixed, 4)
        mixed.remix([1, 0])
        first += drawn(mixed, 2)
        state = json.loads(json.dumps(mixed.state_dict()))
        later = drawn(mixed, 2)
    changes = ((0, (3, 1)), (128, (1, 1)), (320, (1, 3)), (384, (1, 0)))
    assert mixed.changes == changes
    with inkstream.mix(parts, batch_size=64, seed=2, curriculum=state["changes"]) as again:
        assert drawn(again, 10) == first + later
        assert again.changes == changes
    with inkstream.mix(parts, batch_size=64, seed=2, start=state) as again:
        assert again.changes == changes
        assert drawn(again, 2) == later


def test_views_of_one_store_change_their_weights_and_ranks_with_nothing_lost(store: Path) -> None:
    with inkstream.open(store) as client:
        data = client.dataset()
        views = [View("train", where={"label": term}) for term in (("<", 5), (">=", 5))]
        parts = [(data, view, weight) for view, weight in zip(views, (3, 1), strict=True)]
        seen: list[tuple[int, int]] = []
        start = None
        for world, batch_size, steps, weights in (
            (2, 16, 3, (3, 1)),
            (3, 8, 4, (1, 1)),
            (1, 20, 9, (1, 3)),
        ):
            ranks = [
                inkstream.mix(
                    parts, batch_size=batch_size, seed=5, rank=rank, world=world, start=start
                )
                for rank in range(world)
            ]
            for rank in ranks:
                rank.remix(weights)
            seen += [row for rank in ranks for row in drawn(rank, steps)]
            states = [rank.state_dict() for rank in ranks]
            assert all(state == states[0] for state in states)
            start = states[0]
            for rank in ranks:
                rank.close()
        assert start is not None
        assert start["position"] == len(seen)
        for part, view in enumerate(views):
            of_part = sorted(index for i, index in seen if i == part)
            # As far as it came, each view's own order: nothing left out, nothing twice.
            with data.stream(view, seed=5, batch_size=len(of_part)) as stream:
                assert sorted(next(stream).index.tolist()) == of_part


def test_a_batch_that_fails_moves_no_part(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    with inkstream.mix(parts, batch_size=64) as mixed:
        drawn(mixed, 2)
        state = mixed.state_dict()
        second = mixed._streams[1]
        assert second is not None
        second.close()
        with pytest.raises(inkstream.Closed):
            next(mixed)
        assert mixed.state_dict() == state
        following = drawn(mixed, 3)
    with inkstream.mix(parts, batch_size=64, start=state) as again:
        assert drawn(again, 3) == following


def test_strokes_are_mixed_padded(parts: Parts) -> None:
    with inkstream.mix(parts, batch_size=8, strokes=Strokes(30, format="stroke5")) as mixed:
        batch = next(mixed)
    assert batch.strokes.shape == (8, 31, 5)
    assert len(batch.polylines(3)) > 0
    with pytest.raises(FixRequest, match="padded"):
        inkstream.mix(parts, strokes=Strokes(30, ragged=True))


def test_wrong_mixtures_are_refused(parts: Parts) -> None:
    a = parts[0][0]
    for wrong, said in (
        ([], "empty"),
        ([(a, "train")], r"parts\[0\]"),
        ([("a", "train", 1)], "client.dataset"),
        ([(a, "train", "much")], "not a number"),
        ([(a, "train", -1)], "at least 0"),
        ([(a, "train", float("inf"))], "finite"),
        ([(a, "train", 0)], "all 0"),
        ([(a, 3, 1)], "View"),
    ):
        with pytest.raises(FixRequest, match=said):
            inkstream.mix(wrong)
    with pytest.raises(FixRequest, match="no keyword 'epochs'"):
        inkstream.mix(parts, epochs=3)
    with pytest.raises(FixRequest, match="grow"):
        inkstream.mix(parts, curriculum=[(5, [1, 1]), (5, [1, 2])])
    with pytest.raises(FixRequest, match="3 entries for 2 parts"):
        inkstream.mix(parts, curriculum=[(5, [1, 1, 1])])
    with pytest.raises(FixRequest, match="classes"):
        inkstream.mix(parts, classes=[])
    with inkstream.mix(parts, batch_size=8) as mixed:
        state = next(mixed).cursor
        for broken in (
            {},
            a.stream().state_dict(),
            {**state, "version": 2},
            {**state, "parts": []},
        ):
            with pytest.raises(FixRequest):
                mixed.load_state_dict(broken)
        with pytest.raises(FixRequest, match="weights"):
            mixed.remix([1])
        assert mixed.state_dict() == state
        turned = {**state, "parts": state["parts"][::-1]}
        mixed.load_state_dict(turned)
        with pytest.raises(PlanMismatch):
            next(mixed)
    with pytest.raises(inkstream.Closed):
        next(mixed)
