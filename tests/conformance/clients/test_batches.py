"""The same bytes, whichever client reads them and however they travel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from client_under_test import CODED, ROADS, Connection, Way
from expectation import Expectation, sha256

Words = dict[str, Any]
Connect = Callable[[Way], Connection]
AUGMENT = {
    "rotation": [-20, 20],
    "scale": [0.8, 1.2],
    "shear": [-0.1, 0.1],
    "translate_x": [-8, 8],
    "flip_x": 0.5,
    "stroke_dropout": 0.2,
    "stroke_reorder": 0.3,
    "point_dropout": 0.1,
    "jitter": 1,
    "line_width": [0.7, 1.3],
}

TRAIN = {"view": {"split": "train"}, "batch_size": 48}
# What the order depends on.
ORDERS: dict[str, Words] = {
    "full": {"columns": ["label"]},
    "another seed": {"seed": 2**40 + 3, "columns": ["label"]},
    "window": {"shuffle": "window", "window": 100, "seed": 7},
    "none": {"shuffle": "none"},
    "three epochs": {"epochs": 3, "seed": 5},
    "drop": {"world": 3, "rank": 1},
    "partial": {"world": 3, "rank": 2, "tail": "partial"},
    "pad": {"world": 3, "rank": 2, "tail": "pad"},
    "more ranks than rows": {"world": 7, "rank": 6, "tail": "partial", "batch_size": 65},
}
# What is drawn, and of what type.
TENSORS: dict[str, Words] = {
    "no image": {"columns": ["label", "word", "countrycode", "timestamp", "recognized", "key_id"]},
    "28": {"image": {"height": 28}, "columns": ["label"]},
    "wide": {"image": {"height": 9, "width": 33, "fit": "stretch"}},
    "box": {"image": {"height": 24, "fit": "box", "line_width": 8, "padding": 4}},
    "exact": {"image": {"height": 32, "quality": "exact"}},
    "float32": {"image": {"height": 20, "dtype": "float32", "mean": [0.5], "std": [0.25]}},
    "float16": {"image": {"height": 20, "dtype": "float16", "layout": "NHWC"}},
    "bfloat16": {"image": {"height": 20, "dtype": "bfloat16"}},
    "channels": {
        "image": {
            "height": 20,
            "layout": "NHWC",
            "channels": ["ink", "order", "direction", "constant"],
        },
    },
    "several messages": {"image": {"height": 224}, "batch_size": 128},
    "stroke3": {"strokes": {"max_len": 40}},
    "stroke5": {"strokes": {"max_len": 64, "format": "stroke5", "scale": "dataset"}},
    "points": {"strokes": {"max_len": 30, "format": "points", "dtype": "float16"}},
    "short ones": {"strokes": {"max_len": 20, "prefix": 0.5, "resample": 9, "scale_value": 3}},
    "ragged": {"strokes": {"max_len": 90, "ragged": True}, "columns": ["label"]},
    "ragged stroke5": {"strokes": {"max_len": 25, "format": "stroke5", "ragged": True}},
    "both": {
        "image": {"height": 28},
        "strokes": {"max_len": 50},
        "columns": ["label", "key_id"],
    },
    "augmented": {"image": {"height": 28}, "augment": AUGMENT, "seed": 9, "epochs": 2},
    "two views": {
        "image": {"height": 28},
        "strokes": {"max_len": 32},
        "augment": AUGMENT,
        "views": 2,
    },
    "two views, ragged": {
        "strokes": {"max_len": 32, "ragged": True},
        "augment": AUGMENT,
        "views": 2,
    },
    "another ignored label": {"columns": ["label"], "ignore_index": -1},
}


def members_of(expected: Expectation, plan: Words) -> list[int]:
    return expected.members(plan["view"]["split"])


@pytest.mark.parametrize("way", ROADS, ids=str)
@pytest.mark.parametrize("order", ORDERS)
def test_every_order(connect: Connect, expected: Expectation, way: Way, order: str) -> None:
    plan = {**TRAIN, **ORDERS[order]}
    batches = connect(way).read(**plan, codec=way.codec)
    expected.check(batches, members_of(expected, plan), plan)


@pytest.mark.parametrize("way", ROADS, ids=str)
@pytest.mark.parametrize("tensors", TENSORS)
def test_every_tensor(connect: Connect, expected: Expectation, way: Way, tensors: str) -> None:
    plan = {**TRAIN, **TENSORS[tensors]}
    batches = connect(way).read(**plan, codec=way.codec)
    expected.check(batches, members_of(expected, plan), plan)
    for name in ("image", "strokes"):
        if name in plan:
            wanted = plan[name].get("dtype", "uint8" if name == "image" else "float32")
            assert {batch["tensors"][name]["dtype"] for batch in batches} == {wanted}


@pytest.mark.parametrize("way", CODED, ids=str)
@pytest.mark.parametrize("tensors", TENSORS)
def test_every_tensor_under_a_codec(
    connect: Connect, expected: Expectation, way: Way, tensors: str
) -> None:
    plan = {**TRAIN, **TENSORS[tensors]}
    why_not = ""
    if way.codec == "strokes":
        if plan.get("image", {}).get("quality") == "exact":
            why_not = "QUALITY_EXACT"
        elif not {"image", "strokes"} & set(plan):
            why_not = "nothing to draw"
    connection = connect(way)
    with connection.stream(**plan, codec=way.codec) as stream:
        assert stream.info["codec"] == ("none" if why_not else way.codec)
        assert why_not in stream.info["codec_reason"]
        batches = stream.rest()
        stats = stream.stats()
    expected.check(batches, members_of(expected, plan), plan)
    assert stats["bytes"] > 0
    if not why_not and "image" in plan:
        assert stats["wire_bytes"] < stats["bytes"]
    last = batches[-1]
    asked = {"indices": last["tensors"]["index"]["values"], "epoch": last["epoch"]}
    fetched = connection.ask("fetch", **plan, **asked, codec=way.codec)
    assert fetched["tensors"] == last["tensors"]


@pytest.mark.parametrize("way", [way for way in CODED if way.codec == "strokes"], ids=str)
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_as_strokes(
    connect: Connect, expected: Expectation, way: Way, order: str
) -> None:
    plan = {**TRAIN, **ORDERS[order], "image": {"height": 12}}
    with connect(way).stream(**plan, codec="strokes") as stream:
        assert stream.info["codec"] == "strokes"
        batches = stream.rest()
    expected.check(batches, members_of(expected, plan), plan)


@pytest.mark.parametrize("form", ["stroke3", "stroke5", "points"])
def test_strokes_are_the_exported_drawings(
    plain: Connection, expected: Expectation, form: str
) -> None:
    batches = plain.read(**TRAIN, strokes={"max_len": 48, "format": form})
    for batch in batches:
        rows = [expected.strokes(i, form, 48) for i in batch["tensors"]["index"]["values"]]
        assert batch["tensors"]["strokes"]["sha256"] == sha256(np.stack(rows))


@pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
@pytest.mark.parametrize(("world", "batch_size"), [(1, 48), (3, 16), (4, 33), (5, 7)])
def test_ranks_together_see_every_drawing_once(
    plain: Connection, expected: Expectation, tail: str, world: int, batch_size: int
) -> None:
    plan = {**TRAIN, "world": world, "batch_size": batch_size, "tail": tail, "seed": 3}
    seen: list[int] = []
    lengths = set()
    for rank in range(world):
        batches = plain.read(**plan, rank=rank)
        lengths.add(len(batches))
        for batch in batches:
            tensors = batch["tensors"]
            assert tensors["index"]["values"], "an empty batch"
            pairs = zip(tensors["index"]["values"], tensors["valid"]["values"], strict=True)
            seen += [index for index, valid in pairs if valid]
    members = expected.members("train")
    left_out = len(members) % (world * batch_size) if tail == "drop" else 0
    assert len(lengths) == 1
    assert len(seen) == len(set(seen)) == len(members) - left_out
    assert set(seen) <= set(members)
