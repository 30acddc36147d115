"""What an interactive session shows of batches, splits, datasets and plans, and offers."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Augment, FixRequest, Image, NotFound, Strokes, View
from support.processes import Server


def label_of(found: Any, word: str) -> int:
    assert found.classes[found.class_to_idx[word]] == word
    label: int = found.class_to_idx[word]
    return label


def test_labels_are_the_same_by_whichever_way_one_comes(data: inkstream.Dataset) -> None:
    words = [data.classes[7], data.classes[2]]
    for view in (View("train", classes=words), View("train"), View("train[:10%]")):
        with data.stream(view, batch_size=20) as stream:
            batch = next(stream)
        split = data.split(view)
        again = data.fetch(batch.index, view=view)
        assert again.label.tolist() == batch.label.tolist()
        rows = split[:5]
        for found in (stream, batch, split, again, rows, split[0]):
            counted = words if view.classes else data.classes
            assert list(found.classes) == counted
            assert [label_of(found, word) for word in counted] == [*range(len(counted))]
        inspected = [data.inspect(int(index)).splitlines()[0] for index in batch.index]
        for line, label in zip(inspected, batch.label, strict=True):
            assert line.endswith(f": {stream.classes[label]}")
    outside = data.fetch(data.split("train")[:].index, view=View(classes=words))
    assert set(np.unique(outside.label)) == {-100, 0, 1}


def test_words_come_by_label_or_by_word(data: inkstream.Dataset) -> None:
    by_label, by_word = (data.fetch(range(30), columns=[c]) for c in ("label", "word"))
    assert by_word.words() == by_label.words()
    assert all(by_word.words())
    with pytest.raises(NotFound, match=r'columns=\["label"\]'):
        data.fetch([1], columns=[]).words()


def test_a_batch_is_not_taken_for_an_array(data: inkstream.Dataset) -> None:
    batch = data.fetch(range(5), image=28)
    assert batch.rows == 5
    for take in (np.asarray, np.array, np.stack, np.mean):
        with pytest.raises(TypeError, match=r"batch\['image'\]"):
            take([batch, batch] if take is np.stack else batch)  # type: ignore[operator]
    with pytest.raises(TypeError, match=r"batch\['index'\]"):
        np.asarray(data.fetch([1]))


def test_a_tensor_that_is_not_there_is_named_with_its_keyword(data: inkstream.Dataset) -> None:
    batch = data.fetch([1])
    for name, keyword in (
        ("image", r"image=Image\(28\)"),
        ("strokes", r"strokes=Strokes\(250\)"),
        ("offsets", "ragged=True"),
        ("key_id", r'columns=\["key_id"\]'),
        ("lable", "the nearest is 'label'"),
        (0, r"batch.row\(i\)"),
    ):
        with pytest.raises(NotFound, match=keyword):
            batch[name]  # type: ignore[index]
        assert name not in batch
    with pytest.raises(AttributeError, match=r"image=Image\(28\)"):
        _ = batch.image
    assert not hasattr(batch, "image")


def test_keys_are_completed(data: inkstream.Dataset) -> None:
    assert data._ipython_key_completions_() == ["train", "valid"]
    batch = data.fetch([1])
    assert batch._ipython_key_completions_() == list(batch)
    offered = {name for name in dir(data) if not name.startswith("_")}
    assert "describe" not in offered
    assert {"classes", "class_to_idx", "fetch", "stream"} <= offered


def test_reprs_are_what_one_would_type(data: inkstream.Dataset) -> None:
    specs = [
        View(),
        View("train"),
        View("train", classes=("car", "bus"), fold=(0, 5)),
        View(where={"recognized": True}, fraction=0.5),
        Image(28),
        Image(28, 36, dtype="float32", mean=0.5, std=0.25),
        Strokes(),
        Strokes(100, format="stroke5"),
        Augment(rotation=10.0, scale=(0.5, 2.0)),
    ]
    for spec in specs:
        assert eval(repr(spec), vars(inkstream)) == spec
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert hash(pickle.loads(pickle.dumps(spec))) == hash(spec)
    assert repr(View("train")) == "View('train')"
    assert repr(Image(28)) == "Image(28)"
    assert repr(data.split("train")) == "Split('quickdraw', View('train'))"
    report = data.plan("train", steps=2)
    for shown in (repr(report), repr(report.steps[0])):
        assert len(shown) < 200
        assert "array" not in shown
        assert "order_plan" not in shown
    assert "1,575 drawings" in repr(report)


def test_datasets_and_views_are_keys(data: inkstream.Dataset, server: Server) -> None:
    calls = []

    @functools.lru_cache
    def count(data: inkstream.Dataset, view: View) -> int:
        calls.append(view)
        return data.count(view)

    other = inkstream.connect(server.unix).dataset()
    sent = pickle.loads(pickle.dumps(data))
    assert data == other == sent
    for each in (data, other, sent):
        assert count(each, View("train", classes=data.classes[:2])) > 0
    assert len(calls) == 1
    assert data != inkstream.Dataset(**{**data.__dict__, "fingerprint": "0" * 64})


JAX = """
import sys, inkstream
data = inkstream.connect(sys.argv[1]).dataset()
before = data.fetch(range(4), image=28)
assert "jax" not in sys.modules
import jax, numpy as np
batch = data.fetch(range(4), image=28)
for one in (jax.device_put(batch), jax.tree.map(lambda a: a, batch), jax.jit(lambda b: b)(batch)):
    assert type(one) is inkstream.Batch, one
    assert list(one) == list(batch)
    assert isinstance(one.image, jax.Array) or one.image is batch.image
    assert all((np.asarray(one[n]) == batch[n]).all() for n in batch)
    try:
        one.cursor
    except inkstream.FixRequest as error:
        assert "came out of JAX" in str(error)
    else:
        raise AssertionError("a place that it cannot know")
assert jax.tree.structure(jax.device_put(batch)) == jax.tree.structure(before)
traced = []
mean = jax.jit(lambda b: traced.append(b) or b["image"].mean())
for first in range(3):
    mean(data.fetch(range(first, first + 4), image=28))
assert len(traced) == 1, "compiled for each batch"
"""


def test_jax_takes_a_batch_as_a_tree(server: Server) -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    done = subprocess.run(
        [sys.executable, "-c", JAX, server.tcp], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_a_place_out_of_jax_is_not_made_up() -> None:
    batch = inkstream.Batch({"index": np.arange(3)}, None)
    with pytest.raises(FixRequest, match="came out of JAX"):
        _ = batch.cursor
