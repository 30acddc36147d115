"""The image as built from deploy/Dockerfile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import Engine

ROOT = Path(__file__).resolve().parents[3]
SERVER_IMAGE = "localhost/inkstream:latest"
TRAINER_IMAGE = "localhost/inkstream-trainer:latest"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    for tool in ("buildah", "podman", "debootstrap"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: run deploy/install_debian.sh containers")
    made = Engine(ROOT / ".cache" / "containers")
    with made.locked():
        yield made


@pytest.fixture(scope="session")
def server_image(engine: Engine) -> str:
    engine.build(ROOT, SERVER_IMAGE, "server")
    return SERVER_IMAGE


@pytest.fixture(scope="session")
def trainer_image(engine: Engine) -> str:
    engine.build(ROOT, TRAINER_IMAGE, "trainer")
    return TRAINER_IMAGE
