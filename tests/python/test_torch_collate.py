"""Every way in which torch gets to drawings of a MapDataset ends in batches."""

from __future__ import annotations

from itertools import islice
from typing import Any

import inkstream
import pytest
import torch
from inkstream import Augment, Image, Strokes
from inkstream.torch import BatchSampler, IterableDataset, MapDataset, TensorBatch, collate
from torch.utils.data import BatchSampler as TorchBatchSampler
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

IMAGE = Image(20)
ROWS = 12


@pytest.fixture(params=[False, True], ids=["padded", "ragged"])
def mapped(data: inkstream.Dataset, request: pytest.FixtureRequest) -> MapDataset:
    return MapDataset(data, "train", image=IMAGE, strokes=Strokes(60, ragged=request.param))


class Wrapped(Dataset[Any]):
    """Somebody's own dataset around ours, drawing by drawing."""

    def __init__(self, inner: MapDataset) -> None:
        self.inner = inner

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, i: int) -> tuple[TensorBatch, int]:
        return self.inner[i], i


def halves(mapped: MapDataset) -> list[Any]:
    return list(random_split(mapped, [0.5, 0.5], torch.Generator().manual_seed(1)))


ways = {
    "plain": lambda d: d,
    "Subset": lambda d: Subset(d, range(5, 40)),
    "Subset of a Subset": lambda d: Subset(Subset(d, range(5, 40)), range(3, 30)),
    "random_split": lambda d: halves(d)[0],
    "ConcatDataset": lambda d: ConcatDataset([d, d]),
    "ConcatDataset of halves": lambda d: ConcatDataset(halves(d)),
}


@pytest.mark.parametrize("given", [False, True], ids=["by default", "collate_fn=collate"])
@pytest.mark.parametrize("way", ways)
def test_drawings_are_joined_with_and_without_a_collate_fn(
    mapped: MapDataset, way: str, given: bool
) -> None:
    dataset = ways[way](mapped)
    keywords: dict[str, Any] = {"collate_fn": collate} if given else {}
    found = next(iter(DataLoader(dataset, batch_size=ROWS, **keywords)))
    assert isinstance(found, TensorBatch)
    wanted = collate([dataset[i] for i in range(ROWS)])
    assert set(found) == set(wanted)
    for name in wanted:
        assert torch.equal(found[name], wanted[name]), name
    assert found["image"].shape == (ROWS, 1, 20, 20)
    assert list(found.classes) == mapped.split.dataset.classes
    assert found.words() == [dataset[i].words()[0] for i in range(ROWS)]


@pytest.mark.parametrize("workers", [0, 2])
def test_samplers_and_workers(mapped: MapDataset, workers: int) -> None:
    weights = WeightedRandomSampler(
        [1.0] * len(mapped), 50, generator=torch.Generator().manual_seed(3)
    )
    drawn = list(weights)
    weights.generator.manual_seed(3)
    loader: Any = DataLoader(mapped, batch_size=ROWS, sampler=weights, num_workers=workers)
    found = list(loader)
    assert [len(batch["index"]) for batch in found] == [ROWS] * 4 + [2]
    wanted = mapped.split[drawn].index.tolist()
    assert torch.cat([batch["index"] for batch in found]).tolist() == wanted


def test_a_ready_batch_is_not_taken_apart(
    data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    row = TensorBatch.row
    monkeypatch.setattr(TensorBatch, "row", lambda self, i: looked_at.append(i) or row(self, i))
    mapped = MapDataset(data, "train", image=IMAGE)
    next(iter(DataLoader(mapped, batch_size=ROWS)))
    assert looked_at == [0]  # to find out of what type it is
    next(iter(DataLoader(mapped, batch_size=ROWS, collate_fn=collate)))
    assert looked_at == [0]


def test_a_batch_sampler_given_as_sampler_makes_batches(data: inkstream.Dataset) -> None:
    """torch's own recipe for datasets that take a list: batch_size=None."""
    mapped = MapDataset(data, "train", image=IMAGE)
    ours = BatchSampler(mapped, batch_size=50)
    theirs = TorchBatchSampler(SequentialSampler(mapped), 50, drop_last=True)
    wanted = list(data.stream("train", batch_size=50))
    found: Any = list(DataLoader(mapped, batch_size=None, sampler=ours))
    assert [b["index"].tolist() for b in found] == [b.index.tolist() for b in wanted]
    assert [b.cursor for b in found] == [b.cursor for b in wanted]
    first: Any = next(iter(DataLoader(mapped, batch_size=None, sampler=theirs)))
    assert first["index"].tolist() == mapped.split[range(50)].index.tolist()


def test_drawings_are_augmented_by_the_samplers_seed(data: inkstream.Dataset) -> None:
    augment = Augment(rotation=30)
    mapped = MapDataset(data, "train", image=IMAGE, augment=augment, seed=9)
    keywords = {"batch_size": ROWS, "seed": 3, "image": IMAGE, "augment": augment}
    wanted = list(islice(data.stream("train", **keywords), 3))
    sampler = BatchSampler(mapped, batch_size=ROWS)
    sampler.load_state_dict(wanted[0].cursor)
    found = list(islice(DataLoader(mapped, batch_sampler=sampler), 2))
    for one, other in zip(found, wanted[1:], strict=True):
        assert one["index"].tolist() == other.index.tolist()
        assert one["image"].tolist() == other.image.tolist()


def test_a_wrapper_of_somebodys_own(mapped: MapDataset) -> None:
    batch, numbers = next(iter(DataLoader(Wrapped(mapped), batch_size=5)))
    assert numbers.tolist() == list(range(5))
    assert torch.equal(batch["index"], collate([mapped[i] for i in range(5)])["index"])


def test_what_getitems_gives_is_a_list_of_drawings_and_a_batch(mapped: MapDataset) -> None:
    rows = mapped.__getitems__([7, 3, 7])
    assert len(rows) == 3
    for row, rank in zip(rows, [7, 3, 7], strict=True):
        one = mapped[rank]
        assert set(row) == set(one)
        assert all(torch.equal(row[name], one[name]) for name in one)
        assert row.words() == one.words()
    assert torch.equal(rows["image"], collate(rows)["image"])
    assert [r["index"].item() for r in rows[1:]] == rows["index"].tolist()[1:]
    assert torch.equal(rows[-1]["index"], rows[2]["index"])
    with pytest.raises(IndexError):
        rows[3]


def test_padding_of_a_sampler_is_told_in_rows_too(data: inkstream.Dataset) -> None:
    mapped = MapDataset(data, "valid")
    size = len(mapped)
    sampler = BatchSampler(mapped, batch_size=size - 1, tail="pad")
    *_, last = (mapped.__getitems__(ranks) for ranks in sampler)
    assert [bool(row["valid"]) for row in last] == [True] + [False] * (size - 2)


def test_a_hugging_face_collator_finds_drawings(data: inkstream.Dataset) -> None:
    """What transformers' default_data_collator does, drawing by drawing."""

    def their_collator(features: Any) -> dict[str, torch.Tensor]:
        first = features[0]
        batch = {"labels": torch.tensor([f["label"] for f in features])}
        batch |= {k: torch.stack([f[k] for f in features]) for k in first if k != "label"}
        return batch

    mapped = MapDataset(data, "train", image=IMAGE)
    found = next(iter(DataLoader(mapped, batch_size=8, collate_fn=their_collator)))
    wanted = mapped.split[range(8)]
    assert found["labels"].tolist() == wanted.label.tolist()
    assert found["image"].numpy().tolist() == wanted.image.tolist()


def test_ready_batches_are_not_joined(data: inkstream.Dataset) -> None:
    dataset = IterableDataset(data, "train", batch_size=10, image=IMAGE)
    with pytest.raises(inkstream.FixRequest, match="batch_size=None"):
        next(iter(DataLoader(dataset, batch_size=8)))
    with pytest.raises(inkstream.FixRequest, match="batch_size=None"):
        next(iter(DataLoader(dataset, batch_size=8, collate_fn=collate)))
    # torch's default batch_size, and the only one of the Trainer's that can be right.
    assert next(iter(DataLoader(dataset)))["image"].shape == (10, 1, 20, 20)


def test_a_batch_taken_for_a_list_says_what_to_do(data: inkstream.Dataset) -> None:
    batch = collate(MapDataset(data, "train", image=IMAGE).__getitems__([1, 2]))
    with pytest.raises(KeyError, match=r"collate_fn=inkstream\.torch\.collate"):
        batch[0]
    with pytest.raises(inkstream.NotFound, match=r"no tensor 'strokes'.*'image'"):
        batch["strokes"]
    assert batch.get("strokes") is None
    assert "strokes" not in batch


def test_default_collate_of_ready_rows_elsewhere(mapped: MapDataset) -> None:
    one, two = mapped.__getitems__([1, 2]), mapped.__getitems__([3, 4])
    pair = default_collate([(one[0], 5), (two[1], 6)])
    assert pair[0]["index"].tolist() == [int(one[0]["index"]), int(two[1]["index"])]
    assert pair[1].tolist() == [5, 6]
