"""Every kind of tensor through the real server: what arrives is what was asked for."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Sequence
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import Augment, FixRequest, Image, Strokes
from inkstream._batch.polylines import to_polylines
from inkstream.v1 import service_pb2
from support.processes import Server

AUGMENT = Augment(
    rotation=20,
    scale=0.2,
    scale_x=0.1,
    shear=0.1,
    translate_x=12,
    translate_y=(-3, 20),
    flip_x=0.5,
    stroke_dropout=0.1,
    stroke_reorder=0.3,
    point_dropout=0.1,
    jitter=1.5,
    line_width=0.4,
)


def all_of(stream: inkstream.Stream) -> dict[int, dict[str, bytes]]:
    """The bytes of every drawing's image and strokes, by index; each valid drawing once."""
    found: dict[int, dict[str, bytes]] = {}
    with stream:
        for batch in stream:
            for i in np.flatnonzero(batch.valid):
                row = batch.row(int(i))
                index = int(row["index"])
                assert index not in found
                found[index] = {
                    name: row[name].tobytes()
                    for name in ("image", "strokes", "length")
                    if name in row
                }
    return found


def rows_of(strokes: Sequence[np.ndarray], format: str) -> np.ndarray:
    """What `to_polylines` was given: no start token, no padding."""
    xy = np.concatenate(strokes)
    if format != "points":
        xy = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.float32))
    lifted = np.zeros(len(xy), np.float32)
    lifted[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1
    pen = [1 - lifted, lifted, 0 * lifted] if format == "stroke5" else [lifted]
    return np.column_stack([xy, *pen])


@pytest.mark.parametrize("format", ["stroke3", "stroke5", "points"])
@pytest.mark.parametrize("start", [None, True, False])
def test_strokes_go_round_through_polylines(
    data: inkstream.Dataset, format: str, start: bool | None
) -> None:
    strokes = Strokes(400, format=format, start_token=start)
    batch = next(data.stream("train", batch_size=64, strokes=strokes, image=Image(32)))
    columns = 5 if format == "stroke5" else 3
    token = int(strokes.starts_with_token)
    assert batch.strokes.shape == (64, 400 + token, columns)
    assert batch.strokes.dtype == np.float32
    assert batch.length.dtype == np.int64
    for i in range(64):
        length = int(batch.length[i])
        rows = batch.strokes[i, token : token + length]
        again = rows_of(batch.polylines(i), format)
        np.testing.assert_array_equal(again, rows)
        padding = batch.strokes[i, token + length :]
        assert np.all(padding[:, -1] == (1 if format == "stroke5" else 0))
        assert np.all(padding[:, :-1] == 0)


def test_strokes_are_those_that_inspection_shows(data: inkstream.Dataset) -> None:
    batch = data.fetch(index=[3, 5], strokes=Strokes(400, format="points"))
    for i, index in enumerate([3, 5]):
        request = service_pb2.InspectDrawingRequest(dataset=data.name, index=index)
        shown = data.client._connection.call(
            "InspectDrawing", request, service_pb2.InspectDrawingResponse
        )
        lines = batch.polylines(i)
        assert len(lines) == len(shown.drawing)
        for line, stroke in zip(lines, shown.drawing, strict=True):
            np.testing.assert_array_equal(line, np.stack([stroke.x, stroke.y], axis=1))


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("format", ["stroke3", "stroke5"])
def test_ragged_strokes_are_the_padded_ones_without_padding(
    data: inkstream.Dataset, format: str, views: int
) -> None:
    keywords = {"batch_size": 50, "augment": AUGMENT, "views": views}
    padded = next(data.stream("train", strokes=Strokes(60, format=format), **keywords))
    ragged = next(data.stream("train", strokes=Strokes(60, format=format, ragged=True), **keywords))
    token = int(format == "stroke5")
    assert ragged.offsets.dtype == np.int64
    assert ragged.offsets.shape == (50 * views + 1,)
    assert ragged.strokes.shape == (ragged.offsets[-1], padded.strokes.shape[-1])
    flat = padded.strokes.reshape(50 * views, -1, padded.strokes.shape[-1])
    lengths = padded.length.reshape(-1)
    np.testing.assert_array_equal(ragged.length, padded.length)
    np.testing.assert_array_equal(np.diff(ragged.offsets), lengths + token)
    for k in range(50 * views):
        rows = ragged.strokes[ragged.offsets[k] : ragged.offsets[k + 1]]
        np.testing.assert_array_equal(rows, flat[k, : lengths[k] + token])
    for i, view in itertools.product(range(0, 50, 7), range(views)):
        for a, b in zip(ragged.polylines(i, view), padded.polylines(i, view), strict=True):
            np.testing.assert_array_equal(a, b)
    row = ragged.row(7)
    np.testing.assert_array_equal(
        row.strokes, ragged.strokes[slice(*ragged.offsets[[7 * views, 8 * views]])]
    )
    assert row.offsets[0] == 0


def test_scales_divide(data: inkstream.Dataset) -> None:
    index = [1, 2, 3]
    plain = data.fetch(index=index, strokes=Strokes(200)).strokes
    std = data.stats["delta_std"]["train"]
    for scale, divisor in [("unit", 255.0), (12.5, 12.5), ("dataset", std)]:
        scaled = data.fetch(index=index, strokes=Strokes(200, scale=scale)).strokes
        np.testing.assert_allclose(scaled[..., :2] * divisor, plain[..., :2], atol=1e-3)
        np.testing.assert_array_equal(scaled[..., 2], plain[..., 2])


def test_the_scale_of_the_dataset_is_that_of_the_training_split(data: inkstream.Dataset) -> None:
    offsets = []
    for batch in data.stream("train", batch_size=100, strokes=Strokes(1000), tail="partial"):
        for i in range(len(batch.index)):
            offsets.append(batch.strokes[i, 1 : batch.length[i], :2])
    assert np.concatenate(offsets).std() == pytest.approx(
        data.stats["delta_std"]["train"], rel=1e-4
    )


def test_too_long_drawings_are_cut_dropped_or_refused(data: inkstream.Dataset) -> None:
    whole = data.fetch(index=range(200), strokes=Strokes(400))
    limit = int(np.median(whole.length))
    cut = data.fetch(index=range(200), strokes=Strokes(limit))
    np.testing.assert_array_equal(cut.length, np.minimum(whole.length, limit))
    np.testing.assert_array_equal(cut.strokes, whole.strokes[:, :limit])
    kept = data.fetch(index=range(200), strokes=Strokes(limit, too_long="drop"))
    fits = whole.length <= limit
    np.testing.assert_array_equal(kept.valid, fits)
    np.testing.assert_array_equal(kept.length, np.where(fits, whole.length, 0))
    np.testing.assert_array_equal(kept.strokes[fits], cut.strokes[fits])
    assert not kept.strokes[~fits].any()
    with pytest.raises(FixRequest, match=rf"drawing \d+ is too long.*max_len is {limit}"):
        data.fetch(index=range(200), strokes=Strokes(limit, too_long="error"))


def test_dropped_rows_stay_so_that_ranks_keep_in_step(data: inkstream.Dataset) -> None:
    steps = []
    for rank in range(2):
        stream = data.stream(
            "train", batch_size=40, rank=rank, world=2, strokes=Strokes(30, too_long="drop")
        )
        batches = list(stream)
        assert all(len(b.index) == 40 for b in batches)
        steps.append([b.cursor["position"] for b in batches])
    assert steps[0] == steps[1]


def test_prefix_and_resampling(data: inkstream.Dataset) -> None:
    whole = data.fetch(index=range(20), strokes=Strokes(400, format="points"))
    half = data.fetch(index=range(20), strokes=Strokes(400, format="points", prefix=0.5))
    np.testing.assert_array_equal(half.length, -(-whole.length // 2))
    for i in range(20):
        np.testing.assert_array_equal(
            half.strokes[i, : half.length[i], :2], whole.strokes[i, : half.length[i], :2]
        )
    fine = data.fetch(index=range(20), strokes=Strokes(4000, format="points", resample=2))
    for i in range(20):
        for line in fine.polylines(i):
            gaps = np.linalg.norm(np.diff(line, axis=0), axis=1)
            assert np.all(gaps <= 2.001)


@pytest.mark.parametrize("channels", [1, ["ink", "order", "direction", "constant"]])
def test_floats_are_what_the_formula_says(data: inkstream.Dataset, channels: object) -> None:
    index = range(40)
    pixels = data.fetch(index=index, image=Image(28, channels=channels)).image  # type: ignore[arg-type]
    count = pixels.shape[1]
    mean = [0.1 * (c + 1) for c in range(count)]
    std = [0.2 * (c + 1) for c in range(count)]
    shape = (1, count, 1, 1)
    exact = (pixels.astype(np.float32) / np.float32(255)) - np.array(mean, np.float32).reshape(
        shape
    )
    exact = exact / np.array(std, np.float32).reshape(shape)
    for dtype in ("float32", "float16", "bfloat16"):
        image = Image(28, channels=channels, dtype=dtype, mean=mean, std=std)  # type: ignore[arg-type]
        batch = data.fetch(index=index, image=image)
        found = batch.float32("image")
        if dtype == "float32":
            np.testing.assert_array_equal(batch.image, exact)
        elif dtype == "float16":
            assert batch.image.dtype == np.float16
            np.testing.assert_array_equal(found, exact.astype(np.float16).astype(np.float32))
        else:
            assert batch.image.dtype == np.uint16
            np.testing.assert_allclose(found, exact, rtol=2**-8)
        nhwc = Image(28, channels=channels, dtype=dtype, mean=mean, std=std, layout="NHWC")  # type: ignore[arg-type]
        np.testing.assert_array_equal(
            data.fetch(index=index, image=nhwc).image.transpose(0, 3, 1, 2), batch.image
        )


def test_views_differ_and_every_replay_is_the_same(data: inkstream.Dataset) -> None:
    keywords = {
        "image": Image(24, 32),
        "strokes": Strokes(100, format="stroke5"),
        "augment": AUGMENT,
        "views": 2,
        "epochs": 1,
        "seed": 7,
    }
    first = next(data.stream("train", batch_size=32, **keywords))
    assert first.image.shape == (32, 2, 1, 24, 32)
    assert first.strokes.shape == (32, 2, 101, 5)
    assert first.length.shape == (32, 2)
    assert all((first.image[i, 0] != first.image[i, 1]).any() for i in range(32))
    again = next(data.stream("train", batch_size=32, **keywords))
    for name in ("image", "strokes", "length"):
        np.testing.assert_array_equal(first[name], again[name])


def test_augmentation_is_independent_of_batch_world_and_rank(data: inkstream.Dataset) -> None:
    keywords = {
        "image": Image(20),
        "strokes": Strokes(100),
        "augment": AUGMENT,
        "tail": "pad",
        "seed": 3,
    }
    one = all_of(data.stream("valid", batch_size=50, **keywords))
    parts: dict[int, dict[str, bytes]] = {}
    for rank in range(3):
        parts |= all_of(data.stream("valid", batch_size=7, world=3, rank=rank, **keywords))
    assert parts == one


def test_each_epoch_and_each_seed_augments_anew(data: inkstream.Dataset) -> None:
    image = {"image": Image(28), "augment": AUGMENT, "shuffle": "none", "batch_size": 20}
    epochs = list(data.stream("valid", epochs=2, **image))
    half = len(epochs) // 2
    assert (epochs[0].index == epochs[half].index).all()
    changed = (epochs[0].image != epochs[half].image).any(axis=(1, 2, 3))
    assert changed.all()
    other = next(data.stream("valid", seed=1, **image))
    assert (other.image != epochs[0].image).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("views", [1, 2])
def test_fetching_gives_what_the_stream_gave(data: inkstream.Dataset, views: int) -> None:
    keywords = {
        "image": Image(28),
        "strokes": Strokes(80, ragged=True),
        "augment": AUGMENT,
        "views": views,
        "seed": 11,
    }
    *_, last = data.stream("valid", batch_size=64, epochs=3, **keywords)
    assert last.epoch == 2
    fetched = data.fetch(index=last.index, epoch=last.epoch, **keywords)
    for name in ("index", "image", "strokes", "offsets", "length", "label"):
        np.testing.assert_array_equal(fetched[name], last[name])
    split = data.split("valid", epoch=2, **keywords)
    ranks = {int(i): r for r, i in enumerate(data.split("valid")[:].index)}
    by_rank = split[[ranks[int(i)] for i in last.index]]
    np.testing.assert_array_equal(by_rank.image, last.image)
    if views == 2:
        keywords["views"] = 1
        second = data.fetch(index=last.index, epoch=2, first_view=1, **keywords)
        np.testing.assert_array_equal(second.image, last.image[:, 1])


def test_image_and_strokes_of_a_view_are_of_the_same_copy(data: inkstream.Dataset) -> None:
    """A flip and a shift seen in the strokes are seen in the pixels."""
    plain = data.fetch(index=[4], image=Image(64), strokes=Strokes(400, format="points"))
    moved = data.fetch(
        index=[4],
        image=Image(64),
        strokes=Strokes(400, format="points"),
        augment=Augment(translate_x=(30.4, 30.4)),
    )
    np.testing.assert_allclose(
        moved.strokes[0, : moved.length[0], 0] - plain.strokes[0, : plain.length[0], 0],
        30.4,
        rtol=1e-5,
    )
    # 304 units span 64 pixels: 6.4 pixels; the frame is that of the drawing as it was.
    weight = np.arange(64)
    centre = [(b.image[0, 0] * weight).sum() / b.image[0, 0].sum() for b in (plain, moved)]
    if not moved.image[0, 0, :, -1].any():
        assert centre[1] - centre[0] == pytest.approx(6.4, abs=0.3)


def test_flipping_twice_is_the_identity(data: inkstream.Dataset) -> None:
    index = range(30)
    plain = data.fetch(index=index, strokes=Strokes(400, format="points"))
    flipped = data.fetch(
        index=index, strokes=Strokes(400, format="points"), augment=Augment(flip_x=1)
    )
    for i in range(30):
        x = plain.strokes[i, : plain.length[i], 0]
        mirrored = flipped.strokes[i, : plain.length[i], 0]
        np.testing.assert_allclose(x.min() + x.max() - mirrored, x, atol=1e-4)


def test_no_augmentation_is_the_drawing_as_it_is(data: inkstream.Dataset) -> None:
    plain = data.fetch(index=range(30), image=Image(28))
    same = data.fetch(index=range(30), image=Image(28), augment=Augment(), views=2)
    for view in range(2):
        np.testing.assert_array_equal(same.image[:, view], plain.image)


def test_what_is_offered_is_described(data: inkstream.Dataset) -> None:
    stats = data.stats
    assert stats["tensors"] == ["image", "strokes"]
    assert stats["image_dtypes"] == ["uint8", "float16", "bfloat16", "float32"]
    assert set(stats["channels"]) == {"ink", "order", "direction", "constant"}
    assert stats["limits"]["max_stroke_len"] == 4096
    assert stats["limits"]["max_views"] == 16
    assert set(stats["delta_std"]) == set(data.splits)


def test_polylines_of_nothing() -> None:
    for format in ("stroke3", "stroke5", "points"):
        assert to_polylines(np.zeros((0, 5)), format) == []


def test_columns_are_int64_and_say_what_they_count(data: inkstream.Dataset) -> None:
    names = ["label", "word", "countrycode", "timestamp", "recognized", "key_id", "index"]
    batch = next(data.stream("train", batch_size=100, columns=names))
    assert set(batch) == {*names, "valid"}
    assert all(batch[name].dtype == np.int64 for name in names)
    assert batch.valid.dtype == np.bool_
    words = [batch.vocabulary["word"][i] for i in batch.word]
    assert words == batch.words()
    assert set(batch.recognized) <= {0, 1}
    assert all(code.isupper() for code in batch.vocabulary["countrycode"])


def test_what_is_missing_is_minus_one_and_an_unlabelled_drawing_ignore_index(
    binary: Path, tmp_path: Path
) -> None:
    """A file of drawings without a word, a country or a time."""
    source = tmp_path / "bare.ndjson"
    source.write_text(
        '{"drawing": [[[0, 255], [0, 255]]]}\n' * 3
        + '{"word": "cat", "drawing": [[[0, 9], [0, 9]]]}\n'
    )
    subprocess.run(
        [binary, "ingest", source, "--store", tmp_path / "s.ink"], check=True, capture_output=True
    )
    names = ["label", "word", "countrycode", "timestamp", "recognized", "key_id"]
    with (
        Server(binary, tmp_path / "s.ink", tmp_path) as server,
        inkstream.connect(server.tcp) as client,
    ):
        bare = client.dataset()
        batch = bare.fetch(index=[0, 3], columns=names)
        assert batch.label.tolist() == [-100, 0]
        assert bare.fetch(index=[0], columns=names, ignore_index=255).label.tolist() == [255]
        for name in names[1:]:
            assert batch[name][0] == -1
        assert batch.words() == ["", "cat"]


def test_sheets_show_images_in_colour_views_and_strokes(data: inkstream.Dataset) -> None:
    pytest.importorskip("PIL")
    colour = data.fetch(index=range(9), image=Image(32, channels=["ink", "order", "direction"]))
    assert colour.show().mode == "RGB"
    one = data.fetch(index=range(9), image=Image(32, dtype="bfloat16"))
    two = data.fetch(index=range(9), image=Image(32, dtype="bfloat16"), views=2, augment=AUGMENT)
    assert two.show().size[0] > one.show().size[0]
    for strokes in (Strokes(200), Strokes(200, format="stroke5", ragged=True)):
        for views in (1, 2):
            batch = data.fetch(index=range(5), strokes=strokes, views=views)
            assert np.asarray(batch.show()).min() < 100
            assert np.asarray(batch.row(2).show()).min() < 100
    with pytest.raises(FixRequest, match="no images or strokes"):
        data.fetch(index=[1]).show()
