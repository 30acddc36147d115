"""A store that loses a file while it is served: who is told what."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import inkstream as client
from serving import RunningServer


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def page(server: RunningServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{server.addresses['http']}/{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_readiness_and_metrics_tell_of_a_lost_file(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    first = Path(shutil.copytree(store, tmp_path / "first.ink"))
    second = Path(shutil.copytree(store, tmp_path / "second.ink"))
    names = [f"first={first}", f"second={second}"]
    log = tmp_path / "log"

    def serves(server: RunningServer, name: str) -> bool:
        done = subprocess.run(
            [binary, "health", "--target", server.address, "--service", name],
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode == 0

    def intact(server: RunningServer, name: str) -> str:
        text = page(server, "metrics")[1]
        found = re.search(rf'^inkstream_dataset_intact\{{dataset="{name}"\}} (\d)$', text, re.M)
        return found[1] if found else ""

    with RunningServer(binary, names, log, "--http", "127.0.0.1:0") as server:
        assert serves(server, "first") and serves(server, "second")
        wait_for(lambda: intact(server, "first") == intact(server, "second") == "1")
        os.truncate(first / "segment-000000.mdb", 4096)
        wait_for(lambda: not serves(server, "first"))
        assert intact(server, "first") == "0" and intact(server, "second") == "1"
        assert serves(server, "second") and serves(server, "")
        assert page(server, "readyz")[0] == 200
        with client.connect(server.address, timeout=60) as asking:
            assert asking.datasets() == ["first", "second"]
            for status in asking.status(), asking.status("first"):
                (lost,) = status["unavailable"]
                assert lost["dataset"] == "first" and "has 4096 now" in lost["problem"]
            assert len(asking.dataset("second")) > 0
        assert re.search(r"first: .*segment-000000.mdb.*has 4096 now", server.log)
        os.truncate(second / "segment-000000.mdb", 4096)
        wait_for(lambda: page(server, "readyz")[0] == 503)
        assert "segment-000000.mdb" in page(server, "readyz?verbose")[1]
        shutil.copy(store / "segment-000000.mdb", tmp_path / "whole")
        os.replace(tmp_path / "whole", first / "segment-000000.mdb")
        wait_for(lambda: serves(server, "first"))
        assert page(server, "readyz")[0] == 200
