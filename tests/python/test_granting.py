"""Credits that a consumer gives to a reader which another thread opens, reads and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import View
from inkstream._network.reader import BatchReader, End, ReadAhead
from support.processes import Server

READERS = ["here", "libinkstream", "grpcio"]
BY_CREDITS = ReadAhead(0, 1 << 20, False)


class Slow:
    """A converter that wants to run ahead, on a thread that reads by credits."""

    own_memory, slow = False, True

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, raw: Any, info: Any) -> Any:
        return self._inner(raw, info)


@pytest.fixture(params=READERS)
def dataset(
    request: pytest.FixtureRequest,
    store: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[inkstream.Dataset]:
    if request.param == "here":
        yield inkstream.open(store).dataset()
        return
    if request.param == "grpcio":
        monkeypatch.setattr("inkstream._network.connection.native_library", lambda: (None, ""))
    with inkstream.connect(server.tcp) as client:
        yield client.dataset()


@pytest.fixture
def reader_of(dataset: inkstream.Dataset) -> Callable[..., BatchReader]:
    """A reader that waits for credits, as a stream of these terms would open it."""

    def reader_of(view: str | View = "", batch_size: int = 30) -> BatchReader:
        plan = dataset.stream(view, batch_size=batch_size)._iterator.plan
        opening = plan.opening(dataset.name, dataset.fingerprint, None)
        connection: Any = dataset.client._connection
        endpoint = connection.channels().endpoints()[0]
        reader: BatchReader = connection.open_reader(endpoint, opening, BY_CREDITS)
        return reader

    return reader_of


def test_a_reading_thread_is_given_what_it_grants(dataset: inkstream.Dataset) -> None:
    wanted = [batch.index.tolist() for batch in dataset.stream(batch_size=30)]
    stream = dataset.stream(batch_size=30)
    stream._iterator._convert = Slow(stream._iterator._convert)
    assert [batch.index.tolist() for batch in stream] == wanted


def test_a_reader_that_is_over_is_nobodys(
    dataset: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = dataset.client._connection
    open_reader = type(connection).open_reader
    stream = dataset.stream(batch_size=30, shuffle="none")
    iterator = stream._iterator
    iterator._convert = Slow(iterator._convert)
    granted_to = []  # by whoever takes a batch while the reader ends

    def opened(*given: Any) -> BatchReader:
        reader: Any = open_reader(*given)
        cancel = reader.cancel

        def cancelled() -> None:
            running: Any = iterator._prefetcher
            granted_to.append(running._reader)
            cancel()

        reader.cancel = cancelled
        return reader  # type: ignore[no-any-return]

    monkeypatch.setattr(type(connection), "open_reader", opened)
    for _ in stream:
        pass
    reading: Any = iterator._prefetcher
    reading._thread.join()
    assert granted_to == [None]


def test_what_is_granted_behind_the_end_is_nothing(reader_of: Callable[..., BatchReader]) -> None:
    reader = reader_of(batch_size=1000)  # of 2,000
    reader.open()
    reader.grant(2)
    assert not isinstance(reader.read(), End)
    assert not isinstance(reader.read(), End)
    assert isinstance(reader.read(), End)
    reader.grant(1)
    reader.cancel()
    reader.grant(1)


def test_what_is_granted_before_it_is_open_is_not_lost(
    reader_of: Callable[..., BatchReader],
) -> None:
    reader = reader_of()
    reader.grant(2)  # as whoever waits for a batch does meanwhile
    reader.open()
    for _ in range(2):
        assert not isinstance(reader.read(), End)
    reader.cancel()


def test_nor_where_keys_are_sent_first(
    dataset: inkstream.Dataset,
    reader_of: Callable[..., BatchReader],
    request: pytest.FixtureRequest,
) -> None:
    some = dataset.fetch(index=range(600), columns=["key_id"]).key_id
    # Which the session's server was not sent for another of them.
    keys = inkstream.KeySet(some[READERS.index(request.node.callspec.params["dataset"]) :])
    reader = reader_of(View("", include_keys=keys))
    reader.grant(2)
    reader.open()
    for _ in range(2):
        assert not isinstance(reader.read(), End)
    reader.cancel()
