"""deploy/compose.yaml, from `up` to a trained model, with a server stopped on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine import Engine

pytestmark = pytest.mark.timeout(3600)

PROMETHEUS = "docker.io/prom/prometheus:v2.53.4"
# Long enough for a server to be stopped meanwhile.
LONGER = """
services:
  trainer:
    command: ["--target", "dns:///inkstream:50051", "--epochs", "100"]
"""


@pytest.fixture
def compose(engine: Engine, root: Path, tmp_path: Path) -> Iterator[list[str]]:
    longer = tmp_path / "longer.yaml"
    longer.write_text(LONGER)
    command = [
        str(Path(sys.executable).with_name("podman-compose")),
        "-f",
        str(root / "deploy" / "compose.yaml"),
        "-f",
        str(longer),
    ]
    yield command
    subprocess.run(
        [*command, "down", "--volumes"],
        env=engine.environment,
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def prometheus_image(engine: Engine, prometheus_tools: Path) -> str:
    """Debian's Prometheus in the place of the one in a registry."""
    engine.stand_in(PROMETHEUS, prometheus_tools / "prometheus")
    return PROMETHEUS


def test_the_file_keeps_to_the_compose_specification(root: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            "--builtin-schema",
            "vendor.compose-spec",
            str(root / "deploy" / "compose.yaml"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def ask(address: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://{address}", timeout=10) as answer:
        read: dict[str, object] = json.load(answer)
    return read


def eventually(what: Callable[[], bool], seconds: float = 120) -> None:
    """Asks until it is so; a server that does not answer yet is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if what():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_a_trainer_survives_the_stop_of_its_server_and_both_are_watched(
    engine: Engine,
    compose: list[str],
    server_image: str,
    trainer_image: str,
    prometheus_image: str,
    grpcurl: Path,
) -> None:
    up = subprocess.run(
        [*compose, "up", "-d", "--no-build"],
        env=engine.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert up.returncode == 0, up.stdout + up.stderr

    def streams_of(port: int) -> bool:
        done = subprocess.run(
            [str(grpcurl), "-plaintext", f"127.0.0.1:{port}",
             "inkstream.v1.DrawingService/GetStatus"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return '"streams"' in done.stdout

    eventually(lambda: streams_of(50051) or streams_of(50052))
    serving = "server-a" if streams_of(50051) else "server-b"
    engine.podman("stop", f"inkstream_{serving}_1", timeout=120)
    assert engine.inspect(f"inkstream_{serving}_1", ".State.ExitCode") == "0"
    assert "reason=DRAIN" in engine.podman("logs", f"inkstream_{serving}_1").stderr
    exit_code = engine.podman("wait", "inkstream_trainer_1", timeout=600).stdout.strip()
    log = engine.podman("logs", "inkstream_trainer_1").stdout
    assert exit_code == "0", log
    assert "trained: " in log
    engine.podman("start", f"inkstream_{serving}_1")

    def prometheus_sees_both() -> bool:
        answer = ask("127.0.0.1:9090/api/v1/query?query=sum(up{job=%22inkstream%22})")
        return '"2"' in json.dumps(answer)

    eventually(prometheus_sees_both)
    rules = json.dumps(ask("127.0.0.1:9090/api/v1/rules"))
    assert "InkstreamStarving" in rules and '"health": "err"' not in rules
