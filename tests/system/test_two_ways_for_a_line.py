"""Lines as Google writes them are read a short way; a blank in front forces the long one."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., subprocess.CompletedProcess[str]]

TOKENS = '[]{},:"\\-.019eE \r'


def _mutated(line: str, rng: random.Random) -> str:
    for _ in range(rng.randint(0, 2)):
        at = rng.randrange(len(line))
        skip, put = rng.choice([(1, ""), (1, rng.choice(TOKENS)), (0, rng.choice(TOKENS))])
        line = line[:at] + put + line[at + skip :]
    return line


def test_both_ways_keep_and_refuse_the_same(
    inkstream: Run, drawings_file: Path, tmp_path: Path
) -> None:
    rng = random.Random(5)
    good = drawings_file.read_text().splitlines()
    lines = [_mutated(rng.choice(good), rng) for _ in range(6000)]
    outcomes: list[tuple[str, dict[str, Any]]] = []
    for blank in ("", " "):
        file = tmp_path / f"{len(blank)}.ndjson"
        file.write_text("".join(f"{blank}{line}\n" for line in lines), newline="")
        store, errors = file.with_suffix(".ink"), file.with_suffix(".json")
        done = inkstream(
            "ingest", file, "--store", store, "--errors", errors, "--max-errors", "100%", "--json"
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(errors.read_text())
        assert report["kept"] > 1000
        assert report["skipped"] > 1000
        outcomes.append((json.loads(done.stdout)["fingerprint"], report["by_kind"]))
    assert outcomes[0] == outcomes[1]
