"""More drawings than one call gives: fetch and split make as many calls as it takes."""

from __future__ import annotations

import dataclasses
import signal
import threading
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Augment, FixRequest, Image, PlanMismatch, Strokes
from support.fake_server import CLASSES, Behaviour, FakeServer, pixels
from support.processes import eventually

COLUMNS = ["label", "word", "countrycode", "timestamp", "recognized", "key_id"]
IMAGE = Image(28)


@pytest.fixture(params=["libinkstream", "grpcio"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )


def check_rows(got: inkstream.Batch, every: inkstream.Batch, rows: np.ndarray[Any, Any]) -> None:
    assert list(got) == list(every)
    for name in set(every) - {"strokes", "offsets"}:
        np.testing.assert_array_equal(got[name], every[name][rows])
        assert not got[name].flags.writeable
    assert got.words() == [every.words()[row] for row in rows]
    assert got.classes == every.classes
    assert got.rows == len(rows)


def test_more_than_one_call_gives_are_one_batch_in_the_order_asked(
    data: inkstream.Dataset,
) -> None:
    limit = data.stats["limits"]["max_fetch_indices"]
    rows = np.random.default_rng(0).integers(0, 2000, 2 * limit + 7)  # each of them several times
    how: dict[str, Any] = {"image": IMAGE, "strokes": Strokes(60), "columns": COLUMNS}
    every = data.fetch(range(2000), **how)
    check_rows(data.fetch(rows, **how), every, rows)
    by_key = data.fetch(key_id=every.key_id[rows], **how)
    check_rows(by_key, every, rows)
    valid = data.split("valid", columns=["key_id"])
    ranks = np.arange(limit + 1) % len(valid)
    assert (valid[ranks].key_id == valid[:].key_id[ranks]).all()


@pytest.mark.parametrize("views", [1, 2])
def test_pages_by_bytes_have_ragged_strokes_one_after_the_other(
    data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch, views: int
) -> None:
    rows = np.random.default_rng(1).integers(0, 2000, 150)
    how: dict[str, Any] = {
        "image": IMAGE,
        "strokes": Strokes(300, ragged=True),
        "augment": Augment(rotation=10),
        "views": views,
    }
    at_once = data.fetch(rows, **how)
    monkeypatch.setattr("inkstream._fetch.random_access._BYTES_A_CALL", 100_000)
    paged = data.fetch(rows, **how)
    assert list(paged) == list(at_once)
    for name in at_once:
        np.testing.assert_array_equal(paged[name], at_once[name])
    assert paged.polylines(149, views - 1)[0].shape == at_once.polylines(149, views - 1)[0].shape


def test_none_are_a_batch_without_rows(data: inkstream.Dataset) -> None:
    how: dict[str, Any] = {"image": IMAGE, "strokes": Strokes(60, ragged=True)}
    split = data.split("valid", **how)
    for none in (split[[]], split[:0], split[np.zeros(len(split), bool)], data.fetch([], **how)):
        assert none.rows == 0
        assert none.image.shape == (0, 1, 28, 28)
        assert none.strokes.shape == (0, 3)
        assert none.offsets.tolist() == [0]
        assert none.label.dtype == np.int64


def paged_by(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr("inkstream._fetch.random_access._ROWS_A_CALL", rows)


def check_fake(batch: inkstream.Batch, rows: list[int]) -> None:
    assert batch.index.tolist() == rows
    assert batch.words() == [CLASSES[row % len(CLASSES)] for row in rows]
    for image, row in zip(batch.image, rows, strict=True):
        np.testing.assert_array_equal(image.ravel(), pixels(row, 28, 28))


def test_two_calls_are_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    paged_by(monkeypatch, 5)
    rows = [n * 7 % 101 for n in range(40)]
    with FakeServer(Behaviour(fetches_together=2)) as fake:  # which answers none alone
        data = inkstream.connect(fake.address).dataset()
        check_fake(data.fetch(rows, image=IMAGE), rows)
        assert fake.answered == 8


def test_a_server_that_goes_in_the_midst_of_it_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    paged_by(monkeypatch, 5)
    rows = [n * 7 % 101 for n in range(40)]
    with FakeServer(Behaviour(vanish_after_fetches=3)) as one, FakeServer() as other:
        for _ in range(20):  # clients begin at either
            data = inkstream.connect([one.address, other.address], retry_for=30).dataset()
            check_fake(data.fetch(rows, image=IMAGE), rows)
        assert one.answered == 3


def test_pixels_of_two_raster_versions_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    paged_by(monkeypatch, 5)
    with FakeServer(Behaviour(vanish_after_fetches=2)) as one:
        data = inkstream.connect(one.address).dataset()
        with FakeServer(Behaviour(raster_version=2)) as other:
            with pytest.raises(PlanMismatch, match="raster version"):
                for _ in range(20):  # clients begin at either
                    both = inkstream.connect([one.address, other.address], retry_for=30)
                    dataclasses.replace(data, client=both).fetch(range(20), image=IMAGE)
            assert one.answered == 2


def test_too_many_for_memory_are_told_in_bytes(
    data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkstream._fetch.random_access.MAX_BYTES", 3_000_000)
    with pytest.raises(FixRequest, match=r"5,000 drawings of 801 bytes .* 4,005,000 .* 3,000,000"):
        data.fetch(np.zeros(5000, int), image=IMAGE)


def test_ctrl_c_ends_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    paged_by(monkeypatch, 5)
    with FakeServer(Behaviour(silent_from_row=15)) as fake:
        data = inkstream.connect(fake.address).dataset()

        waiting: list[bool] = []

        def interrupt() -> None:
            waiting.append(eventually(lambda: fake.answered == 3 and fake.fetching == 2, 60))
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            data.fetch(range(100), image=IMAGE)
        thread.join()
        assert waiting == [True]
        assert eventually(lambda: fake.fetching == 0, 60)
