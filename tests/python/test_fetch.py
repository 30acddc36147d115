"""Random access is the same whatever makes the call, and does not outstay its welcome."""

from __future__ import annotations

import signal
import threading

import inkstream
import numpy as np
import pytest
from inkstream import Image
from support.fake_server import Behaviour, FakeServer
from support.processes import Server

IMAGE = Image(28)


def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkstream._network.connection.native_library", lambda: (None, "a test"))


@pytest.fixture(params=["libinkstream", "grpcio"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "grpcio":
        without_library(monkeypatch)
    name: str = request.param
    assert inkstream.connect("127.0.0.1:1").transport.split()[0] == name
    return name


def test_both_readers_give_the_same(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).integers(0, 2000, 300)
    columns = ["label", "word", "countrycode", "key_id"]

    def fetched(side: int) -> inkstream.Batch:
        data = inkstream.connect(server.tcp).dataset()
        return data.fetch(index=rows, image=Image(side), columns=columns)

    # The larger one is cut over several messages.
    native = [fetched(side) for side in (28, 224)]
    without_library(monkeypatch)
    for one, other in zip(native, [fetched(side) for side in (28, 224)], strict=True):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
        assert one.words() == other.words()
        assert one.classes == other.classes
        assert not one.image.flags.writeable


@pytest.mark.parametrize("max_data", [100, 777, 1 << 20])
def test_answers_are_whole_however_they_are_cut(reader: str, max_data: int) -> None:
    with FakeServer(Behaviour(max_data=max_data)) as fake:
        data = inkstream.connect(fake.address).dataset()
        batch = data.fetch(index=[7, 3, 7], image=IMAGE)
        assert batch.index.tolist() == [7, 3, 7]
        np.testing.assert_array_equal(batch.image[0], batch.image[2])


def test_arrays_outlive_the_client(reader: str, server: Server) -> None:
    with inkstream.connect(server.tcp) as client:
        data = client.dataset()
        kept = data.fetch(index=range(50), image=IMAGE).image
        copy = kept.copy()
        for _ in range(20):
            data.fetch(index=range(50, 100), image=IMAGE)
    del client, data
    np.testing.assert_array_equal(kept, copy)


@pytest.mark.parametrize("batches", [0, 2])
def test_an_answer_is_one_batch(reader: str, batches: int) -> None:
    with FakeServer(Behaviour(fetched=batches)) as fake:
        data = inkstream.connect(fake.address).dataset()
        with pytest.raises(inkstream.DataLoss, match="batches"):
            data.fetch(index=[1], image=IMAGE)


def test_a_silent_server_is_given_up(reader: str) -> None:
    with FakeServer(Behaviour(silent_fetches=True)) as fake:
        data = inkstream.connect(fake.address, stall=0.3, retry_for=0.5).dataset()
        with pytest.raises(inkstream.Unavailable, match="no server could go on"):
            data.fetch(index=[1], image=IMAGE)


def test_another_server_answers_for_a_silent_one(reader: str) -> None:
    with FakeServer(Behaviour(silent_fetches=True)) as silent, FakeServer() as other:
        targets = [silent.address, other.address]
        data = inkstream.connect(targets, stall=0.3, retry_for=30).dataset()
        for _ in range(4):
            assert data.fetch(index=[5], image=IMAGE).index.tolist() == [5]


def test_ctrl_c_ends_the_wait(reader: str) -> None:
    with FakeServer(Behaviour(silent_fetches=True)) as fake:
        data = inkstream.connect(fake.address).dataset()
        threading.Timer(
            0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)
        ).start()
        with pytest.raises(KeyboardInterrupt):
            data.fetch(index=[1], image=IMAGE)


def test_threads_fetch_beside_each_other(reader: str, server: Server) -> None:
    data = inkstream.connect(server.tcp).dataset()
    wrong: list[int] = []

    def fetch(first: int) -> None:
        for i in range(20):
            rows = [(first * 100 + i + k) % 2000 for k in range(40)]
            if data.fetch(index=rows, image=IMAGE).index.tolist() != rows:
                wrong.append(first)

    threads = [threading.Thread(target=fetch, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
