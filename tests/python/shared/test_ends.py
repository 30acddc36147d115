"""What is left when processes end, violently or not, or send very much: nothing."""

from __future__ import annotations

import gc
import multiprocessing as mp
import os
import pickle
import signal
import subprocess
import sys
import threading
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np
import pytest
from inkstream import shared
from inkstream.shared import _keeper
from support.leaks import descriptors, keepers, mapped_segments, segment_bytes, segments_of
from support.processes import eventually

FAMILY = """
import multiprocessing as mp, os, sys, time
import numpy as np
from inkstream import shared
from inkstream.shared import _keeper
_keeper._LINGER = 1.0
shared.install(threshold=1000)
kept = shared.share(np.ones(500_000))
def work(queue, kept):
    queue.put(np.full(1_000_000, 2.0))
    print("sent", flush=True)
    time.sleep(600)
if __name__ == "__main__":
    queue = mp.get_context("fork").Queue()
    children = [mp.get_context("fork").Process(target=work, args=(queue, kept)) for _ in range(2)]
    for child in children: child.start()
    first = queue.get()
    print("pids", os.getpid(), *[c.pid for c in children], flush=True)
    time.sleep(600)
"""


def test_kill_9_of_everybody_leaves_neither_keeper_nor_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(_keeper._ADDRESS, raising=False)  # a family of its own
    ours = set(keepers())
    before = segment_bytes()
    names = set(os.listdir("/dev/shm"))
    family = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True)
    assert family.stdout is not None
    pids: list[int] = []
    while not pids:
        line = family.stdout.readline()
        assert line
        if line.startswith("pids"):
            pids = [int(word) for word in line.split()[1:]]
    assert segment_bytes() - before > 4_000_000
    assert len(set(keepers()) - ours) == 1
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    family.wait(30)
    family.stdout.close()
    assert eventually(lambda: not set(keepers()) - ours, 60)
    assert eventually(lambda: segment_bytes() - before < 1_000_000)
    assert set(os.listdir("/dev/shm")) <= names


def _put_and_die(queue: Any) -> None:
    shared.install(threshold=1000)
    queue.put(np.arange(100_000))
    queue.close()
    queue.join_thread()  # the message is in the pipe
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_sender_had_sent_arrives(context: BaseContext) -> None:
    queue = context.Queue()
    child = context.Process(target=_put_and_die, args=(queue,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert queue.get(timeout=60).sum() == np.arange(100_000).sum()


def test_a_killed_keeper_costs_what_was_on_its_way_and_nothing_else() -> None:
    from multiprocessing.reduction import ForkingPickler

    shared.install(threshold=1000)
    kept = shared.share(np.ones(5000))
    lost = bytes(ForkingPickler.dumps(np.zeros(1000)))
    for keeper in keepers():
        os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not keepers())
    with pytest.raises(ConnectionError):
        pickle.loads(lost)
    assert pickle.loads(ForkingPickler.dumps(np.full(1000, 4.0))).sum() == 4000
    assert kept.sum() == 5000


def test_a_thousand_transfers_leave_no_descriptor() -> None:
    shared.install(threshold=1000)
    receive, send = mp.Pipe(duplex=False)
    send.send(np.zeros(1000))
    receive.recv()
    before = descriptors()
    held = []
    for i in range(1000):
        send.send(np.full(1000, i))
        held.append(receive.recv())
    assert descriptors() == before  # not even while the arrays live
    assert mapped_segments() == 1000
    assert all(array[0] == i for i, array in enumerate(held))
    held.clear()
    gc.collect()
    assert mapped_segments() == 0
    receive.close()
    send.close()


def test_views_keep_their_segment_and_only_they() -> None:
    def part() -> np.ndarray:
        return shared.share({"a": np.arange(1000), "b": np.zeros(1000)})["a"][100:][::3]

    view = part()
    gc.collect()
    assert segments_of() == 1
    assert view[1] == 103
    del view
    gc.collect()
    assert segments_of() == mapped_segments() == 0


def test_many_threads_send_at_once() -> None:
    shared.install(threshold=1000)
    failures: list[BaseException] = []

    def back_and_forth(number: int) -> None:
        receive, send = mp.Pipe(duplex=False)
        try:
            for i in range(30):
                send.send(np.full(2000, number * 100 + i))
                assert (receive.recv() == number * 100 + i).all()
        except BaseException as error:
            failures.append(error)
        finally:
            receive.close()
            send.close()

    threads = [threading.Thread(target=back_and_forth, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
