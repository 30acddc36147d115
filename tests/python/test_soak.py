"""A server and a client that work for a long time in the same memory.

SOAK_SECONDS: how long (1800 for half an hour); skipped where it is not set. SOAK_REST: seconds
of rest between two rounds (default 0), for a machine that has other things to do.
"""

from __future__ import annotations

import gc
import os
import random
import re
import statistics
import time
from pathlib import Path

import inkstream
import pytest
from inkstream import Image, Strokes, View
from support.processes import Server, eventually

SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
# MiB: little, so that what the server keeps reaches its budgets soon.
MEMORY = 192
REST = float(os.environ.get("SOAK_REST", "0"))


def anonymous_memory(pid: int) -> float:
    """MiB that are this process's own; not the pages of stores, which are the kernel's to keep."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def work(client: inkstream.Client, chance: random.Random) -> None:
    """Opens a stream of some kind, reads some of it, and leaves it in some way."""
    data = client.dataset()
    view = View(
        chance.choice(["train", f"train[:{chance.randrange(60, 100)}%]"]),
        where={"recognized": True} if chance.random() < 0.3 else {},
        fold=(chance.randrange(4), 4) if chance.random() < 0.3 else None,
    )
    stream = data.stream(
        view,
        batch_size=chance.choice([1, 16, 100, 256]),
        image=Image(chance.choice([8, 28, 64, 128])),
        seed=chance.randrange(5),
        epochs="forever",
        tail=chance.choice(["drop", "partial", "pad"]),
        strokes=Strokes(40, ragged=True) if chance.random() < 0.3 else None,
        sampling=chance.choice(["uniform", "balanced:0.5"]),
        shuffle=chance.choice(["full", "window:100"]),
    )
    for _ in range(chance.randrange(200)):
        next(stream)
    if chance.random() < 0.5:
        stream.close()
    data.split("train", image=Image(28))[[1, 2, 3]]


@pytest.mark.skipif(SECONDS <= 0, reason="SOAK_SECONDS is not set")
@pytest.mark.timeout(int(SECONDS) + 300)
def test_memory_is_flat_on_both_sides(binary: Path, store: Path, tmp_path: Path) -> None:
    flags = ("--rebalance", "2", "--memory", f"{MEMORY}MiB")
    with Server(binary, store, tmp_path, *flags) as server:
        clients = [inkstream.connect(address) for address in (server.tcp, server.unix)]
        chance = random.Random(0)
        here: list[float] = []
        there: list[float] = []
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            work(chance.choice(clients), chance)
            time.sleep(REST)
            gc.collect()
            here.append(anonymous_memory(os.getpid()))
            there.append(anonymous_memory(server.process.pid))
        for name, seen in (("client", here), ("server", there)):
            # Pools fill up in the beginning; what counts is what comes after.
            quarter = len(seen) // 4
            early = statistics.median(seen[quarter : 2 * quarter])
            late = statistics.median(seen[-quarter:])
            middle = statistics.median(seen[2 * quarter : 3 * quarter])
            print(
                f"{name}: {len(seen)} rounds; MiB at the start {seen[0]:.0f}, in the second "
                f"quarter {early:.0f}, the third {middle:.0f}, the last {late:.0f}"
            )
            assert late < 1.05 * early + 8, (name, early, late)
        assert max(there) < MEMORY, max(there)
        assert eventually(lambda: not clients[0].status().get("streams"))
