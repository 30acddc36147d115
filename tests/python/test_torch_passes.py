"""What an `iter()` of a Loader is: an evaluation's own pass, a training's one position."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import inkstream
import pytest
import torch
from inkstream import Augment, Image, Strokes
from inkstream.torch import Loader, TensorBatch, loader
from support.processes import Server, eventually

BATCH = 64
IMAGE = Image(28)


def evaluation(data: inkstream.Dataset, **keywords: Any) -> Loader:
    return loader(data, "valid", train=False, batch_size=BATCH, image=IMAGE, **keywords)


def training(data: inkstream.Dataset, **keywords: Any) -> Loader:
    return loader(data, "train", batch_size=BATCH, image=IMAGE, **keywords)


def of(batches: Any) -> list[list[int]]:
    return [batch["index"].tolist() for batch in batches]


def same(one: TensorBatch, two: TensorBatch) -> bool:
    return set(one) == set(two) and all(torch.equal(one[name], two[name]) for name in one)


@pytest.fixture
def alone(binary: Path, store: Path, tmp_path: Path) -> Iterator[inkstream.Dataset]:
    """A dataset whose server has no other streams."""
    with Server(binary, store, tmp_path) as server, inkstream.connect(server.tcp) as client:
        yield client.dataset()


def all_ended(data: inkstream.Dataset) -> bool:
    return eventually(lambda: not data.client.status().get("streams"))


class TestEvaluation:
    def test_a_pass_within_a_pass_is_another(self, data: inkstream.Dataset) -> None:
        valid = evaluation(data)
        whole = of(valid)
        outer = []
        for batch in islice(valid, 2 * len(whole)):
            outer.append(batch["index"].tolist())
            assert of(islice(valid, 1)) == whole[:1]
        assert outer == whole
        pairs = [
            (a["index"].tolist(), b["index"].tolist()) for a, b in zip(valid, valid, strict=True)
        ]
        assert pairs == [(ranks, ranks) for ranks in whole]

    def test_passes_that_are_left_keep_no_stream(self, alone: inkstream.Dataset) -> None:
        valid = evaluation(alone)
        for _ in range(5):
            iter(valid)
            next(iter(valid))
            for _ in valid:
                break
        assert all_ended(alone)
        assert len(of(valid)) == len(valid)
        assert all_ended(alone)

    def test_closing_ends_the_passes_under_way(self, data: inkstream.Dataset) -> None:
        valid = evaluation(data)
        running = iter(valid)
        next(running)
        valid.close()
        with pytest.raises(inkstream.Closed):
            next(running)
        with pytest.raises(inkstream.Closed, match="this loader was closed"):
            next(iter(valid))

    def test_augment_is_kept_where_it_is_given(self, data: inkstream.Dataset) -> None:
        augment = Augment(rotation=30, jitter=2)
        keywords: dict[str, Any] = {"strokes": Strokes(60)}
        plain = list(evaluation(data, **keywords))
        varied = evaluation(data, augment=augment, **keywords)
        first, second = list(varied), list(varied)
        for a, b, c in zip(plain, first, second, strict=True):
            assert torch.equal(a["index"], b["index"])
            assert not torch.equal(a["image"], b["image"])
            assert not torch.equal(a["strokes"], b["strokes"])
            assert same(b, c)
        stream = data.stream(
            "valid", batch_size=BATCH, image=IMAGE, augment=augment, tail="partial", **keywords
        )
        for b, wanted in zip(first, stream, strict=True):
            assert b["image"].tolist() == wanted.image.tolist()
        for a, b in zip(plain, evaluation(data, augment=None, **keywords), strict=True):
            assert same(a, b)

    @pytest.mark.parametrize("epochs", [2, "forever", 0])
    def test_epochs_are_refused_with_the_way_out(
        self, data: inkstream.Dataset, epochs: Any
    ) -> None:
        with pytest.raises(inkstream.FixRequest, match="iterate as often as you like"):
            evaluation(data, epochs=epochs)
        assert len(of(evaluation(data, epochs=1))) == len(evaluation(data))

    def test_stats_tell_of_the_latest_pass(self, data: inkstream.Dataset) -> None:
        valid = evaluation(data)
        assert valid.stats()["batches"] == 0
        of(valid)
        assert valid.stats()["batches"] == len(valid)
        of(islice(valid, 2))
        assert valid.stats()["batches"] == 2

    def test_its_state_is_its_start(self, data: inkstream.Dataset) -> None:
        valid = evaluation(data)
        start = valid.state_dict()
        assert (start["epoch"], start["position"]) == (0, 0)
        of(islice(valid, 2))
        assert valid.state_dict() == start


class TestTraining:
    def test_a_newer_iter_takes_over_and_the_older_one_says_so(
        self, data: inkstream.Dataset
    ) -> None:
        wanted = of(data.stream("train", batch_size=BATCH, epochs=2))
        train = training(data)
        older = iter(train)
        found = of(islice(older, 3))
        newer = iter(train)
        found += of(islice(newer, 2))
        with pytest.raises(inkstream.Closed, match=r"newer iter\(\).*peek"):
            next(older)
        found += of(newer)
        found += of(train)
        assert found == wanted

    def test_the_line_of_a_notebook_is_told(self, data: inkstream.Dataset) -> None:
        train = training(data)
        with pytest.raises(inkstream.Closed, match="peek"):
            for _ in train:
                next(iter(train))

    def test_an_iterator_at_its_epochs_end_has_ended(self, data: inkstream.Dataset) -> None:
        train = training(data)
        older = iter(train)
        for _ in range(len(train)):
            next(older)
        newer = iter(train)
        next(newer)
        assert next(older, None) is None

    def test_an_iterator_that_is_never_read_moves_nothing(self, data: inkstream.Dataset) -> None:
        train = training(data)
        wanted = of(data.stream("train", batch_size=BATCH))
        assert of(islice(train, 2)) == wanted[:2]
        iter(train)
        assert of(train) == wanted[2:]


class TestPeek:
    def test_it_is_the_next_batch_and_moves_nothing(self, data: inkstream.Dataset) -> None:
        augment = Augment(rotation=30)
        train = training(data, augment=augment)
        wanted = list(
            data.stream("train", batch_size=BATCH, image=IMAGE, augment=augment, epochs=2)
        )
        taken = 0
        for stop in (0, 3, len(train)):
            for _ in islice(train, stop - taken):
                taken += 1
            state = train.state_dict()
            for _ in range(2):
                peeked = train.peek()
                assert peeked["index"].tolist() == wanted[taken].index.tolist()
                assert peeked["image"].tolist() == wanted[taken].image.tolist()
                assert peeked.cursor == wanted[taken].cursor
            assert train.state_dict() == state
        assert of(train) == [batch.index.tolist() for batch in wanted[taken:]]

    def test_it_may_be_called_within_a_loop(self, data: inkstream.Dataset) -> None:
        wanted = of(data.stream("train", batch_size=BATCH, epochs=2))
        train = training(data)
        found = []
        for i, batch in enumerate(train):
            found.append(batch["index"].tolist())
            assert train.peek()["index"].tolist() == wanted[i + 1]
        assert found == wanted[: len(train)]

    def test_in_an_evaluation_it_is_the_first(self, data: inkstream.Dataset) -> None:
        valid = evaluation(data)
        whole = of(valid)
        for _ in islice(valid, 2):
            assert valid.peek()["index"].tolist() == whole[0]

    def test_behind_the_last_epoch_there_is_none(self, data: inkstream.Dataset) -> None:
        train = training(data, epochs=1)
        of(train)
        with pytest.raises(inkstream.FixRequest, match="no batch comes next"):
            train.peek()

    def test_it_leaves_no_stream(self, alone: inkstream.Dataset) -> None:
        valid = evaluation(alone)
        for _ in range(3):
            valid.peek()
        assert all_ended(alone)
