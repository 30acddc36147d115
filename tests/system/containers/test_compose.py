"""deploy/compose.yaml, from `up` to a trained model, with a server stopped on the way."""

from __future__ import annotations

import json
import socket
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
# Until it is told to end.
LONGER = """
services:
  trainer:
    command: ["--target", "dns:///inkstream:50051", "--epochs", "100000"]
"""


PORTS = ("PORT_A", "PORT_B", "PORT_PROMETHEUS")


@pytest.fixture
def ports() -> dict[str, int]:
    """Free ones, for whatever else of this machine has those of the file."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    free = {name: one.getsockname()[1] for name, one in zip(PORTS, sockets, strict=True)}
    for one in sockets:
        one.close()
    return free


@pytest.fixture
def environment(engine: Engine, ports: dict[str, int]) -> dict[str, str]:
    return engine.environment | {name: str(port) for name, port in ports.items()}


@pytest.fixture
def compose(
    engine: Engine, root: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[list[str]]:
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
        env=environment,
        capture_output=True,
        timeout=300,
        check=False,
    )
    for what in (("ps", "-a"), ("volume", "ls"), ("network", "ls")):
        assert "inkstream_" not in engine.podman(*what).stdout


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
    environment: dict[str, str],
    ports: dict[str, int],
    server_image: str,
    trainer_image: str,
    prometheus_image: str,
    grpcurl: Path,
) -> None:
    up = subprocess.run(
        [*compose, "up", "-d", "--no-build"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert up.returncode == 0, up.stdout + up.stderr

    def streams_of(name: str) -> bool:
        port = ports[name]
        done = subprocess.run(
            [str(grpcurl), "-plaintext", f"127.0.0.1:{port}",
             "inkstream.v1.DrawingService/GetStatus"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return '"streams"' in done.stdout

    eventually(lambda: streams_of("PORT_A") or streams_of("PORT_B"))
    at_a = streams_of("PORT_A")
    serving = "server-a" if at_a else "server-b"
    engine.podman("stop", f"inkstream_{serving}_1", timeout=120)
    assert engine.inspect(f"inkstream_{serving}_1", ".State.ExitCode") == "0"
    assert "reason=DRAIN" in engine.podman("logs", f"inkstream_{serving}_1").stderr
    eventually(lambda: streams_of("PORT_B" if at_a else "PORT_A"))
    engine.podman("stop", "-t", "60", "inkstream_trainer_1")
    log = engine.podman("logs", "inkstream_trainer_1").stdout
    assert engine.inspect("inkstream_trainer_1", ".State.ExitCode") == "0", log
    assert "trained: " in log
    engine.podman("start", f"inkstream_{serving}_1")

    prometheus = f"127.0.0.1:{ports['PORT_PROMETHEUS']}"

    def prometheus_sees_both() -> bool:
        answer = ask(f"{prometheus}/api/v1/query?query=sum(up{{job=%22inkstream%22}})")
        return '"2"' in json.dumps(answer)

    eventually(prometheus_sees_both)
    rules = json.dumps(ask(f"{prometheus}/api/v1/rules"))
    assert "InkstreamStarving" in rules and '"health": "err"' not in rules
