from __future__ import annotations

import pytest
from inkstream import Augment, FixRequest, Image, Strokes, View
from inkstream._request.cursor import check_state
from inkstream._request.plan import Plan
from inkstream.v1 import plan_pb2


def test_image_of_one_number_is_square_and_googles_recipe() -> None:
    image = Image(28).to_proto()
    assert (image.height, image.width) == (28, 28)
    assert (image.line_width, image.padding) == (16, 16)
    assert image == Image(28, 28).to_proto()
    assert list(Image(28, channels=3).to_proto().channels) == ["order", "speed", "time"]


def test_view_terms() -> None:
    view = View(
        "train",
        classes=["cat", "dog"],
        where={
            "recognized": True,
            "countrycode": ["US", "DE"],
            "timestamp": [(">=", 5), ("<", 9)],
        },
        max_per_class=70_000,
        fold=(0, 5),
    ).to_proto()
    assert list(view.classes) == ["cat", "dog"]
    ops = plan_pb2.Where
    assert [(w.column, w.op, list(w.values)) for w in view.where] == [
        ("recognized", ops.OP_EQ, ["1"]),
        ("countrycode", ops.OP_IN, ["US", "DE"]),
        ("timestamp", ops.OP_GE, ["5"]),
        ("timestamp", ops.OP_LT, ["9"]),
    ]
    assert (view.fold.index, view.fold.count, view.fold.held_out) == (0, 5, False)


def test_augmentation_and_strokes_become_messages() -> None:
    augment = Augment(rotation=10, scale=0.1, translate_x=(-0.5, 0), flip_x=0.5).to_proto()
    assert (augment.rotation.low, augment.rotation.high) == (-10, 10)
    assert augment.scale.low == pytest.approx(0.9)
    assert (augment.translate_x.low, augment.flip_x) == (-0.5, 0.5)
    assert not augment.HasField("shear")
    width = Augment(line_width=0.25).to_proto().line_width
    assert (width.low, width.high) == (0.75, 1.25)
    assert Strokes(250, format="stroke5").to_proto().format == plan_pb2.Strokes.FORMAT_STROKE5
    assert Strokes(250, scale=12.5).to_proto().scale_value == 12.5


def test_sampling() -> None:
    assert Plan.of("train", sampling="balanced:0.5").order.sampling.balanced.alpha == 0.5
    assert list(Plan.of("train", sampling=[1, 2]).order.sampling.weights.weights) == [1, 2]
    mix = Plan.of("train", sampling=[(View("a"), 1.0), (View("b"), 3.0)]).order.sampling.mix
    assert [view.split for view in mix.views] == ["a", "b"]
    assert list(mix.weights) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Image(28, dtype="uint9").to_proto(), "'uint8', 'float16'"),
        (lambda: Image(28, layout="NHCW").to_proto(), "'NCHW', 'NHWC'"),
        (lambda: Image(28, channels=2).to_proto(), "channels = 2"),
        (lambda: Strokes(scale=0).to_proto(), "Strokes.scale = 0"),
        (lambda: Strokes(-1).to_proto(), "Strokes.max_len = -1"),
        (lambda: Strokes(format="stroke4").to_proto(), "'stroke3', 'stroke5', 'points'"),
        (lambda: Augment(scale="big").to_proto(), "Augment.scale = 'big'"),
        (lambda: Augment(shear=(1, 2, 3)).to_proto(), "Augment.shear"),
        (lambda: Augment(shear=("a", 2)).to_proto(), r"Augment.shear\[0\] = 'a'"),
        (lambda: Image(-1).to_proto(), "Image.height = -1"),
        (lambda: View("train", classes="cat"), r"\['cat'\]"),
        (lambda: View("train", where={"label": ("~", 1)}).to_proto(), "operator '~'"),
        (lambda: Plan.of("train", shuffle="ful"), "nearest is 'full'.*'window:N'"),
        (lambda: Plan.of("train", shuffle="window:x").order, "window:N"),
        (lambda: Plan.of("train", shuffle="full:3"), "there are 'full'"),
        (lambda: Plan.of("train", sampling="even").order, "balanced:ALPHA"),
        (lambda: Plan.of("train", tail="keep").delivery, "'drop', 'partial', 'pad'"),
        (lambda: Plan.of("train", batch_size=0).delivery, "batch_size = 0"),
        (lambda: Plan.of("train", world=0).delivery, "world = 0"),
        (lambda: Plan.of("train", seed=-1).order, "seed = -1"),
        (lambda: Plan.of("train", epochs="often").epochs, "forever"),
        (lambda: Plan.of("train", columns="label"), r"\['label'\]"),
        (lambda: Plan.of("train", batchsize=3), "batchsize"),
        (lambda: Plan.of(3), "View or a split"),
        (lambda: check_state({"epoch": 1.5}), "cursor.epoch = 1.5"),
        (lambda: check_state({"epoch": -1}), "cursor.epoch = -1"),
        (lambda: check_state({"step": 1}), "no field 'step'"),
        (lambda: check_state({"version": 2}), "update it"),
        (lambda: check_state({"fingerprint": 3}), "fingerprint"),
        (lambda: check_state([]), "list"),
    ],
)
def test_what_the_contract_has_no_number_for_is_refused(make, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FixRequest, match=says):
        make()
