"""What a client and a stream show of themselves."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import grpc
import inkstream
import pytest
from support.fake_server import Behaviour, FakeServer
from support.processes import Server, run_python


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_completion_offers_what_is_for_users(
    client: inkstream.Client, data: inkstream.Dataset
) -> None:
    assert public(client) == {"close", "dataset", "datasets", "status", "transport"}
    stream = {"class_to_idx", "classes", "close", "dataset", "explain", "load_state_dict"}
    assert public(data.stream("train")) == stream | {"seek", "state_dict", "stats"}


def test_a_client_is_shown_by_its_servers(store: Path, server: Server) -> None:
    assert repr(inkstream.connect("localhost:1", token="secret")) == "Client('localhost:1')"
    assert repr(inkstream.connect(["h:1", "dns:///g:2"])) == "Client('h:1, dns:///g:2')"


def test_what_is_alive_names_itself_where_it_is_pickled(data: inkstream.Dataset) -> None:
    with pytest.raises(TypeError, match=r"^a Stream cannot be pickled: it is a live connection"):
        pickle.dumps(data.stream("train"))


def test_status_is_numbers_and_complete(data: inkstream.Dataset) -> None:
    stream = data.stream("train", batch_size=10)
    next(stream)
    status = data.client.status()
    (report,) = [one for one in status["streams"] if one["fingerprint"] == data.fingerprint]
    for name in ("memory_budget_bytes", "batches_sent", "bytes_sent"):
        assert type(status[name]) is int
    assert status["draining"] is False
    for name in ("id", "rank", "epoch", "position", "drawings", "bytes", "step_stride"):
        assert type(report[name]) is int, name
    assert report["rank"] == report["epoch"] == 0
    assert type(report["seconds"]) is float
    assert report["codec"] == "none"
    assert report["warning"] == ""


SETTINGS = """
import os, inkstream
print(os.environ["GRPC_VERBOSITY"])
"""


def test_grpc_says_errors_alone_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRPC_VERBOSITY", raising=False)
    assert run_python(SETTINGS).stdout == "ERROR\n"
    assert run_python(SETTINGS, GRPC_VERBOSITY="INFO").stdout == "INFO\n"


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"timeout": 0}, "timeout = 0: give seconds, more than 0"),
        ({"stall": -1.0}, "stall = -1.0: give seconds, more than 0"),
        ({"timeout": float("inf")}, "timeout = inf"),
        ({"retry_for": float("nan")}, "retry_for = nan"),
        ({"retry_for": "5 s"}, "retry_for = '5 s'"),
        ({"timeout": None}, "timeout = None"),
        ({"token": 5}, "token is int, not a str"),
        ({"tls": 1}, "tls = 1: give True"),
        ({"tls": "nowhere.pem"}, "tls, 'ca': nowhere.pem: No such file"),
        ({"tls": {"cert": "nowhere.pem"}}, "tls, 'cert': nowhere.pem: No such file"),
        ({"tls": {"roots": "ca.pem"}}, "tls has no 'roots'"),
        ({"tls": {"ca": 3}}, "tls, 'ca': 3 is not the path of a PEM file"),
        ({"tls": inkstream.TLS(cert=__file__)}, "cert and key go together"),
        ({"tls": inkstream.TLS(server_name=3)}, "tls, 'server_name': 3 is not a str"),  # type: ignore[arg-type]
        ({"token": Path("nowhere.token")}, "token: nowhere.token: No such file"),
        ({"token": Path(__file__)}, "token has letters that no token has"),
        ({"token": "secret"}, "the token would go to h:1 in plaintext"),
        ({"token": b"secret"}, "token is bytes, not a str or the pathlib.Path"),
    ],
)
def test_how_to_connect_is_looked_at_at_once(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(inkstream.FixRequest, match=re.escape(said)):
        inkstream.connect("h:1", **keywords)


def test_a_fetch_that_a_server_cut_off_is_made_again() -> None:
    cut = (grpc.StatusCode.UNAVAILABLE, "slow reader: nothing was taken for 60 s")
    with FakeServer(Behaviour(refuse_fetches=[cut, cut])) as server:
        data = inkstream.connect(server.address).dataset()
        assert data.fetch(index=[3]).index.tolist() == [3]
        assert not server.behaviour.refuse_fetches
