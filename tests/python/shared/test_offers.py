"""Offers to unrelated processes, and what is no offer."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from inkstream import FixRequest, InkstreamError, shared
from inkstream.shared import _keeper, _new_segment, _passing
from support.leaks import keepers

ATTACH = """
import sys
from inkstream import shared
value = shared.attach(sys.argv[1])
print(float(value["x"].sum()), value["name"], value["x"].flags.writeable, flush=True)
sys.stdin.read()
print(float(value["x"].sum()))
"""


def test_unrelated_processes_attach_to_an_offer_and_keep_it() -> None:
    x = np.arange(10_000.0)
    offer = shared.offer({"x": x, "name": "cats"})
    other = subprocess.Popen(
        [sys.executable, "-c", ATTACH, str(offer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == f"{x.sum()} cats False\n"
    ticket = str(offer)
    offer.close()
    with pytest.raises(ConnectionError, match="not held any more"):
        shared.attach(ticket)
    other.stdin.close()  # it still has what it attached to
    assert other.stdout.read() == f"{x.sum()}\n"
    assert other.wait(30) == 0
    other.stdout.close()


@pytest.mark.parametrize(
    "text",
    ["", "x", "inkstream-offer:1:zz", "inkstream-offer:1:abcd", "inkstream-offer:k:" + "00" * 16],
)
def test_what_is_no_ticket_is_named(text: str) -> None:
    with pytest.raises(FixRequest, match="not a ticket"):
        shared.attach(text)


def test_an_offer_needs_no_keeper_and_ends_with_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(_keeper._ADDRESS, raising=False)
    before = keepers()
    program = (
        "from inkstream import shared; import sys; o = shared.offer([1]); print(o, flush=True)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{program}; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None and holder.stdin is not None
    ticket = holder.stdout.readline().strip()
    assert shared.attach(ticket) == [1]
    assert keepers() == before
    holder.kill()
    holder.wait(30)
    holder.stdout.close()
    holder.stdin.close()
    with pytest.raises(ConnectionError, match="ended"):
        shared.attach(ticket)


def test_a_ticket_of_a_process_that_ended_is_an_error_not_a_wait() -> None:
    with pytest.raises(ConnectionError, match="ended"):
        shared.attach("inkstream-offer:999999999:" + "00" * 16)


def test_a_descriptor_that_could_still_change_is_refused() -> None:
    with (
        closing(_new_segment.NewSegment("inkstream-open", 4096)) as segment,
        pytest.raises(InkstreamError, match="no sealed segment"),
    ):
        _passing.map_checked(os.dup(segment.fd), 4096, b"x" * 16)
    with open("/dev/null") as file, pytest.raises(InkstreamError, match="no sealed segment"):
        _passing.map_checked(os.dup(file.fileno()), 4096, b"x" * 16)


def test_a_message_read_twice_is_refused_by_name() -> None:
    from multiprocessing.reduction import ForkingPickler

    shared.install(threshold=1000)
    message = bytes(ForkingPickler.dumps(np.zeros(1000)))
    assert pickle.loads(message).shape == (1000,)
    with pytest.raises(ConnectionError, match="taken before"):
        pickle.loads(message)
