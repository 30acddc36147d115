"""Every way of leaving a stream: nothing stays behind, here or on the server."""

from __future__ import annotations

import threading
import time

import inkstream
import pytest
from support.processes import Server, eventually, run_python


@pytest.fixture
def watcher(server: Server) -> inkstream.Client:
    client = inkstream.connect(server.tcp)
    assert eventually(lambda: not client.status().get("streams"))
    return client


def is_gone(client: inkstream.Client) -> bool:
    return eventually(lambda: not client.status().get("streams"), 10)


def endless(data: inkstream.Dataset) -> inkstream.Stream:
    return data.stream("train", batch_size=10, epochs="forever", image=inkstream.Image(64))


def readers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "inkstream-read"]


def test_breaking_off_and_dropping_the_stream(
    data: inkstream.Dataset, watcher: inkstream.Client
) -> None:
    stream = endless(data)
    for _ in stream:
        break
    assert len(watcher.status()["streams"]) == 1, "a stream that is kept goes on later"
    del stream, _
    assert is_gone(watcher)
    assert not readers()


def test_an_exception_in_the_loop(data: inkstream.Dataset, watcher: inkstream.Client) -> None:
    def train() -> None:
        for count, _ in enumerate(endless(data)):
            if count == 5:
                raise ArithmeticError("loss is nan")

    with pytest.raises(ArithmeticError) as caught:
        train()
    del caught  # its traceback holds the frame that holds the stream
    assert is_gone(watcher)
    assert not readers()


def test_a_with_block_ends_it_whatever_happens(
    data: inkstream.Dataset, watcher: inkstream.Client
) -> None:
    with pytest.raises(ArithmeticError), endless(data) as stream:
        next(stream)
        raise ArithmeticError
    assert is_gone(watcher)
    assert not readers()


def test_closing_while_another_thread_waits(being_read: inkstream.Stream) -> None:
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            while True:
                next(being_read)
        except inkstream.InkstreamError as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    being_read.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert isinstance(raised[0], inkstream.Closed)


@pytest.fixture
def being_read(data: inkstream.Dataset) -> inkstream.Stream:
    stream = endless(data)
    next(stream)
    return stream


def test_a_killed_process_leaves_no_stream(server: Server, watcher: inkstream.Client) -> None:
    program = (
        "import sys, os, signal, inkstream\n"
        "data = inkstream.connect(sys.argv[1]).dataset()\n"
        "stream = data.stream('train', batch_size=10, epochs='forever')\n"
        "next(stream)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run_python(program, server.tcp).returncode == -9
    assert is_gone(watcher)


def test_the_last_threads_are_gone_at_exit(server: Server) -> None:
    program = (
        "import sys, threading, inkstream\n"
        "data = inkstream.connect(sys.argv[1]).dataset()\n"
        "streams = [data.stream('train', batch_size=10, epochs='forever') for _ in range(8)]\n"
        "for stream in streams: next(stream)\n"
        "for stream in streams: stream.close()\n"
        "left = [t.name for t in threading.enumerate() if t.name == 'inkstream-read']\n"
        "assert not left, left\n"
    )
    done = run_python(program, server.tcp)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
