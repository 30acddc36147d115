"""Every row of the README's table, at two ranks: nothing missed, nothing twice, gone on with."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import inkstream
import pytest
from support import which_with_what
from support.processes import Server
from support.ranks import run_ranks
from support.stores import ROOT

README = (ROOT / "client" / "python" / "README.md").read_text()
TABLE = README.partition("## Which of Loader")[2].partition("\n## ")[0]
TITLES = [line.split("|")[1].strip() for line in re.findall(r"^\| .*", TABLE, flags=re.M)][1:]

# Title → the framework's program, its ways that the row names, what must be installed.
ROWS: dict[str, tuple[str, list[str], str]] = {
    "a loop of your own, torchrun": ("torch", ["loader"], "torch"),
    "several stores or views, mixed": ("torch", ["mixed"], "torch"),
    "Lightning": ("lightning", ["module", "loader"], "lightning"),
    "Lightning Fabric": ("fabric", ["loader", "iterable"], "lightning"),
    "Accelerate": ("accelerate", ["loader", "loader, skipped"], "accelerate"),
    "Hugging Face Trainer": (
        "trainer",
        ["loader", "loader, state kept", "mapped"],
        "transformers",
    ),
    "Accelerate and a `DataLoader`": ("accelerate", ["iterable", "sampled"], "accelerate"),
    "torch's DataLoader, batches": ("torch", ["batches"], "torch"),
    "torch's DataLoader, a stream's order": ("torch", ["order"], "torch"),
    "torch's samplers, Subset, random_split": ("torch", ["samplers", "subset"], "torch"),
    "torchdata's StatefulDataLoader": ("torch", ["stateful", "stateful, sampled"], "torchdata"),
}


@cache
def seen_by_ranks(address: str, framework: str, where: Path) -> Any:
    program = Path(which_with_what.__file__).read_text()
    return run_ranks(2, program, address, framework, str(where))


@pytest.mark.parametrize("title", TITLES)
def test_a_row(
    server: Server,
    data: inkstream.Dataset,
    tmp_path_factory: pytest.TempPathFactory,
    title: str,
) -> None:
    framework, ways, needed = ROWS[title]
    pytest.importorskip(needed)
    where = tmp_path_factory.getbasetemp() / "which_with_what" / framework
    ranks = seen_by_ranks(server.tcp, framework, where)
    size = len(data["train"])
    for way in ways:
        first, second = (rank[way][0] for rank in ranks)
        drawings = [i for batches in (first, second) for batch in batches for i in batch]
        whole = size - size % (2 * which_with_what.BATCH)
        assert len(set(drawings)) >= whole, way
        # Frameworks fill up the last step with drawings that were there.
        assert len(drawings) - len(set(drawings)) < 2 * which_with_what.BATCH, way
        for rank in ranks:
            whole_epoch, *resumed = rank[way]
            for rest in resumed:
                assert rest == whole_epoch[which_with_what.AT :], way
