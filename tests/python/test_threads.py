"""Several threads on one stream: one reads, the others are told so, and nothing is mixed up."""

from __future__ import annotations

import json
import threading
from typing import Any

import inkstream
import pytest
from inkstream import Image
from support.fake_server import Behaviour, FakeServer
from support.processes import Server, eventually, run_python

# Prints every batch that any of the threads got.
HAMMER = """
import json, sys, threading, inkstream
target, threads = sys.argv[1], int(sys.argv[2])
data = inkstream.connect(target).dataset()
stream = data.stream("train", epochs=3, batch_size=8, image=inkstream.Image(8))
found, lock, together = [], threading.Lock(), threading.Barrier(threads)

def read():
    together.wait()
    while True:
        try:
            batch = next(stream)
        except inkstream.WrongThread:
            continue
        except StopIteration:
            return
        with lock:
            found.append([batch.cursor["epoch"], batch.cursor["position"], batch.index.tolist()])

readers = [threading.Thread(target=read) for _ in range(threads)]
for reader in readers: reader.start()
for reader in readers: reader.join()
print(json.dumps(sorted(found)))
"""


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("way", ["tcp", "unix", "grpcio"])
def test_threads_that_try_again_get_each_batch_once(
    server: Server, data: inkstream.Dataset, way: str, threads: int
) -> None:
    plain = data.stream("train", epochs=3, batch_size=8, image=Image(8))
    wanted = [[b.cursor["epoch"], b.cursor["position"], b.index.tolist()] for b in plain]
    target = server.unix if way == "unix" else server.tcp
    library = {"INKSTREAM_LIBRARY": "none"} if way == "grpcio" else {}
    # In a process of its own: what this guards against is a crash.
    done = run_python(HAMMER, target, str(threads), **library)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted(wanted)


class Waiting:
    """A thread that waits in `take` of a stream whose server has fallen silent."""

    def __init__(self, take: Any, moving: threading.Lock) -> None:
        self.raised: list[BaseException] = []
        self._take = take
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert eventually(moving.locked)

    def _run(self) -> None:
        try:
            self._take()
        except BaseException as error:
            self.raised.append(error)

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture(params=["libinkstream", "grpcio"])
def silent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A dataset whose streams give two batches and no third one."""
    if request.param == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )
    with FakeServer(Behaviour(silent_after=2)) as server:
        yield inkstream.connect(server.address).dataset()


def test_a_stream_that_is_being_read_says_so_to_other_threads(silent: inkstream.Dataset) -> None:
    stream = silent.stream(batch_size=10)
    taken = [next(stream), next(stream)]
    waiting = Waiting(lambda: next(stream), stream._iterator._moving)
    for use in (
        lambda: next(stream),
        lambda: stream.seek(0, 1),
        lambda: stream.load_state_dict(taken[0].cursor),
    ):
        with pytest.raises(inkstream.WrongThread, match="being read already"):
            use()
    assert stream.state_dict() == taken[1].cursor
    assert stream.stats()["batches"] == 2
    stream.close()
    waiting.join()
    assert [type(error) for error in waiting.raised] == [inkstream.Closed]


def test_the_state_may_be_asked_for_while_the_first_batch_is_awaited() -> None:
    with FakeServer(Behaviour(silent_after=0)) as server:
        stream = inkstream.connect(server.address).dataset().stream(batch_size=10)
        waiting = Waiting(lambda: next(stream), stream._iterator._moving)
        assert stream.state_dict()["position"] == 0
        assert len(server.opened) == 1
        stream.close()
        waiting.join()


def test_a_loader_that_is_being_read_says_so_to_other_threads(silent: inkstream.Dataset) -> None:
    loader = inkstream.torch.loader(silent, batch_size=10, rank=0, world=1)
    batches = iter(loader)
    last = [next(batches), next(batches)][1]
    waiting = Waiting(lambda: next(batches), loader._iterator._moving)
    with pytest.raises(inkstream.WrongThread, match="being read already"):
        next(iter(loader))
    with pytest.raises(inkstream.WrongThread, match="being read already"):
        loader.load_state_dict(last.cursor)
    assert loader.state_dict() == last.cursor
    loader.close()
    waiting.join()
