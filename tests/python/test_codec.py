"""Codecs: the same bytes under each of them, and fewer of them on the wire."""

from __future__ import annotations

from typing import Any, Literal

import grpc
import inkstream
import numpy as np
import pytest
from inkstream import Augment, Image, Strokes
from inkstream._fetch.random_access import RandomAccess
from inkstream.v1 import plan_pb2
from support.fake_server import Behaviour, FakeServer
from support.processes import Server

STREAM = {"view": "train", "batch_size": 100, "columns": ["label", "key_id"], "tail": "partial"}
TENSORS = {
    "pixels": {"image": Image(64)},
    "floats": {
        "image": Image(28, dtype="float32", layout="NHWC", channels=["ink", "order", "direction"])
    },
    "augmented": {
        "image": Image(28),
        "augment": Augment(rotation=(-20, 20), stroke_dropout=0.2, jitter=2),
        "views": 2,
    },
    "resampled": {
        "image": Image(28),
        "augment": Augment(rotation=(-20, 20)),
        "sampling": "balanced:0.5",
    },
    "both": {"image": Image(28), "strokes": Strokes(60)},
    "ragged": {"image": Image(28), "strokes": Strokes(60, ragged=True)},
    "strokes alone": {"strokes": Strokes(100, "stroke5", scale="dataset")},
}


@pytest.fixture
def library() -> None:
    if inkstream._library.library.library()[0] is None:
        pytest.skip("libinkstream is not there")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("tensors", TENSORS)
def test_strokes_give_the_bytes_of_a_raw_stream(server: Server, tensors: str) -> None:
    with inkstream.connect(server.tcp) as client:
        keywords = {**STREAM, **TENSORS[tensors]}
        with client.dataset().stream(**keywords, codec="none") as raw:
            expected = list(raw)
        with client.dataset().stream(**keywords, codec="strokes") as stream:
            batches = list(stream)
            stats = stream.stats()
    assert len(batches) == len(expected)
    for batch, raw_batch in zip(batches, expected, strict=True):
        assert set(batch) == set(raw_batch)
        for name in batch:
            np.testing.assert_array_equal(batch[name], raw_batch[name], err_msg=name)
        assert batch.cursor == raw_batch.cursor
    assert stats["codec"] == "strokes"
    assert stats["bytes"] > 0
    assert stats["wire_bytes"] < stats["bytes"] / 2


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("keywords", [{}, {"codec": "auto"}])
def test_strokes_travel_unless_something_stands_in_the_way(
    server: Server, keywords: dict[str, Literal["auto"]]
) -> None:
    with (
        inkstream.connect(server.tcp) as client,
        client.dataset().stream("train", image=Image(28), **keywords) as stream,
    ):
        next(stream)
        stats = stream.stats()
    assert stats["codec"] == "strokes"
    assert stats["codec_reason"] == ""


@pytest.mark.usefixtures("library")
def test_strokes_are_a_hundredth_of_the_pixels(server: Server) -> None:
    with (
        inkstream.connect(server.tcp) as client,
        client.dataset().stream(
            "train", batch_size=256, image=Image(128), columns=["label"], codec="strokes"
        ) as stream,
    ):
        drawings = sum(len(batch.index) for batch in stream)
        assert stream.stats()["wire_bytes"] <= drawings * 163


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"codec": "gzip"}, "strokes"),
        ({"codec": "zstd"}, "strokes"),
    ],
)
def test_a_codec_that_cannot_be_had_is_refused_with_the_choices(
    server: Server, keywords: dict[str, object], says: str
) -> None:
    with (
        inkstream.connect(server.tcp) as client,
        pytest.raises(inkstream.FixRequest, match=says),
    ):
        next(client.dataset().stream("train", **keywords))  # type: ignore[arg-type]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("keywords", "says"),
    [({}, "nothing to draw"), ({"image": Image(28, quality="exact")}, "QUALITY_EXACT")],
)
def test_what_cannot_be_drawn_by_clients_comes_as_pixels(
    server: Server, keywords: dict[str, object], says: str
) -> None:
    with (
        inkstream.connect(server.tcp) as client,
        client.dataset().stream("train", codec="strokes", **keywords) as stream,  # type: ignore[arg-type]
    ):
        next(stream)
        stats = stream.stats()
    assert stats["codec"] == "none"
    assert says in str(stats["codec_reason"])


@pytest.mark.parametrize("codec", ["auto", "strokes"])
def test_without_the_library_the_server_draws(
    server: Server, monkeypatch: pytest.MonkeyPatch, codec: Literal["auto", "strokes"]
) -> None:
    monkeypatch.setattr(
        "inkstream._network.connection.native_library", lambda: (None, "not in this test")
    )
    with (
        inkstream.connect(server.tcp) as client,
        client.dataset().stream("train", image=Image(28), codec=codec) as stream,
    ):
        next(stream)
        stats = stream.stats()
    assert stats["codec"] == "none"
    assert "libinkstream" in str(stats["codec_reason"])


def test_a_server_that_draws_otherwise_draws_itself() -> None:
    with FakeServer(Behaviour(raster_version=1000)) as fake:
        data = inkstream.connect(fake.address, retry_for=5).dataset()
        with data.stream(image=Image(28), batch_size=10) as stream:
            assert len(next(stream)) == 4
            assert stream.stats()["codec"] == "none"


def test_a_server_without_this_form_of_strokes_draws_itself() -> None:
    earlier = (0, 1, 2, 3)  # 3: strokes of another form
    with FakeServer(Behaviour(codecs=earlier)) as fake:
        data = inkstream.connect(fake.address, retry_for=5).dataset()
        with data.stream(image=Image(28), batch_size=10) as stream:
            assert len(next(stream)) == 4
        asked = fake.opened[0].open.delivery.codec
    assert asked == plan_pb2.CODEC_NONE
    assert data.stats["codecs"] == ["none", "codec 1", "codec 2", "codec 3"]


FETCHED = {
    name: {key: value for key, value in tensors.items() if key != "sampling"}
    for name, tensors in TENSORS.items()
}


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("tensors", FETCHED)
def test_a_fetch_of_strokes_gives_the_bytes_of_one_that_the_server_drew(
    server: Server, tensors: str
) -> None:
    rows = np.random.default_rng(1).integers(0, 2000, 700)
    keywords = {"columns": ["label", "word", "key_id"], "epoch": 2, **FETCHED[tensors]}
    with inkstream.connect(server.tcp) as client:
        data = client.dataset()
        drawn = data.fetch(rows, codec="none", **keywords)
        batch = data.fetch(rows, **keywords)
    assert set(batch) == set(drawn)
    for name in batch:
        np.testing.assert_array_equal(batch[name], drawn[name], err_msg=name)
    assert batch.words() == drawn.words()


@pytest.mark.usefixtures("library")
def test_a_fetch_travels_as_strokes_unless_something_stands_in_the_way(server: Server) -> None:
    with inkstream.connect(server.tcp) as client:
        data = client.dataset()

        def share(**keywords: Any) -> float:
            """Bytes that travel, of those that are given."""
            access = data.split("train", **keywords)
            request = RandomAccess(data, access.plan, 0, 0)._request()
            request.index.extend(range(256))
            raw, _ = client._connection.fetch(request)
            return raw.wire_bytes / raw.memory.size

        assert share(image=Image(128)) < 0.02
        assert share(image=Image(128), codec="none") == 1
        assert share(image=Image(128, quality="exact")) == 1
        assert share(columns=["label"]) == 1


def test_without_the_library_a_fetch_is_drawn_by_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "inkstream._network.connection.native_library", lambda: (None, "not in this test")
    )
    with FakeServer() as fake:
        data = inkstream.connect(fake.address).dataset()
        assert data.fetch([5, 1], image=Image(28)).index.tolist() == [5, 1]
        assert [asked.delivery.codec for asked in fake.fetches] == [plan_pb2.CODEC_NONE]


@pytest.mark.usefixtures("library")
def test_a_fetch_of_a_server_without_this_form_of_strokes_is_drawn_by_it() -> None:
    for codecs, asked in (((0, 1, 2, 3), plan_pb2.CODEC_NONE), ((0, 4), plan_pb2.CODEC_STROKES)):
        with FakeServer(Behaviour(codecs=codecs)) as fake:
            data = inkstream.connect(fake.address).dataset()
            assert data.fetch([5, 1], image=Image(28)).index.tolist() == [5, 1]
            assert [request.delivery.codec for request in fake.fetches] == [asked]


@pytest.mark.usefixtures("library")
def test_a_fetch_that_a_server_has_as_rows_for_streams_alone_is_drawn_by_it() -> None:
    why = "delivery.codec: not offered by this server; offered: CODEC_NONE (of FetchDrawings)"
    refused = [(grpc.StatusCode.INVALID_ARGUMENT, why)]
    with FakeServer(Behaviour(codecs=(0, 4), refuse_fetches=refused)) as fake:
        data = inkstream.connect(fake.address).dataset()
        assert data.fetch([5, 1], image=Image(28)).index.tolist() == [5, 1]
        asked = [request.delivery.codec for request in fake.fetches]
    assert asked == [plan_pb2.CODEC_STROKES, plan_pb2.CODEC_NONE]
