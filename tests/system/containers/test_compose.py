"""deploy/compose.yaml, from `up` to a trained model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import Engine

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def compose(engine: Engine, root: Path) -> Iterator[list[str]]:
    command = [
        str(Path(sys.executable).with_name("podman-compose")),
        "-f",
        str(root / "deploy" / "compose.yaml"),
    ]
    yield command
    subprocess.run(
        [*command, "down", "--volumes"],
        env=engine.environment,
        capture_output=True,
        timeout=300,
        check=False,
    )


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


def test_a_sample_is_ingested_served_and_trained_on(
    engine: Engine, compose: list[str], server_image: str, trainer_image: str
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
    exit_code = engine.podman("wait", "inkstream_trainer_1", timeout=600).stdout.strip()
    log = engine.podman("logs", "inkstream_trainer_1").stdout
    assert exit_code == "0", log
    assert "trained: " in log
