"""Keras on a tf.data.Dataset of a stream."""

from __future__ import annotations

from itertools import islice
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Image, Strokes

tensorflow = pytest.importorskip("tensorflow")
from inkstream.tf import dataset  # noqa: E402

BATCH = 100
IMAGE = Image(8, dtype="float32", layout="NHWC")


def of_stream(data: inkstream.Dataset, epochs: int, **asked: Any) -> list[list[int]]:
    stream = data.stream("train", batch_size=BATCH, epochs=epochs, **asked)
    return [batch.index.tolist() for batch in stream]


def indices(found: Any) -> list[list[int]]:
    return [batch["index"].numpy().tolist() for batch in found]


def test_each_pass_is_the_next_epoch(data: inkstream.Dataset) -> None:
    made = dataset(data, batch_size=BATCH, image=IMAGE)
    assert int(made.cardinality()) == 15
    spec = made.element_spec
    assert spec["image"].shape == (BATCH, 8, 8, 1)
    assert spec["label"].dtype == tensorflow.int64
    assert indices(made) + indices(made) == of_stream(data, 2)
    cursor = next(islice(data.stream("train", batch_size=BATCH), 4, 5)).cursor
    rest = dataset(data, batch_size=BATCH, start=cursor)
    assert indices(rest) + indices(rest) == of_stream(data, 2)[5:]


@pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
def test_the_signature_holds_for_every_tail(data: inkstream.Dataset, tail: Any) -> None:
    made = dataset(data, "valid", batch_size=BATCH, image=8, tail=tail)
    wanted = [b.index.tolist() for b in data.stream("valid", batch_size=BATCH, tail=tail)]
    assert indices(made) == wanted
    assert int(made.cardinality()) == len(wanted)


@pytest.mark.parametrize("ragged", [False, True])
def test_strokes_and_bfloat16(data: inkstream.Dataset, ragged: bool) -> None:
    strokes = Strokes(30, ragged=ragged)
    image = Image(8, dtype="bfloat16")
    found = list(dataset(data, batch_size=BATCH, image=image, strokes=strokes))
    wanted = list(data.stream("train", batch_size=BATCH, image=image, strokes=strokes))
    for batch, expected in zip(found, wanted, strict=True):
        assert batch["image"].dtype == tensorflow.bfloat16
        pixels = tensorflow.cast(batch["image"], tensorflow.float32).numpy()
        assert np.array_equal(pixels, expected.float32("image"))
        assert np.array_equal(batch["strokes"].numpy(), expected.strokes)


def test_keras_learns(data: inkstream.Dataset) -> None:
    keras = tensorflow.keras
    pairs: dict[str, Any] = {"batch_size": 64, "image": IMAGE, "as_tuple": ("image", "label")}
    train = dataset(data, **pairs)
    valid = dataset(data, "valid", **pairs, tail="partial", shuffle=False)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(train, epochs=3, validation_data=valid, verbose=0).history
    assert history["val_accuracy"][-1] > 0.8
    assert len(model.predict(valid, verbose=0)) == len(data["valid"])


def test_what_cannot_be_is_refused(data: inkstream.Dataset) -> None:
    with pytest.raises(inkstream.FixRequest, match="epochs"):
        dataset(data, epochs=2)
    with pytest.raises(inkstream.NotFound, match="image"):
        dataset(data, as_tuple=("image", "label"))
    for wrong, said in (("label", r"give a list of names, \['label'\]"), ((), "as_tuple is empty")):
        with pytest.raises(inkstream.FixRequest, match=said):
            dataset(data, as_tuple=wrong)
    with pytest.raises(inkstream.FixRequest, match=r"give a dataset, such as client\.dataset"):
        dataset("drawings.ink")  # type: ignore[arg-type]
