"""What servers of earlier releases would pass over is refused, not given as something else."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom
from typing import Any

import inkstream
import pytest
from inkstream import FixRequest, Strokes, Weights
from support.fake_server import Behaviour, FakeServer

TIMED = Strokes(9, times=True)
WEIGHTED = Weights(index=range(101), weights=[1.0] * 101)
ASKED: list[dict[str, Any]] = [{"strokes": TIMED}, {"sampling": WEIGHTED}]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: next(iter(asked)))
@pytest.mark.parametrize(
    "ask",
    [
        lambda data, **asked: next(data.stream("train", image=28, **asked)),
        lambda data, **asked: data.plan("train", **asked),
    ],
    ids=["stream", "plan"],
)
def test_a_server_that_would_pass_it_over_is_refused(
    ask: Callable[..., Any], asked: dict[str, Any]
) -> None:
    with FakeServer() as server, inkstream.connect(server.address) as client:
        data = client.dataset()
        with pytest.raises(FixRequest, match=r"^(strokes|sampling) = .* earlier release.*update"):
            ask(data, **asked)


def test_fetches_are_refused_alike() -> None:
    with FakeServer() as server, inkstream.connect(server.address) as client:
        data = client.dataset()
        assert data.fetch([3], image=28).rows == 1
        with pytest.raises(FixRequest, match=r"times=True.* which sends none; update it"):
            data.fetch([3], image=28, strokes=TIMED)


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients begin at the server that is listed first."""
    monkeypatch.setattr(SystemRandom, "randrange", lambda *_: 0)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: next(iter(asked)))
def test_a_stream_goes_on_where_nothing_is_passed_over(asked: dict[str, Any]) -> None:
    newer = Behaviour(refuses_unknown=True)
    with (
        FakeServer(Behaviour(refuses_unknown=True, vanish_after=3)) as first,
        FakeServer() as earlier,
        FakeServer(newer) as last,
        inkstream.connect([s.address for s in (first, earlier, last)]) as client,
    ):
        with client.dataset().stream("train", image=28, batch_size=10, **asked) as stream:
            assert len(list(stream)) == 10
            assert stream.stats()["endpoint"] == last.address
        assert [len(s.opened) for s in (first, earlier, last)] == [1, 1, 1]


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: next(iter(asked)))
def test_a_stream_that_has_only_an_earlier_server_left_says_so(asked: dict[str, Any]) -> None:
    with (
        FakeServer(Behaviour(refuses_unknown=True, vanish_after=3)) as first,
        FakeServer() as earlier,
        inkstream.connect([first.address, earlier.address], retry_for=1) as client,
    ):
        stream = client.dataset().stream("train", image=28, batch_size=10, **asked)
        next(stream)
        first.stop()
        with pytest.raises(inkstream.Unavailable, match=rf"{earlier.address} is of an earlier"):
            list(stream)
