"""Forks under running streams: both sides go on, the child with connections of its own."""

from __future__ import annotations

import multiprocessing

import inkstream
import pytest
from inkstream import Image
from support.processes import Server, run_python

# Prints how many children found what they should.
FORKS = """
import os, sys, threading, inkstream
target, codec = sys.argv[1:]
# grpcio may forget a call that a fork meets, which is told by its silence alone.
data = inkstream.connect(target, stall=3).dataset()
terms = dict(batch_size=64, image=inkstream.Image(64), codec=codec)

def first():
    with data.stream(**terms) as stream:
        return next(stream).image.tobytes()

wanted, fetched = first(), data.fetch(index=range(20), image=inkstream.Image(64)).image.tobytes()
stop = threading.Event()

def read():
    with data.stream(epochs="forever", **terms) as stream:
        while not stop.is_set():
            next(stream)

def fetch():
    while not stop.is_set():
        assert data.fetch(index=range(20), image=inkstream.Image(64)).image.tobytes() == fetched

beside = [threading.Thread(target=work) for work in (read, fetch)]
for thread in beside: thread.start()
stream = data.stream(epochs="forever", **terms)
well = 0
try:
    for turn in range(100):
        next(stream)
        child = os.fork()
        if child == 0:
            try:
                next(stream)
                os._exit(1)
            except inkstream.WrongProcess:
                pass
            # Every fourth one reads: it connects anew, which takes a while.
            if turn % 4 == 0 and first() != wanted:
                os._exit(2)
            os._exit(0)
        well += os.waitpid(child, 0)[1] == 0
finally:
    stop.set()
    for thread in beside: thread.join()
print(well, stream.stats()["codec"])
"""


PIXELS = pytest.param(
    "none",
    marks=pytest.mark.xfail(
        strict=False,
        reason="grpcio loses or garbles a call of pixels that a fork meets, or ends the child, in "
        "one run of three: client/python/NOTES.md, Forks",
    ),
)


@pytest.mark.parametrize("codec", ["strokes", PIXELS])
def test_a_hundred_forks_under_streams_and_fetches(server: Server, codec: str) -> None:
    done = run_python(FORKS, server.tcp, codec)
    assert done.stdout == f"100 {codec}\n", done.stdout + done.stderr
    told = [line for line in done.stderr.splitlines() if not line.startswith("going on at ")]
    assert told == []


def first_of(data: inkstream.Dataset) -> tuple[bytes, str, str]:
    with data.stream(batch_size=64, image=Image(64), codec="strokes") as stream:
        image = next(stream).image.tobytes()
        return image, stream.stats()["codec"], data.client.transport


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_one_reader_for_every_way_to_start_a_process(data: inkstream.Dataset, method: str) -> None:
    with data.stream(batch_size=64, image=Image(64), codec="strokes", epochs="forever") as running:
        wanted = next(running).image.tobytes()
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.map(first_of, [data] * 4)
        next(running)
    assert found == [(wanted, "strokes", "libinkstream")] * 4
