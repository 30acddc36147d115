"""Channels and errors that have to do with times: a store of raw drawings, served for real."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Image, Strokes
from support.processes import Server

Stroke = tuple[list[float], list[float], list[float]]
SIDE = 256


def drawings() -> list[list[Stroke]]:
    """Level strokes far apart, so that the middle of a segment is covered by it alone."""
    draw = random.Random(5)
    made = []
    for _ in range(20):
        now = draw.randrange(1000)
        strokes: list[Stroke] = []
        for row in range(draw.randint(1, 3)):
            xs = [10.0]
            while xs[-1] < 180:
                xs.append(xs[-1] + draw.randint(45, 90))
            ts = []
            for _ in xs:
                ts.append(float(now))
                now += draw.choice([0, 5, 40, 200, 3000])
            now += draw.randrange(2000)
            if draw.random() < 0.5:
                xs.reverse()
            strokes.append((xs, [20.0 + 100 * row] * len(xs), ts))
        made.append(strokes)
    return made


@pytest.fixture(scope="module")
def raw(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[inkstream.Dataset]:
    home = tmp_path_factory.mktemp("raw")
    lines = [
        json.dumps({"word": "cat", "key_id": str(i + 1), "recognized": True, "drawing": strokes})
        for i, strokes in enumerate(drawings())
    ]
    (home / "raw.ndjson").write_text("\n".join(lines) + "\n")
    ingest = [binary, "ingest", home / "raw.ndjson", "--keep", "raw", "--store", home / "raw.ink"]
    subprocess.run(ingest, check=True, capture_output=True, timeout=60)
    with (
        Server(binary, home / "raw.ink", home) as server,
        inkstream.connect(server.tcp) as client,
    ):
        yield client.dataset()


def level(share: float) -> int:
    return int(55.5 + 200 * min(max(share, 0.0), 1.0))


@pytest.mark.parametrize("channel", ["time", "pause", "speed"])
def test_channels_of_time_have_the_values_that_the_formulas_say(
    raw: inkstream.Dataset, channel: str
) -> None:
    made = drawings()
    batch = raw.fetch(
        index=range(len(made)),
        image=Image(SIDE, channels=["ink", channel]),
        strokes=Strokes(64, format="points"),
    )
    scale = SIDE / (256 + 2 * 16 + 16)
    looked_at = set()
    for row, strokes in enumerate(made):
        points = batch.strokes[row][: batch.length[row]]
        high = points.max(axis=0)
        first, last = strokes[0][2][0], strokes[-1][2][-1]
        at, before = 0, None
        for xs, _, ts in strokes:
            pause = 0.0 if before is None else ts[0] - before
            before = ts[-1]
            for i in range(len(xs) - 1):
                a, b = points[at + i], points[at + i + 1]
                middle = (a[:2] + b[:2]) / 2
                x, y = (scale * (middle - high[:2] / 2) + SIDE / 2).astype(int)
                assert batch.image[row, 0, y, x] == 255, "not in the middle of a line"
                length = float(np.hypot(*(b[:2] - a[:2]).astype(float)))
                took = ts[i + 1] - ts[i]
                share = {
                    "time": 1 - ((ts[i] + ts[i + 1]) / 2 - first) / (last - first or 1),
                    "pause": pause / (pause + 500),
                    "speed": length / (length + 0.5 * took),
                }[channel]
                if channel == "time" and last == first:
                    share = 1.0
                assert batch.image[row, 1, y, x] == level(share)
                looked_at.add(level(share))
            at += len(xs)
    assert len(looked_at) > 15, "too few values to tell one formula from another"


def test_the_short_form_3_is_order_speed_time(raw: inkstream.Dataset) -> None:
    short = raw.fetch(index=[0, 1], image=Image(64, channels=3)).image
    named = raw.fetch(index=[0, 1], image=Image(64, channels=["order", "speed", "time"])).image
    assert np.array_equal(short, named)


def test_times_go_with_their_points_through_augmentation(raw: inkstream.Dataset) -> None:
    image = Image(96, channels=["time", "speed"])
    augment = inkstream.Augment(stroke_reorder=1.0, point_dropout=0.3)
    index = list(range(20))
    a = raw.fetch(index=index, image=image, augment=augment, epoch=1).image
    b = raw.fetch(index=index, image=image, augment=augment, epoch=1).image
    plain = raw.fetch(index=index, image=image).image
    assert np.array_equal(a, b)
    assert not np.array_equal(a, plain)
    # Reordering moves no ink, and a level line without inner points is the same line.
    assert np.array_equal(a[:, 0] > 0, plain[:, 0] > 0)


def test_a_drawing_thats_augmented_keeps_the_times_of_its_points(raw: inkstream.Dataset) -> None:
    augment = inkstream.Augment(stroke_reorder=1.0, stroke_dropout=0.3, point_dropout=0.3)
    spec = Strokes(64, format="points", times=True)
    plain = raw.fetch(index=range(20), strokes=spec)
    changed = raw.fetch(index=range(20), strokes=spec, augment=augment)
    assert not np.array_equal(plain.strokes, changed.strokes)
    for row in range(20):
        known = {(x, y, t) for x, y, _, t in plain.strokes[row][: plain.length[row]].tolist()}
        left = changed.strokes[row][: changed.length[row]].tolist()
        assert {(x, y, t) for x, y, _, t in left} <= known


def test_polylines_and_pictures_leave_times_aside(raw: inkstream.Dataset) -> None:
    for form in ("stroke3", "stroke5", "points"):
        plain = raw.fetch(index=range(5), strokes=Strokes(64, format=form))
        timed = raw.fetch(index=range(5), strokes=Strokes(64, format=form, times=True))
        assert timed.strokes.shape[-1] == plain.strokes.shape[-1] + 1
        for row in range(5):
            pairs = zip(plain.polylines(row), timed.polylines(row), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)


def test_stroke_tensors_of_a_store_without_times_name_the_fix(data: inkstream.Dataset) -> None:
    says = r"delivery\.strokes\.times is true, but this dataset has no times.*--keep raw"
    with (
        data.stream("train", strokes=Strokes(9, times=True)) as stream,
        pytest.raises(FixRequest, match=says) as caught,
    ):
        next(stream)
    assert caught.value.code == "INVALID_ARGUMENT"
    with pytest.raises(FixRequest, match=says):
        data.fetch(index=[0], strokes=Strokes(9, times=True))


@pytest.mark.parametrize("channel", ["time", "pause", "speed"])
def test_a_store_without_times_says_which_channels_it_has(
    data: inkstream.Dataset, channel: str
) -> None:
    says = rf"image\.channels names {channel}, but this dataset has no times: it has ink, order"
    with (
        data.stream("train", image=Image(28, channels=["ink", channel])) as stream,
        pytest.raises(FixRequest, match=says) as caught,
    ):
        next(stream)
    assert caught.value.code == "INVALID_ARGUMENT"
