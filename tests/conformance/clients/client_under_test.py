"""A client as a process that is told what to do; see README.md for the words."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import command_of

ROOT = Path(__file__).resolve().parents[3]
Words = dict[str, Any]
LONGEST = 90.0  # seconds that one answer may take


class Refused(Exception):
    """The client's error, as it told it."""

    def __init__(self, code: str, reason: str, message: str, retry_delay: float | None) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code, self.reason, self.message = code, reason, message
        self.retry_delay = retry_delay


class ClientUnderTest:
    """One process. `ask` blocks; errors are Refused, a dead client is EOFError."""

    def __init__(self, name: str, **environment: str) -> None:
        self.name = name
        self._numbers = itertools.count()
        self.process = subprocess.Popen(
            [*COMMANDS[name]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ENVIRONMENT.get(name, {}), **environment},
        )
        self._answers: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def tell(self, do: str, **words: Any) -> None:
        """A command whose answer `answer` takes later."""
        assert self.process.stdin is not None
        command = {"do": do, **words}
        if self.name == "cpp":
            command = command_of(command)
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Words:
        line = self._answers.get(timeout=LONGEST)
        if line is None:
            raise EOFError(f"{self.name} ended with {self.process.wait(10)}")
        answer: Words = json.loads(line)
        if "error" in answer:
            error = answer["error"]
            delay = error.get("retry_delay")
            raise Refused(error["code"], error["reason"], error["message"], delay)
        ok: Words = answer["ok"]
        return ok

    def ask(self, do: str, **words: Any) -> Words:
        self.tell(do, **words)
        return self.answer()

    def connect(self, *targets: str, **options: Any) -> Connection:
        name = f"c{next(self._numbers)}"
        described = self.ask("connect", **{"as": name}, targets=list(targets), **options)
        return Connection(self, name, described)

    def end(self) -> None:
        with suppress(BrokenPipeError, OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Connection:
    """One of its clients. `described`: what the dataset is."""

    client: ClientUnderTest
    name: str
    described: Words

    def ask(self, do: str, **words: Any) -> Words:
        return self.client.ask(do, on=self.name, **words)

    def close(self) -> None:
        self.ask("close")

    @contextmanager
    def stream(self, **plan: Any) -> Iterator[StreamUnderTest]:
        opened = self.open(**plan)
        try:
            yield opened
        finally:
            with suppress(EOFError, OSError):
                opened.close()

    def open(self, **plan: Any) -> StreamUnderTest:
        name = f"s{next(self.client._numbers)}"
        return StreamUnderTest(self.client, name, self.ask("open", **{"as": name}, **plan))

    def read(self, **plan: Any) -> list[Words]:
        """Every batch of a stream."""
        with self.stream(**plan) as stream:
            return stream.rest()


@dataclass
class StreamUnderTest:
    """One of its streams. `info`: what the server said at its opening."""

    client: ClientUnderTest
    name: str
    info: Words

    def ask(self, do: str, **words: Any) -> Words:
        return self.client.ask(do, stream=self.name, **words)

    def next(self, count: int = 1) -> list[Words]:
        batches: list[Words] = self.ask("next", count=count)["batches"]
        return batches

    def rest(self) -> list[Words]:
        answer = self.ask("next", count=100_000)
        assert answer["end"]
        batches: list[Words] = answer["batches"]
        return batches

    def state(self) -> Words:
        return self.ask("state")

    def stats(self) -> Words:
        return self.ask("stats")

    def seek(self, **place: int) -> Words:
        return self.ask("seek", **place)

    def close(self) -> None:
        self.ask("close")


_PYTHON = [sys.executable, str(Path(__file__).with_name("python_client.py"))]
_DRIVER = Path(
    os.environ.get("INKSTREAM_CPP_CLIENT") or ROOT / "build/tests/conformance_cpp_client"
)
COMMANDS = {"cpp": [str(_DRIVER)], "native": _PYTHON, "grpcio": _PYTHON, "here": _PYTHON}
ENVIRONMENT = {"grpcio": {"INKSTREAM_LIBRARY": "none"}}
CLIENTS = tuple(COMMANDS)


@dataclass(frozen=True)
class Way:
    """Which client, over what, with which codec and how many batches ahead, at which server."""

    client: str
    road: str  # tcp, unix, or here: no server
    codec: str = "none"
    ahead: int = 8
    server: int = 0

    def __str__(self) -> str:
        return f"{self.client}-{self.road}" + (f"-{self.codec}" if self.codec != "none" else "")

    def options(self) -> Words:
        return {"ahead": self.ahead}


# By grpcio alone Python draws no strokes: the README's table.
ROADS = [
    Way("cpp", "tcp"),
    Way("native", "tcp", server=1),
    Way("grpcio", "tcp", ahead=2),
    Way("cpp", "unix", ahead=1, server=1),
    Way("native", "unix", ahead=1),
    Way("grpcio", "unix", ahead=1, server=1),
    Way("here", "here"),
]
CODED = [
    Way("cpp", "tcp", "strokes", ahead=3, server=1),
    Way("native", "unix", "strokes"),
]
