"""An older client on this server gets what a newer one does, and the other way round.

The older package is that of a commit in the history of the checkout. SKEW_SERVER: a program of
that commit, which is then served from too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import inkstream
import pytest
from serving import RunningServer

OLDER = "8da5aa5"
PROGRAM = Path(__file__).with_name("skewed_client.py")


@pytest.fixture(scope="module")
def older(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Python finds the package as it was."""
    archive = subprocess.run(
        ["git", "-C", str(root), "archive", OLDER, "client/python", "proto"],
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        pytest.skip(f"no commit {OLDER} here: {archive.stderr.decode().strip()}")
    if shutil.which("protoc") is None:
        pytest.skip("no protoc to make the older package's messages with")
    where = tmp_path_factory.mktemp("older")
    subprocess.run(["tar", "-x", "-C", str(where)], input=archive.stdout, check=True)
    source = where / "client" / "python" / "src"
    contract = sorted(str(path) for path in (where / "proto" / "inkstream").rglob("*.proto"))
    command = ["protoc", "-I", str(where / "proto"), f"--python_out={source}", *contract]
    subprocess.run(command, check=True)
    return source


def answers(server: RunningServer, package: Path | None) -> dict[str, Any]:
    environment = dict(os.environ)
    if package is not None:
        environment |= {"PYTHONPATH": str(package), "INKSTREAM_LIBRARY": "none"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), server.address],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_an_older_client_gets_the_same_bytes_and_errors(server: RunningServer, older: Path) -> None:
    assert answers(server, older) == answers(server, None)


def test_this_client_gets_the_same_bytes_and_errors_of_an_older_server(
    server: RunningServer, store: Path, tmp_path: Path
) -> None:
    program = os.environ.get("SKEW_SERVER")
    if program is None:
        pytest.skip(f"SKEW_SERVER names no program of commit {OLDER}")
    with RunningServer(Path(program), [f"quickdraw={store}"], tmp_path / "log") as before:
        assert answers(before, None) == answers(server, None)


def test_what_an_older_server_would_pass_over_is_refused(store: Path, tmp_path: Path) -> None:
    program = os.environ.get("SKEW_SERVER")
    if program is None:
        pytest.skip(f"SKEW_SERVER names no program of commit {OLDER}")
    with (
        RunningServer(Path(program), [f"quickdraw={store}"], tmp_path / "log") as before,
        inkstream.connect(before.address) as client,
    ):
        data = client.dataset()
        weights = inkstream.Weights(index=[0, 1], weights=[1, 2])
        timed = inkstream.Strokes(9, times=True)
        for asked in ({"sampling": weights}, {"strokes": timed}):
            with pytest.raises(inkstream.FixRequest, match="of an earlier release"):
                next(data.stream("train", **asked))
            with pytest.raises(inkstream.FixRequest, match="of an earlier release"):
                data.plan("train", **asked)
        with pytest.raises(inkstream.FixRequest, match="of an earlier release"):
            data.fetch([0], strokes=timed)
