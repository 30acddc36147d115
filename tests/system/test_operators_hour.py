"""deploy/README.md's hour, run as written but for addresses, folder and what is built already."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest


@pytest.mark.timeout(1200)
def test_an_hour_with_nothing_but_the_readme(
    root: Path, prometheus_tools: Path, tmp_path: Path
) -> None:
    text = (root / "deploy/README.md").read_text()
    hour = text.split("## An hour")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", hour, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    names = ("A", "A_HTTP", "B", "B_HTTP", "PROMETHEUS")
    # In one shell, as a person has it; whatever happens, what it started ends with it.
    script = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=root,
        env=os.environ
        | dict(zip(names, addresses, strict=True))
        | {"SPARE": str(tmp_path), "PATH": f"{prometheus_tools}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    logs = {name: (tmp_path / name).read_text() for name in ("a.log", "b.log")}
    assert done.returncode == 0, done.stdout + done.stderr + str(logs)
    assert "trained: " in done.stdout
    assert "SUCCESS" in done.stdout  # of promtool
    assert any("reason=DRAIN" in log for log in logs.values()), logs
    assert all("stream opened" in log for log in logs.values()), logs


def test_the_commands_about_configuration_tls_and_tokens(
    root: Path, binary: Path, grpcurl: Path, store: Path, tmp_path: Path
) -> None:
    text = (root / "deploy/README.md").read_text()
    part = text.split("## Configuration")[1].split("\n## Behind a proxy")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    script = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ
        | dict(zip(("A", "A_HTTP"), addresses, strict=True))
        | {
            "SPARE": str(tmp_path),
            "STORE": str(store),
            "PATH": f"{binary.parent}:{grpcurl.parent}:{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    log = tmp_path / "tls" / "serve.log"
    said = log.read_text() if log.exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + said
    assert "SERVING" in done.stdout
    assert "inkstream.v1.DrawingService" in done.stdout
    assert '"preview"' in done.stdout
    assert "caller=token:trainer" in said
