"""Strokes scaled as Magenta's sketch-rnn scales them."""

from __future__ import annotations

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Strokes, View


def magentas_figure(strokes: list[np.ndarray], max_seq_length: int) -> float:
    """Of stroke-3 arrays, as `DataLoader.calculate_normalizing_scale_factor` has it."""
    numbers: list[float] = []
    for drawing in strokes:
        if len(drawing) > max_seq_length:
            continue
        for point in drawing:
            numbers += [float(point[0]), float(point[1])]
    return float(np.std(np.array(numbers)))


def drawings_of(data: inkstream.Dataset) -> list[np.ndarray]:
    batch = data.split("train", strokes=Strokes(4096, ragged=True))[:]
    return np.split(batch.strokes, batch.offsets[1:-1])


@pytest.mark.parametrize("max_len", [250, 20])
def test_the_scale_is_magentas(data: inkstream.Dataset, max_len: int) -> None:
    expected = magentas_figure(drawings_of(data), max_len)
    assert data.sketchrnn_scale(max_len) == pytest.approx(expected, rel=1e-12)
    assert data.sketchrnn_scale(max_len) != pytest.approx(data.stats["delta_std"]["train"], 1e-3)


def test_strokes_are_divided_by_it_wherever_they_are_asked_for(data: inkstream.Dataset) -> None:
    asked = Strokes(30, format="stroke5", scale="sketchrnn")
    plain = Strokes(30, format="stroke5", scale=data.sketchrnn_scale(30))
    view = View("valid", max_per_class=2)
    index = data.split(view)[:].index
    expected = data.split(view, strokes=plain)[:].strokes
    ways = {
        "split": data.split(view, strokes=asked)[:].strokes,
        "fetch": data.fetch(index, strokes=asked).strokes,
        "stream": next(data.stream(view, strokes=asked, batch_size=20, shuffle="none")).strokes,
    }
    for way, strokes in ways.items():
        assert (strokes == expected[: len(strokes)]).all(), way
    sample = data.sample(4, view, strokes=asked)
    assert (sample.strokes == data.fetch(sample.index, strokes=plain).strokes).all()
    table = data.table(view, strokes=asked)
    assert (table["strokes"] == data.table(view, strokes=plain)["strokes"]).all()
    with (
        inkstream.mix([(data, view, 1)], batch_size=4, strokes=asked) as mixed,
        data.stream(view, batch_size=4, strokes=plain) as stream,
    ):
        assert (next(mixed).strokes == next(stream).strokes).all()
    assert asked.scale == "sketchrnn", "the value that was given is not changed"
    assert eval(repr(asked), vars(inkstream)) == asked


def test_torch_gets_it_too(data: inkstream.Dataset) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from inkstream.torch import IterableDataset, MapDataset, loader

    asked, plain = (Strokes(30, scale=s) for s in ("sketchrnn", data.sketchrnn_scale(30)))
    expected = loader(data, batch_size=8, strokes=plain).peek()["strokes"]
    assert torch.equal(loader(data, batch_size=8, strokes=asked).peek()["strokes"], expected)
    first = next(iter(IterableDataset(data, batch_size=8, strokes=asked)))
    assert torch.equal(first["strokes"], expected)
    one = MapDataset(data, strokes=asked)[3]["strokes"]
    assert torch.equal(one, MapDataset(data, strokes=plain)[3]["strokes"])


def test_a_scale_needs_drawings_that_are_short_enough(data: inkstream.Dataset) -> None:
    with pytest.raises(FixRequest, match="at most 1 points"):
        data.stream(strokes=Strokes(1, scale="sketchrnn"))
    with pytest.raises(FixRequest, match="sketchrnn"):
        Strokes(scale="sketch")  # type: ignore[arg-type]
