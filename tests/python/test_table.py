"""Data out of a store: columns as arrays, for pandas and Arrow; counts, samples, folds."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Image, NotFound, Strokes, View
from support.processes import run_python

# As Google's files have them; the last has neither country nor time nor key.
DRAWINGS: list[dict[str, Any]] = [
    {
        "word": word,
        "countrycode": country,
        "timestamp": f"2017-03-0{day} 23:25:10.0745{day} UTC",
        "recognized": day % 2 == 0,
        "key_id": str(5_000_000_000_000_000 + number),
        "drawing": [[[0, 10 * day, 20], [0, 5, day]], [[7, 9], [number, 3]]],
    }
    for number, (word, country, day) in enumerate(
        [("cat", "DE", 1), ("owl", "US", 2), ("cat", "US", 3), ("owl", "FR", 4), ("cat", "DE", 5)]
    )
] + [{"word": "ant", "drawing": [[[1, 2], [3, 4]]]}]


@pytest.fixture(scope="module")
def known(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[inkstream.Dataset]:
    """The drawings above, in a store of this process."""
    home = tmp_path_factory.mktemp("known")
    source, store = home / "six.ndjson", home / "six.ink"
    source.write_text("".join(json.dumps(drawing) + "\n" for drawing in DRAWINGS))
    ingest = [str(binary), "ingest", str(source), "--store", str(store), "--split", "train=1"]
    subprocess.run(ingest, check=True, capture_output=True, timeout=60)
    with inkstream.open(store) as client:
        yield client.dataset()


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["key_id"] or 0)


def test_a_table_is_what_was_ingested(known: inkstream.Dataset) -> None:
    table = known.table("train")
    assert list(table) == [
        "index",
        "label",
        "word",
        "countrycode",
        "timestamp",
        "recognized",
        "key_id",
    ]
    assert (table.rows, len(table)) == (6, 7)
    assert table["index"].tolist() == [*range(6)]
    assert sorted(table.strings("word")) == sorted(d["word"] for d in DRAWINGS)
    assert table.strings("label") == table.strings("word")
    assert sorted(table.strings("countrycode")) == ["", "DE", "DE", "FR", "US", "US"]
    for name in ("countrycode", "timestamp", "recognized", "key_id"):
        assert (table[name] == -1).sum() == 1, name
    with pytest.raises(NotFound, match="the nearest is 'countrycode'"):
        table["country"]
    with pytest.raises(ValueError, match="read-only"):
        table["label"][0] = 1


def test_pandas_gets_words_times_and_what_is_missing(known: inkstream.Dataset) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = known.table(strokes=100).to_pandas()
    assert frame.index.name == "index"
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    found = frame.sort_values("key_id", na_position="first").to_dict("records")
    for row, drawing in zip(found, [DRAWINGS[-1], *DRAWINGS[:-1]], strict=True):
        assert row["word"] == drawing["word"]
        assert known.classes[row["label"]] == drawing["word"]
        lifted = row["strokes"][:, 2]
        assert int(lifted.sum()) == len(drawing["drawing"])
        assert len(lifted) == sum(len(stroke[0]) for stroke in drawing["drawing"])
        if "key_id" not in drawing:
            for name in ("key_id", "countrycode", "timestamp", "recognized"):
                assert pandas.isna(row[name]), name
            continue
        assert row["key_id"] == int(drawing["key_id"])
        assert row["countrycode"] == drawing["countrycode"]
        assert row["recognized"] == drawing["recognized"]
        assert row["timestamp"] == pandas.Timestamp(drawing["timestamp"])
    frame["label"] += 1  # a frame of the caller's own


def test_arrow_gets_the_same(known: inkstream.Dataset) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = known.table(strokes=100)
    arrow = table.to_arrow()
    assert arrow.schema.field("timestamp").type == pyarrow.timestamp("us", tz="UTC")
    assert pyarrow.types.is_dictionary(arrow.schema.field("word").type)
    assert arrow.schema.field("recognized").type == pyarrow.bool_()
    frame = table.to_pandas().reset_index()
    for name in ("index", "label", "word", "countrycode", "timestamp", "recognized", "key_id"):
        values = [None if pandas.isna(v) else v for v in frame[name]]
        assert arrow.column(name).to_pylist() == values, name
    assert arrow.column("strokes").to_pylist() == [rows.tolist() for rows in frame["strokes"]]
    arrow.validate(full=True)


def test_a_table_is_of_its_view_and_of_what_was_asked(data: inkstream.Dataset) -> None:
    view = View("train", classes=[data.classes[3], data.classes[1]])
    table = data.table(view, columns=["label"])
    assert list(table) == ["index", "label"]
    assert table.classes == view.classes
    split = data.split(view, columns=["label"])[:]
    assert table["index"].tolist() == split.index.tolist()
    assert table["label"].tolist() == split.label.tolist()
    assert table.strings("label") == split.words()
    none = data.table(View("train", where={"points": (">", 4000)}), columns=["label"])
    assert (none.rows, list(none)) == (0, ["index", "label"])
    with pytest.raises(FixRequest, match="columns"):
        data.table(columns="label")


def test_a_large_table_comes_whole_and_says_how_far_it_is(data: inkstream.Dataset) -> None:
    told: list[tuple[int, int]] = []
    table = data.table("", strokes=Strokes(4), progress=lambda *at: told.append(at))
    assert table.rows == data.drawings == told[-1][0] == told[-1][1]
    parts = data.split("", strokes=Strokes(4, ragged=True))[:]
    assert (table["strokes"] == parts.strokes).all()
    assert (table["offsets"] == parts.offsets).all()


def test_counts_are_those_of_the_labels(data: inkstream.Dataset) -> None:
    everything = Counter(data.table("train", columns=["label"]).strings("label"))
    counts = data.counts("train")
    assert counts == everything
    assert list(counts) == data.classes
    view = View("train", classes=[data.classes[3], data.classes[1]])
    assert list(data.counts(view)) == [data.classes[3], data.classes[1]]
    assert data.counts(view) == {word: everything[word] for word in view.classes or ()}
    empty = data.counts(View("train", where={"points": (">", 4000)}))
    assert set(empty) == set(data.classes) and not any(empty.values())


def test_words_of_other_columns_have_a_key(data: inkstream.Dataset) -> None:
    numbers = data.share("valid", column="countrycode")
    batch = data.split("valid", columns=["countrycode", "word"])[:]
    words = data.vocabulary["countrycode"]
    assert [words[i] for i in numbers] == batch.strings("countrycode")
    assert batch.strings("word") == [data.vocabulary["word"][i] for i in batch.word]
    with pytest.raises(FixRequest, match="the nearest is 'countrycode'"):
        batch.strings("country")
    with pytest.raises(NotFound, match=r'columns=\["label"\]'):
        batch.strings("label")


def test_a_sample_is_what_a_stream_begins_with(data: inkstream.Dataset) -> None:
    for view in ("train", View("train", classes=data.classes[:3])):
        sample = data.sample(20, view, seed=5, epoch=2, image=Image(28))
        with data.stream(view, batch_size=20, seed=5, epochs=3, image=Image(28)) as stream:
            stream.seek(epoch=2)
            batch = next(stream)
        assert (sample.index == batch.index).all()
        assert (sample.image == batch.image).all()
        assert sample.words() == batch.words()
    assert data.sample(2).image.shape == (2, 1, 64, 64)
    assert "image" not in data.sample(2, strokes=10)
    few = View("train", classes=data.classes[:1], max_per_class=3)
    assert sorted(data.sample(100, few).index) == sorted(data.split(few)[:].index)
    with pytest.raises(FixRequest, match="no drawings"):
        data.sample(3, View("train", where={"points": (">", 4000)}))
    with pytest.raises(FixRequest, match="n = 0"):
        data.sample(0)


def test_folds_share_nothing_and_have_every_class(data: inkstream.Dataset) -> None:
    view = View("train", classes=data.classes[:4])
    everything = set(data.split(view)[:].index.tolist())
    counts = data.counts(view)
    folds = data.folds(3, view, seed=1)
    held_out: list[int] = []
    for train, valid in folds:
        inside, outside = (set(data.split(v)[:].index.tolist()) for v in (train, valid))
        assert inside | outside == everything and not inside & outside
        assert train.classes == valid.classes == view.classes
        for word, drawings in data.counts(valid).items():
            assert abs(drawings - counts[word] / 3) < 1, word
        held_out += outside
    assert sorted(held_out) == sorted(everything)
    assert data.folds(3, view, seed=1) == folds != data.folds(3, view, seed=2)
    # Of what a fold keeps, folds again.
    (train, valid), *_ = data.folds(2, folds[0].train)
    assert data.count(train) + data.count(valid) == data.count(folds[0].train)
    assert not set(data.split(valid)[:].index) & set(data.split(folds[0].valid)[:].index)


def test_folds_need_keys(known: inkstream.Dataset) -> None:
    with pytest.raises(FixRequest, match=r"1 of 6 drawings have no key_id.*View\(fold="):
        known.folds(2)
    with pytest.raises(FixRequest, match="only 3 drawings"):
        known.folds(4, View("train", classes=["cat"]))
    with pytest.raises(FixRequest, match="count = 1"):
        known.folds(1)
    train, valid = known.folds(2, View("train", classes=["cat", "owl"]))[0]
    assert known.counts(valid) == {"cat": 2, "owl": 1}
    assert known.counts(train) == {"cat": 1, "owl": 1}


def test_what_is_not_installed_is_named_with_the_line_to_type() -> None:
    program = """
import sys, numpy as np
class Without:
    def __init__(self, finder):
        self._finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "pyarrow", "datasets", "matplotlib", "PIL"):
            return None
        return self._finder.find_spec(name, path, target)
sys.meta_path[:] = map(Without, sys.meta_path)
import inkstream
batch = inkstream.Batch({"index": np.arange(2), "image": np.zeros((2, 1, 8, 8), np.uint8)}, None)
table = inkstream.Table(batch, [])
for do in (table.to_pandas, table.to_arrow, batch.show, lambda: inkstream.plot):
    try:
        do()
    except ModuleNotFoundError as error:
        print(error)
assert batch._repr_png_() is None
"""
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    named = [line.rpartition(": ")[2] for line in done.stdout.splitlines()]
    extras = ("pandas", "arrow", "cli", "plot")
    assert named == [f"pip install 'inkstream[{extra}]'" for extra in extras]


def test_hugging_face_gets_images_and_class_labels(known: inkstream.Dataset) -> None:
    datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")
    view = View("train", classes=["owl", "cat"])
    columns = ["label", "word", "timestamp", "recognized", "key_id"]
    found = known.to_hf(view, image=28, columns=columns)
    assert found.features["label"] == datasets.ClassLabel(names=["owl", "cat"])
    assert isinstance(found.features["image"], datasets.Image)
    split = known.split(view, image=28)[:]
    assert list(found["index"]) == split.index.tolist()
    for row, pixels, word in zip(found, split.image, split.words(), strict=True):
        assert (np.asarray(row["image"]) == pixels[0]).all()
        assert found.features["label"].int2str(row["label"]) == word == row["word"]
    assert list(known.to_hf(columns=["timestamp"])["timestamp"]).count(None) == 1


def test_pictures_of_hugging_face_are_those_that_a_png_has(known: inkstream.Dataset) -> None:
    for image in (Image(28, dtype="float32"), Image(28, channels=["ink", "order"])):
        with pytest.raises(FixRequest, match="PNG"):
            known.to_hf(image=image)
