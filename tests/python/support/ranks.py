"""Processes as torchrun starts them, one a rank, over gloo."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any

_AT_MOST = 600  # seconds, for what hangs: two ranks that share a busy core take minutes to import


def run_ranks(world: int, script: str, *arguments: str) -> list[Any]:
    """What each rank printed last, from JSON; None where it printed nothing."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    processes = []
    for rank in range(world):
        place = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "MASTER_PORT": port}
        environment = {**os.environ, **{k: str(v) for k, v in place.items()}}
        environment |= {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", script, *arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    printed = []
    try:
        for process in processes:
            output, errors = process.communicate(timeout=_AT_MOST)
            assert process.returncode == 0, errors
            lines = output.strip().splitlines()
            printed.append(json.loads(lines[-1]) if lines else None)
    finally:
        for process in processes:
            process.kill()  # where another one failed, it may wait for that
    return printed
