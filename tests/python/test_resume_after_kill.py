"""Training in several processes that is killed, and goes on as if it had not been."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.processes import Server

TRAINER = Path(__file__).parent / "support" / "kill_trainer.py"
WORLD = 2


def train(kind: str, server: Server, folder: Path, kill_rank: int | None = None) -> list[int]:
    """Exit codes by rank. `kill_rank` is killed at step 10, two behind a checkpoint."""
    folder.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    processes = []
    for rank in range(WORLD):
        place = {"RANK": rank, "WORLD_SIZE": WORLD, "LOCAL_RANK": rank, "MASTER_PORT": port}
        place |= {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": 1, "NODE_RANK": 0}
        step = 10 if rank == kill_rank else -1
        processes.append(
            subprocess.Popen(
                [sys.executable, str(TRAINER), kind, server.tcp, str(folder), str(step)],
                env={**os.environ, **{k: str(v) for k, v in place.items()}},
                stdout=subprocess.DEVNULL,
                stderr=(folder / f"rank{rank}.log").open("ab"),
            )
        )
    if kill_rank is not None:
        # As a job's manager does: one rank that is gone ends the others.
        processes[kill_rank].wait(500)
        for process in processes:
            process.kill()
    return [process.wait(500) for process in processes]


def trained_on(folder: Path, rank: int) -> dict[int, list[int]]:
    """Step → drawings; what came again behind a checkpoint counts once, if it is the same."""
    steps: dict[int, list[int]] = {}
    for line in (folder / f"rank{rank}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        assert steps.setdefault(entry["step"], entry["index"]) == entry["index"], entry["step"]
    return steps


@pytest.mark.parametrize("kind", ["ddp", "accelerate", "lightning"])
def test_killed_and_resumed_is_the_same_as_never_killed(
    kind: str, server: Server, tmp_path: Path
) -> None:
    if kind != "ddp" and importlib.util.find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert train(kind, server, whole) == [0, 0], (whole / "rank0.log").read_text()
    killed = train(kind, server, cut, kill_rank=1)
    assert killed[1] == -9, (cut / "rank1.log").read_text()
    assert not (cut / "weights.json").exists()
    assert train(kind, server, cut) == [0, 0], (cut / "rank0.log").read_text()
    seen: list[int] = []
    for rank in range(WORLD):
        wanted: dict[int, Any] = trained_on(whole, rank)
        assert len(wanted) == 14
        assert trained_on(cut, rank) == wanted
        seen += [index for step in range(7) for index in wanted[step]]
    assert len(seen) == len(set(seen)) == 1400  # seven steps of both are within an epoch
    weights = [json.loads((folder / "weights.json").read_text()) for folder in (whole, cut)]
    assert weights[0] == weights[1]
