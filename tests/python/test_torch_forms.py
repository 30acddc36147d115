"""Batches in the form that a training loop wants: tuples, transformed, nested, packed, pictures."""

from __future__ import annotations

import io
import threading
from typing import Any, NamedTuple

import inkstream
import pytest
import torch
from inkstream import FixRequest, Image, Strokes
from inkstream.torch import MapDataset, TensorBatch, collate, loader


def test_a_loader_gives_tuples(data: inkstream.Dataset) -> None:
    names = ("image", "label")
    with (
        loader(data, batch_size=64, image=28, seed=2) as plain,
        loader(data, batch_size=64, image=28, seed=2, as_tuple=names) as pairs,
    ):
        assert len(plain) == len(pairs)
        for batch, pair in zip(plain, pairs, strict=True):
            assert isinstance(pair, tuple)
            assert all(torch.equal(batch[n], t) for n, t in zip(names, pair, strict=True))
        assert torch.equal(plain.peek()["label"], pairs.peek()[1])
        assert pairs.state_dict() == plain.state_dict()


def test_a_tuple_is_of_tensors_that_there_are(data: inkstream.Dataset) -> None:
    for names, said in (
        (("image", "label"), r"image=Image\(28\)"),
        (("index", "lable"), "the nearest is 'label'"),
        ((), "empty"),
        ("label", r"\['label'\]"),
    ):
        with pytest.raises(FixRequest, match=said):
            loader(data, as_tuple=names)
    with pytest.raises(FixRequest, match="transform = 3"):
        loader(data, transform=3)  # type: ignore[call-overload]


def test_a_transform_runs_on_the_reading_thread(data: inkstream.Dataset) -> None:
    threads: set[str] = set()

    def doubled(batch: TensorBatch) -> dict[str, Any]:
        threads.add(threading.current_thread().name)
        return {"x": batch["image"].float() * 2, "y": batch["label"], "place": batch.cursor}

    with (
        loader(data, batch_size=64, image=28) as plain,
        loader(data, batch_size=64, image=28, transform=doubled) as made,
    ):
        for batch, given in zip(plain, made, strict=True):
            assert torch.equal(given["x"], batch["image"].float() * 2)
            assert given["place"] == batch.cursor
        state = made.state_dict()
        following = made.peek()
        assert state == plain.state_dict()
    assert threads == {"inkstream-read"}
    with loader(data, batch_size=64, image=28, transform=doubled, start=state) as again:
        assert torch.equal(next(iter(again))["x"], following["x"])
    both = loader(data, batch_size=64, image=28, transform=doubled, as_tuple=("x", "y"))
    with both, loader(data, batch_size=64, image=28) as plain:
        assert torch.equal(next(iter(both))[1], plain.peek()["label"])


def test_what_a_transform_raises_is_raised_by_the_loop(data: inkstream.Dataset) -> None:
    def broken(batch: TensorBatch) -> Any:
        raise ZeroDivisionError("in the transform")

    for made, error, said in (
        (loader(data, transform=broken), ZeroDivisionError, "in the transform"),
        (loader(data, transform=lambda b: b["image"]), inkstream.NotFound, r"image=Image\(28\)"),
        (loader(data, transform=list, as_tuple=["label"]), FixRequest, "return a dict"),
    ):
        with made, pytest.raises(error, match=said):
            next(iter(made))


class Pair(NamedTuple):
    x: torch.Tensor
    y: list[torch.Tensor]


def test_whatever_a_transform_makes_is_moved(data: inkstream.Dataset) -> None:
    def made(batch: TensorBatch) -> Any:
        return {"pair": Pair(batch["label"], [batch["index"]]), "batch": batch, "other": "text"}

    with loader(data, batch_size=8, transform=made, device="meta") as moved:
        given = next(iter(moved))
    pair = given["pair"]
    assert type(pair) is Pair and given["other"] == "text"
    for tensor in (pair.x, pair.y[0], given["batch"]["label"]):
        assert tensor.device.type == "meta"


def test_frameworks_that_skip_get_the_form_too(data: inkstream.Dataset) -> None:
    accelerate = pytest.importorskip("accelerate", reason="Accelerate is not installed")
    with loader(data, batch_size=64, image=28, as_tuple=("image", "label")) as pairs:
        expected = [pair[1].tolist() for pair in pairs][5:]
    with loader(data, batch_size=64, image=28, as_tuple=("image", "label")) as pairs:
        rest = [pair[1].tolist() for pair in accelerate.skip_first_batches(pairs, 5)]
    assert rest == expected


@pytest.mark.parametrize("format", ["stroke3", "stroke5", "points"])
def test_nested_and_packed_have_the_points_and_nothing_else(
    data: inkstream.Dataset, format: Any
) -> None:
    kinds = [Strokes(300, format=format, ragged=ragged) for ragged in (False, True)]
    padded, ragged = (loader(data, batch_size=16, strokes=kind).peek() for kind in kinds)
    token = int(kinds[0].starts_with_token)
    for batch in (padded, ragged, collate([MapDataset(data, strokes=kinds[0])[3]])):
        length = batch["length"] + token
        nested = batch.nested()
        assert nested.is_nested and nested.layout == torch.jagged
        for i, rows in enumerate(nested.unbind()):
            assert rows.shape == (int(length[i]), 5 if format == "stroke5" else 3)
        packed = batch.packed()
        unpacked, sizes = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        assert torch.equal(sizes, length)
        for i, rows in enumerate(nested.unbind()):
            assert torch.equal(unpacked[i, : len(rows)], rows)
    assert torch.equal(padded.nested().values(), ragged["strokes"])
    lstm = torch.nn.LSTM(nested.shape[-1], 4, batch_first=True)
    assert lstm(padded.packed())[1][0].shape == (1, 16, 4)


def test_what_cannot_be_packed_is_told(data: inkstream.Dataset) -> None:
    with pytest.raises(FixRequest, match="no strokes"):
        loader(data, batch_size=4).peek().nested()
    strokes = Strokes(12, too_long="drop")
    batch = loader(data, batch_size=64, strokes=strokes).peek()
    dropped = int((batch["length"] == 0).sum())
    assert 0 < dropped < 64
    assert len(batch.nested().unbind()) == 64
    with pytest.raises(FixRequest, match=rf"{dropped} of 64 drawings have no points.*points"):
        batch.packed()
    tokens = Strokes(12, too_long="drop", start_token=True)
    assert loader(data, batch_size=64, strokes=tokens).peek().packed().batch_sizes[0] == 64


def test_views_are_drawings_of_their_own(data: inkstream.Dataset) -> None:
    augment = inkstream.Augment(point_dropout=0.3)
    batch = loader(data, batch_size=4, strokes=50, views=3, augment=augment).peek()
    lengths = batch["length"].reshape(-1).tolist()
    assert [len(rows) for rows in batch.nested().unbind()] == lengths
    assert len(lengths) == 12


def test_a_tensor_batch_is_shown_as_any(data: inkstream.Dataset) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    for keywords in (
        {"image": 28},
        {"image": Image(28, dtype="bfloat16")},
        {"strokes": Strokes(100)},
    ):
        batch = loader(data, batch_size=6, **keywords).peek()  # type: ignore[call-overload]
        stream = next(data.stream(batch_size=6, **keywords))  # type: ignore[arg-type]
        assert batch.show().tobytes() == stream.show().tobytes()
        png = batch._repr_png_()
        assert png is not None
        with image.open(io.BytesIO(png)) as sheet:
            assert sheet.width > 100
    assert loader(data, batch_size=6).peek()._repr_png_() is None
    columns = loader(data, batch_size=6, columns=["countrycode"]).peek()
    words = next(data.stream(batch_size=6, columns=["countrycode"])).strings("countrycode")
    assert columns.strings("countrycode") == words
