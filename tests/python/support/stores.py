"""Small synthetic stores, made by the real binary."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]  # of the checkout


def make_store(binary: Path, where: Path, drawings: int, seed: int = 1, classes: int = 10) -> Path:
    source, store = where / "drawings.ndjson", where / "drawings.ink"
    generate = ["generate", "--drawings", drawings, "--seed", seed, "--classes", classes]
    ingest = ["ingest", source, "--store", store, "--split", "train=0.8,valid=0.2"]
    for command in ([*generate, "-o", source], ingest):
        done = subprocess.run(
            [str(binary), *map(str, command)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    return store


def next_generation(binary: Path, store: Path, where: Path, drawings: int) -> Path:
    """A copy of a store with others added: `drawings` of the other seed."""
    later = Path(shutil.copytree(store, where / "later.ink"))
    source = where / "more.ndjson"
    for command in (
        ["generate", "--drawings", drawings, "--seed", 2, "--classes", 10, "-o", source],
        ["ingest", source, "--store", later, "--append"],
    ):
        done = subprocess.run(
            [str(binary), *map(str, command)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    return later
