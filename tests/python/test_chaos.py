"""Servers that are killed, stopped and restarted at random, under clients that read on.

CHAOS_SECONDS: how long (default 10; 120 for the long form).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.processes import Server

READER = Path(__file__).parent / "support" / "chaos_reader.py"
SECONDS = float(os.environ.get("CHAOS_SECONDS", "10"))
WORLD = 4
# Half of the clients read through the library, half through grpcio, where there is one.
READERS: list[dict[str, str]] = [{}, {"INKSTREAM_LIBRARY": "none"}]


def start(where: Path, rank: int, **given: Any) -> subprocess.Popen[str]:
    task = where / f"rank{rank}.json"
    task.write_text(json.dumps({"rank": rank, "world": WORLD, "epochs": 3, **given}))
    return subprocess.Popen(
        [sys.executable, str(READER), str(task)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **READERS[rank % 2]},
    )


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    answer: dict[str, Any] = json.loads(output)
    return answer


class Chaos:
    """Does something to one of the servers, time and again; at most two are away at a time."""

    def __init__(self, servers: list[Server], seed: int) -> None:
        self._servers = servers
        self._random = random.Random(seed)
        self.done: list[str] = []

    def strike(self) -> None:
        victims = self._random.sample(self._servers, self._random.choice([1, 1, 1, 2]))
        what = self._random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        for victim in victims:
            victim.send(what)
        self.done.append(what.name)
        time.sleep(self._random.uniform(0.1, 1.8))
        for victim in victims:
            if what == signal.SIGSTOP:
                victim.send(signal.SIGCONT)
                continue
            assert victim.process.wait(60) == (0 if what == signal.SIGTERM else -what)
            assert victim.process.stdout is not None
            victim.process.stdout.close()
            victim.start(victim.tcp)
        time.sleep(self._random.uniform(0, 0.4))


@pytest.mark.timeout(120 + 4 * SECONDS)
def test_every_byte_is_that_of_an_undisturbed_run(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    homes = [tmp_path / f"server{number}" for number in range(3)]
    for home in homes:
        home.mkdir()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                Server(binary, store, home, "--rebalance", "3", "--grace", "10", "--workers", "1")
            )
            for home in homes
        ]
        quiet = [start(tmp_path, rank, addresses=[servers[0].tcp]) for rank in range(WORLD)]
        wanted = [answer_of(process)["hashes"] for process in quiet]
        assert len({h for hashes in wanted for h in hashes}) == sum(map(len, wanted))

        seed = random.SystemRandom().randrange(1 << 30)
        print("seed", seed)
        chaos = Chaos(servers, seed)
        addresses = [server.tcp for server in servers]
        readers = [
            start(tmp_path, rank, addresses=addresses, wanted=wanted[rank], seconds=SECONDS)
            for rank in range(WORLD)
        ]
        stack.callback(lambda: [reader.kill() for reader in readers])
        # Until one has done: where a machine is slow, their start alone takes that long.
        while all(reader.poll() is None for reader in readers):
            chaos.strike()
        answers = [answer_of(reader) for reader in readers]
        assert [a for a in answers if "wrong" in a] == [], (seed, chaos.done)
        assert all(a["passes"] >= 1 for a in answers)
        assert sum(a["reopened"] for a in answers) >= 2, chaos.done
        print(f"{len(chaos.done)} strikes, reopened", [a["reopened"] for a in answers])
