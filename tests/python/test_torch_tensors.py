"""Stroke tensors, float types and augmentation as torch tensors."""

from __future__ import annotations

from typing import Any

import inkstream
import numpy as np
import pytest
import torch
from inkstream import Augment, Image, Strokes
from inkstream.torch import BatchSampler, MapDataset, collate, loader
from torch.utils.data import DataLoader

AUGMENT = Augment(rotation=30, scale=0.3, jitter=2, point_dropout=0.2)


def ours(array: Any) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(array))
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_loader_gives_what_the_stream_gives(
    data: inkstream.Dataset, dtype: str, ragged: bool
) -> None:
    keywords: dict[str, Any] = {
        "batch_size": 40,
        "image": Image(24, dtype=dtype, mean=0.2, std=0.5),
        "strokes": Strokes(50, ragged=ragged, format="stroke5", dtype="float16"),
        "columns": ["label", "key_id"],
        "augment": AUGMENT,
        "views": 2,
    }
    wanted = next(data.stream("train", **keywords))
    source = loader(data, "train", **keywords)
    found = next(iter(source))
    source.close()
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert torch.equal(found[name], ours(array)), name
    assert found["image"].dtype == getattr(torch, dtype)
    assert found["strokes"].dtype == torch.float16
    assert found["length"].dtype == torch.int64


def test_a_map_dataset_is_augmented_as_the_stream_in_every_epoch(data: inkstream.Dataset) -> None:
    keywords: dict[str, Any] = {"image": Image(20), "augment": AUGMENT, "seed": 5}
    stream = list(data.stream("valid", batch_size=50, epochs=2, **keywords))
    sampler = BatchSampler(data, "valid", batch_size=50, seed=5)
    mapped: Any = DataLoader(
        MapDataset(data, "valid", **keywords), batch_sampler=sampler, collate_fn=collate
    )
    found = [*mapped, *mapped]
    assert len(found) == len(stream)
    for a, b in zip(found, stream, strict=True):
        assert torch.equal(a["index"], ours(b.index))
        assert torch.equal(a["image"], ours(b.image))


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("ragged", [False, True])
def test_single_drawings_are_joined_as_the_batch_has_them(
    data: inkstream.Dataset, ragged: bool, views: int
) -> None:
    dataset = MapDataset(
        data, "train", strokes=Strokes(60, ragged=ragged), augment=AUGMENT, views=views
    )
    joined = collate([dataset[i] for i in range(5)])
    batch = collate(dataset.__getitems__(list(range(5))))
    assert set(joined) == set(batch)
    for name in batch:
        assert torch.equal(joined[name], batch[name]), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_pinned_tensors_have_the_same_values(data: inkstream.Dataset) -> None:
    dataset = MapDataset(data, "train", strokes=Strokes(60, ragged=True))
    batch = collate(dataset.__getitems__([1, 2, 3]))
    pinned = batch.pin_memory()
    assert all(tensor.is_pinned() for tensor in pinned.values())
    assert all(torch.equal(pinned[name], batch[name]) for name in batch)
