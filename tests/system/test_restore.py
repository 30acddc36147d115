"""A copy of a store that is being served is that store."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import inkstream as client
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]
PLAN: dict[str, Any] = {"batch_size": 32, "image": 28, "epochs": 2, "codec": "none"}


def test_a_cursor_goes_on_with_a_copy_that_was_made_under_its_stream(
    binary: Path, inkstream: Run, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / "copy.ink"
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "a.log") as server:
        data = client.connect(server.address).dataset("quickdraw")
        wanted = [batch.image.tobytes() for batch in data.stream("train", **PLAN)]
        stream = data.stream("train", **PLAN)
        found = [next(stream).image.tobytes() for _ in range(7)]
        shutil.copytree(store, copy)
        found += [next(stream).image.tobytes() for _ in range(7)]
        cursor = json.loads(json.dumps(stream.state_dict()))
        stream.close()
    done = inkstream("verify", copy, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fingerprint"] == data.fingerprint
    with RunningServer(binary, [f"quickdraw={copy}"], tmp_path / "b.log") as server:
        restored = client.connect(server.address).dataset("quickdraw")
        assert restored.fingerprint == data.fingerprint
        found += [batch.image.tobytes() for batch in restored.stream("train", start=cursor, **PLAN)]
    assert found == wanted
