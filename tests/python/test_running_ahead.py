"""What a thread reads and makes ahead of the consumer, by readers of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import View
from inkstream._stream.prefetch import MAX_AHEAD
from support.processes import Server

READERS = ["here", "libinkstream", "grpcio"]


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


class Counted(Slow):
    """How many batches it was given."""

    given = 0

    def __call__(self, raw: Any, info: Any) -> Any:
        self.given += 1
        return super().__call__(raw, info)


def test_what_runs_ahead_gives_the_same(dataset: inkstream.Dataset) -> None:
    wanted = [batch.index.tolist() for batch in dataset.stream(batch_size=30)]
    stream = dataset.stream(batch_size=30)
    stream._iterator._convert = Slow(stream._iterator._convert)
    assert [batch.index.tolist() for batch in stream] == wanted


def test_it_runs_ahead_as_far_as_there_is_room_and_not_before_it_is_wanted(
    dataset: inkstream.Dataset,
) -> None:
    stream = dataset.stream(batch_size=30)
    counted = stream._iterator._convert = Counted(stream._iterator._convert)
    stream._iterator.info()
    running: Any = stream._iterator._prefetcher
    assert (counted.given, running.in_hand) == (0, 0)
    next(stream)
    for taken in range(1, 6):
        with running._changed:
            assert running._changed.wait_for(lambda: len(running._ready) == MAX_AHEAD // 2, 60)
        assert counted.given == taken + MAX_AHEAD // 2
        next(stream)
    stream.close()


def test_a_server_that_lacks_keys_is_sent_them_first(
    dataset: inkstream.Dataset, request: pytest.FixtureRequest
) -> None:
    some = dataset.fetch(index=range(600), columns=["key_id"]).key_id
    # Which the session's server was not sent for another of them.
    keys = inkstream.KeySet(some[READERS.index(request.node.callspec.params["dataset"]) :])
    batch = next(dataset.stream(View("", include_keys=keys), batch_size=30))
    assert batch.rows == 30
