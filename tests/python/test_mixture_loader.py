"""inkstream.torch.loader over a mixture: the rules of one over a dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import FixRequest, Image
from support.processes import Server
from support.ranks import run_ranks
from support.stores import make_store

torch = pytest.importorskip("torch")
from inkstream.torch import MixtureLoader, TensorBatch, loader  # noqa: E402

BATCH = 64
Parts = list[tuple[inkstream.Dataset, Any, float]]


@pytest.fixture(scope="module")
def parts(store: Path, binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    other = make_store(binary, tmp_path_factory.mktemp("second"), 500, seed=3, classes=14)
    with inkstream.open(store) as first, inkstream.open(other) as second:
        yield [(first.dataset(), "train", 3), (second.dataset(), "train", 1)]


def mixed(parts: Parts, **keywords: Any) -> inkstream.Mixture:
    return inkstream.mix(parts, **{"batch_size": BATCH, "image": Image(16), **keywords})


def rows_of(batches: Any) -> list[list[tuple[int, int]]]:
    """(part, index) of each row, by batch."""
    return [[*zip(b["part"].tolist(), b["index"].tolist(), strict=True)] for b in batches]


def test_batches_are_the_mixtures_as_tensors(parts: Parts) -> None:
    train = loader(mixed(parts))
    assert isinstance(train, MixtureLoader)
    batches = [*islice(train, 3)]
    with mixed(parts) as plain:
        for tensors, arrays in zip(batches, plain, strict=False):
            assert isinstance(tensors, TensorBatch)
            assert set(tensors) == set(arrays)
            for name, array in arrays.items():
                assert (tensors[name].numpy() == array).all()
            assert tensors.words() == arrays.words()
        assert train.classes == plain.classes
        assert train.class_to_idx == plain.class_to_idx
    assert train.batch_size == BATCH
    batches[0]["image"].zero_()  # its holder's own
    train.close()


def test_an_epoch_is_as_many_drawings_as_the_parts_have(parts: Parts) -> None:
    train = loader(mixed(parts))
    steps = sum(data.count(view) for data, view, _ in parts) // BATCH
    assert len(train) == steps
    whole = rows_of(islice(mixed(parts), 2 * steps))
    first = [*train]
    assert rows_of(first) == whole[:steps]
    assert [(batch.epoch, batch.step) for batch in first] == [(0, step) for step in range(steps)]
    assert train.epoch == 1, "without another iter()"
    assert len(train) == steps
    second = [*islice(train, 5)]
    assert {batch.epoch for batch in second} == {1}
    assert rows_of(second) + rows_of(train) == whole[steps:]
    train.close()


def test_a_state_goes_on_where_it_was_in_mid_epoch_and_at_its_end(parts: Parts) -> None:
    train = loader(mixed(parts, seed=4))
    steps = len(train)
    assert train.state_dict()["epoch"] == 0
    for taken in (3, steps):
        train.load_state_dict(loader(mixed(parts, seed=4)).state_dict())
        batch = [*islice(train, taken)][-1]
        state = json.loads(json.dumps(train.state_dict()))
        assert state == json.loads(json.dumps(batch.cursor))
        following = rows_of([*train])
        for resumed in (
            loader(mixed(parts, seed=4), start=state),
            loader(mixed(parts, seed=4, start=state)),  # a mixture that goes on itself
        ):
            assert rows_of([*islice(resumed, len(following))]) == following
            resumed.close()
    # Another batch size: the epoch ends where it would have, and nothing is lost or repeated.
    train.load_state_dict(loader(mixed(parts, seed=4)).state_dict())
    [*islice(train, 4)]
    state = train.state_dict()
    seen = {row for batch in rows_of(islice(train, 4)) for row in batch}
    smaller = loader(mixed(parts, seed=4, batch_size=BATCH // 2), start=state)
    again = rows_of(smaller)
    assert {row for batch in again[:8] for row in batch} == seen
    assert len(again) == len(smaller) - 8
    for made in (train, smaller):
        made.close()


def test_a_look_and_an_older_iterator(parts: Parts) -> None:
    train = loader(mixed(parts))
    older = iter(train)
    next(older)
    peeked = train.peek()
    assert rows_of([peeked]) == rows_of([train.peek()]) == rows_of([next(iter(train))])
    with pytest.raises(inkstream.Closed, match="newer"):
        next(older)
    train.close()
    with pytest.raises(inkstream.Closed):
        next(iter(train))


def test_epochs_are_set_as_frameworks_do(parts: Parts) -> None:
    curriculum = [(0, [3, 1]), (20 * BATCH, [1, 1])]
    train = loader(mixed(parts, curriculum=curriculum))
    steps = len(train)
    whole = rows_of(islice(mixed(parts, curriculum=curriculum), 3 * steps))
    train.set_epoch(0)
    [*islice(train, 2)]
    train.set_epoch(2)  # one that is half read is finished first
    assert rows_of(train) == whole[2:steps]
    train.set_epoch(2)
    assert rows_of(train) == whole[2 * steps :]
    fresh = loader(mixed(parts, curriculum=curriculum))
    fresh.batch_sampler.sampler.set_epoch(1)  # Lightning, after a checkpoint at an epoch's end
    assert rows_of(fresh) == whole[steps : 2 * steps]
    rest = torch.utils.data.DataLoader(
        fresh.dataset, batch_sampler=[*fresh.batch_sampler][3:5], collate_fn=inkstream.torch.collate
    )
    assert rows_of(rest) == whole[steps + 3 : steps + 5], "the epoch that was named"
    with pytest.raises(FixRequest, match="have no numbers"):
        fresh.dataset[3]
    for made in (train, fresh):
        made.close()


def test_a_seek_stands_where_reading_would(parts: Parts) -> None:
    """Over epochs of the parts, and a change of weights in which one of them rests."""
    curriculum = [(5 * BATCH, [1, 0]), (11 * BATCH + 1, [1, 3])]
    with mixed(parts, curriculum=curriculum) as read, mixed(parts, curriculum=curriculum) as moved:
        for step in (0, 4, 5, 8, 11, 12, 40):
            moved.seek(step)
            while read.step < step:
                next(read)
            assert moved.weights == read.weights
            assert moved.state_dict() == read.state_dict()
            assert rows_of([next(moved)]) == rows_of([next(read)])


def test_weights_change_from_the_next_batch_on(parts: Parts) -> None:
    train = loader(mixed(parts))
    steps = len(train)
    next(iter(train))
    train.mixture.remix([1, 1])
    assert int(next(iter(train))["part"].sum()) == BATCH // 2
    assert len(train) == steps
    resumed = loader(mixed(parts), start=train.state_dict())
    assert int(next(iter(resumed))["part"].sum()) == BATCH // 2
    for made in (train, resumed):
        made.close()


def test_forms_are_those_of_a_loader(parts: Parts) -> None:
    pairs = loader(mixed(parts), as_tuple=("image", "part"), device="cpu")
    image, part = next(iter(pairs))
    assert image.shape == (BATCH, 1, 16, 16) and part.sum() == BATCH // 4
    means = loader(mixed(parts), transform=lambda batch: batch["image"].float().mean())
    assert float(means.peek()) == pytest.approx(float(image.float().mean()))
    numbers = loader(mixed(parts, image=Image(16, dtype="bfloat16")))
    assert numbers.peek()["image"].dtype == torch.bfloat16
    for made in (pairs, means, numbers):
        made.close()


def test_what_a_mixture_says_itself_is_refused(parts: Parts) -> None:
    with pytest.raises(FixRequest, match="evaluate each part"):
        loader(mixed(parts), train=False)
    for keyword in ("batch_size", "image", "seed", "epochs"):
        with pytest.raises(FixRequest, match=f"no keyword '{keyword}'"):
            loader(mixed(parts), **{keyword: 3})
    with pytest.raises(FixRequest, match="part"):
        loader(mixed(parts), as_tuple=("image", "prat"))
    with pytest.raises(FixRequest, match="fewer than one step"):
        len(loader(mixed(parts, batch_size=5000)))
    with pytest.raises(FixRequest, match="both"):
        loader(mixed(parts), rank=1)


RANK = """
import json, sys
import torch.distributed as dist
import inkstream, inkstream.torch
dist.init_process_group("gloo")
data = inkstream.connect(sys.argv[1]).dataset()
parts = [(data, "train", 3), (data, "valid", 1)]
train = inkstream.torch.loader(inkstream.mix(parts, batch_size=32, seed=4))
epochs = [[b["index"].tolist() for b in train] for _ in range(2)]
print(json.dumps({"epochs": epochs, "len": len(train), "state": train.state_dict()}))
dist.destroy_process_group()
"""


def test_ranks_of_torch_distributed_share_it_out(server: Server, data: inkstream.Dataset) -> None:
    ranks = run_ranks(2, RANK, server.tcp)
    with inkstream.mix([(data, "train", 3), (data, "valid", 1)], batch_size=64, seed=4) as plain:
        steps = (data.count("train") + data.count("valid")) // 64
        whole = [sorted(batch.index.tolist()) for batch in islice(plain, 2 * steps)]
        state = json.loads(json.dumps(plain.state_dict()))
    assert [rank["len"] for rank in ranks] == [steps, steps]
    each = [[batch for epoch in rank["epochs"] for batch in epoch] for rank in ranks]
    assert [sorted(a + b) for a, b in zip(*each, strict=True)] == whole
    for rank in ranks:
        assert rank["state"] == {**state, "epoch": 2, "epoch_position": 0}


def test_a_mixtures_own_rank_stands(parts: Parts) -> None:
    whole = rows_of(islice(mixed(parts), 2))
    own = [loader(mixed(parts, batch_size=32, rank=r, world=2)) for r in range(2)]
    given = [loader(mixed(parts, batch_size=32), rank=r, world=2) for r in range(2)]
    for ranks in (own, given):
        seen = [rows_of(islice(rank, 2)) for rank in ranks]
        assert [sorted(a + b) for a, b in zip(*seen, strict=True)] == [sorted(b) for b in whole]
        for rank in ranks:
            rank.close()
