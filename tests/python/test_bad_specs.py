"""What the server refuses: each answer names the field, the value and the limit."""

from __future__ import annotations

import math
from typing import Any

import inkstream
import pytest
from inkstream import Augment, FixRequest, Image, Strokes

NAN, INF = math.nan, math.inf

BAD: list[tuple[dict[str, Any], str]] = [
    ({"image": Image(0)}, r"delivery\.image\.height: 0 is not in 1\.\.1024"),
    ({"image": Image(28, 1025)}, r"delivery\.image\.width: 1025 is not in 1\.\.1024"),
    ({"image": Image(1025)}, r"delivery\.image\.height: 1025 is not in 1\.\.1024"),
    ({"image": Image(4_000_000_000)}, r"height: 4000000000 is not in 1\.\.1024"),
    ({"image": Image(28, mean=0.5)}, r"image\.mean.*float"),
    ({"image": Image(28, dtype="float32", mean=NAN)}, r"image\.mean.*nan"),
    ({"image": Image(28, dtype="float32", std=0)}, r"image\.std.*0"),
    ({"image": Image(28, dtype="float32", std=[1, 2])}, r"image\.std.*2"),
    ({"image": Image(28, line_width=-1)}, r"image\.line_width is -1.*256"),
    ({"image": Image(28, line_width=NAN)}, r"image\.line_width is nan"),
    ({"image": Image(28, padding=-1)}, r"image\.padding is -1.*1024"),
    ({"image": Image(28, padding=INF)}, r"image\.padding is inf"),
    ({"image": Image(28, channels=["ink", "inc"])}, r'image\.channels.*inc.*"?ink'),
    ({"image": Image(28, channels=["time"])}, r"time.*ink"),
    ({"image": Image(28, channels=3)}, r"time.*ink"),
    (
        {"image": Image(28, channels=["ink", "order"], quality="exact")},
        r"image\.channels is \[ink, order\]: image\.quality exact offers \[ink\] only, fast",
    ),
    ({"image": Image(1024), "batch_size": 257}, r"max_batch_bytes"),
    ({"image": Image(1024, channels=["ink"] * 200), "views": 16}, r"delivery"),
    ({"strokes": Strokes(0)}, r"delivery\.strokes\.max_len is 0.*4096"),
    ({"strokes": Strokes(4097)}, r"delivery\.strokes\.max_len is 4097.*4096"),
    ({"strokes": Strokes(9, scale=-2)}, r"strokes\.scale_value is -2"),
    ({"strokes": Strokes(9, scale=NAN)}, r"strokes\.scale_value is nan"),
    ({"strokes": Strokes(9, prefix=0)}, r"strokes\.prefix is 0"),
    ({"strokes": Strokes(9, prefix=1.5)}, r"strokes\.prefix is 1\.5"),
    ({"strokes": Strokes(9, resample=-1)}, r"strokes\.resample is -1.*256"),
    ({"strokes": Strokes(4096, format="stroke5"), "batch_size": 4096}, r"max_batch_bytes"),
    (
        {"strokes": Strokes(4096, format="stroke5", ragged=True), "batch_size": 65536, "views": 16},
        r'max_batch_bytes.*"strokes" takes',
    ),
    ({"augment": Augment(rotation=361)}, r"delivery\.augment\.rotation is \[-361, 361\].*360"),
    ({"augment": Augment(scale=(0, 1))}, r"augment\.scale is \[0, 1\].*0\.01"),
    ({"augment": Augment(scale=(2, 1))}, r"augment\.scale is \[2, 1\].*ascending"),
    ({"augment": Augment(shear=NAN)}, r"augment\.shear is \[nan, nan\]"),
    ({"augment": Augment(flip_x=1.5)}, r"augment\.flip_x is 1\.5.*0 to 1"),
    ({"augment": Augment(point_dropout=NAN)}, r"augment\.point_dropout is nan"),
    ({"augment": Augment(jitter=-1)}, r"augment\.jitter"),
    ({"augment": Augment(line_width=(0, 1))}, r"augment\.line_width is \[0, 1\]"),
    ({"views": 17}, r"delivery\.views: 17 is not in 1\.\.16"),
    ({"columns": ["lable"]}, r'delivery\.columns\[0\]: there is no column "lable".*"label"'),
    ({"columns": ["word", "label", "word"]}, r'delivery\.columns\[2\]: "word" is named twice'),
    ({"batch_size": 65537}, r"delivery\.batch_size: 65537 is not in 1\.\.65536"),
]


def name_of(case: Any) -> str:
    return str(case)[:60].replace("[", "(").replace("]", ")") if isinstance(case, dict) else ""


@pytest.mark.parametrize(("keywords", "says"), BAD, ids=name_of)
def test_a_bad_spec_is_refused_with_field_value_and_limit(
    data: inkstream.Dataset, keywords: dict[str, Any], says: str
) -> None:
    if keywords.keys().isdisjoint({"image", "strokes"}) and keywords.keys() & {"augment", "views"}:
        keywords = {"image": Image(28), **keywords}
    with (
        data.stream("train", **keywords) as stream,
        pytest.raises(FixRequest, match=says) as caught,
    ):
        next(stream)
    assert caught.value.code == "INVALID_ARGUMENT"
    if "batch_size" not in keywords and keywords.get("views", 1) <= 17:
        with pytest.raises(FixRequest, match=says):
            data.fetch(index=[0] * 4096 if "max_batch" in says else [0], **keywords)
