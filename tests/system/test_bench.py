"""`inkstream bench` against a server: figures that belong together, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from serving import RunningServer

Run = Callable[..., CompletedProcess[str]]
SHORTLY = ("--image", "28x28", "--batch", "64", "--seconds", "0.3")


@pytest.fixture
def server(inkstream: Run, binary: Path, tmp_path: Path) -> RunningServer:
    lines, store = tmp_path / "lines.ndjson", tmp_path / "drawings.ink"
    assert inkstream("generate", "--drawings", "500", "--seed", "1", "-o", lines).returncode == 0
    assert inkstream("ingest", lines, "--store", store).returncode == 0
    return RunningServer(binary, [str(store)], tmp_path / "log")


def test_figures_of_both_sides_as_json(inkstream: Run, server: RunningServer) -> None:
    with server:
        pixels = ("--codec", "none", "--streams", "2")
        done = inkstream("bench", "--target", server.address, "--json", *pixels, *SHORTLY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    figures = json.loads(done.stdout)
    assert figures["drawings"] == 64 * figures["batches"] > 0
    assert figures["bytes"] >= 28 * 28 * figures["drawings"]
    # It sends ahead, and what it sent before the first batch was there is not counted: eight
    # credits of each stream, and the batch that was taken.
    ahead = 2 * 9 * (figures["bytes"] // figures["batches"] + 1000)
    assert figures["server_bytes"] > figures["bytes"] - ahead
    assert figures["server_cpu_ms_per_1000_drawings"] > 0
    assert figures["client_cpu_ms_per_1000_drawings"] > 0
    waits = [figures[f"batch_wait_ms_{p}"] for p in ("p50", "p90", "p99")]
    assert waits == sorted(waits) and waits[0] > 0


def test_figures_of_both_sides_for_people(inkstream: Run, server: RunningServer) -> None:
    with server:
        done = inkstream("bench", "--target", server.address, *SHORTLY)
    assert done.returncode == 0, done.stderr
    for word in ("drawings/s", "batch wait", "p90", "client CPU", "server CPU", "server sent"):
        assert word in done.stdout
