"""A store that was written where memory has larger pages is the same store here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import inkstream as client
import pytest
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]
SPLITS = ("--split", "train=0.8,valid=0.1,test=0.1")
# Of LMDB's first page: a page's header, its magic and version, an address, a size.
PAGE_SIZE_AT = 16 + 4 + 4 + 8 + 8


@pytest.fixture
def large_pages(binary: Path, drawings_file: Path, tmp_path: Path) -> Path:
    library = tmp_path / "large_pages.so"
    source = Path(__file__).with_name("large_pages.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True, timeout=60
    )
    store = tmp_path / "large.ink"
    subprocess.run(
        [str(binary), "ingest", str(drawings_file), "--store", str(store), *SPLITS],
        env=os.environ | {"LD_PRELOAD": str(library)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return store


def page_bytes(store: Path) -> int:
    with (store / "segment-000000.mdb").open("rb") as segment:
        return int.from_bytes(segment.read(PAGE_SIZE_AT + 4)[PAGE_SIZE_AT:], "little")


def test_a_store_of_larger_pages_is_verified_and_gives_the_same_bytes(
    binary: Path, inkstream: Run, store: Path, large_pages: Path, tmp_path: Path
) -> None:
    assert (page_bytes(store), page_bytes(large_pages)) == (4096, 16384)
    told = []
    for path in (store, large_pages):
        done = inkstream("verify", path, "--json")
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout)["fingerprint"])
    assert told[0] == told[1]
    stores = [f"small={store}", f"large={large_pages}"]
    with (
        RunningServer(binary, stores, tmp_path / "log") as server,
        client.connect(server.address) as near,
    ):
        small, large = (
            [batch.image.tobytes() for batch in near.dataset(name).stream("train", image=28)]
            for name in ("small", "large")
        )
    assert small == large
    assert small
