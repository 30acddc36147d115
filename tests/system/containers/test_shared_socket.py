"""A Unix socket between two containers that have nothing in common but a volume."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import Engine
from test_image import LOCKED_DOWN

pytestmark = pytest.mark.timeout(3600)

SOCKET = "unix:/sockets/ink.sock"
MAKE_AND_SERVE = """
inkstream generate --drawings 2000 --seed 1 -o - | inkstream ingest - --store /tmp/d.ink
exec inkstream serve --store /tmp/d.ink --unix /sockets/ink.sock
"""
READ_TWICE = """
import hashlib, inkstream
def read(target, **options):
    data = inkstream.connect(target).dataset()
    stream = data.stream("train", batch_size=64, image=inkstream.Image(28, 28), **options)
    digest = hashlib.sha256()
    for batch in stream:
        digest.update(batch.image.tobytes())
    return stream.stats(), digest.hexdigest()
drawn, here = read("unix:/sockets/ink.sock")
sent, there = read("unix:/sockets/ink.sock", codec="none")
print(drawn["transport"], drawn["codec"], sent["codec"], there == here)
"""


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sockets")
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def server(engine: Engine, server_image: str, sockets: Path) -> Iterator[str]:
    name = "inkstream-socket-test"
    engine.podman("rm", "-f", name, check=False)
    engine.podman(
        "run", "-d", "--name", name, *LOCKED_DOWN, "--tmpfs", "/tmp",
        "-v", f"{sockets}:/sockets", "--network=none", "--entrypoint", "/bin/sh", server_image,
        "-ec", MAKE_AND_SERVE,
    )  # fmt: skip
    yield name
    engine.podman("rm", "-f", name, check=False)


def run(engine: Engine, sockets: Path, image: str, *command: str, program: str = "") -> str:
    """What a command in a container of its own prints; the volume is all it shares."""
    entry = ["--entrypoint", program] if program else []
    return engine.podman(
        "run", "--rm", *LOCKED_DOWN, "--network=none", "-v", f"{sockets}:/sockets", *entry,
        image, *command,
    ).stdout  # fmt: skip


def wait_until_ready(engine: Engine, sockets: Path, server: str) -> None:
    for _ in range(60):
        done = engine.podman("exec", server, "inkstream", "health", "--target", SOCKET, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.5)
    pytest.fail(engine.podman("logs", server).stderr)


def test_batches_go_from_one_container_to_another(
    engine: Engine, server: str, server_image: str, sockets: Path
) -> None:
    wait_until_ready(engine, sockets, server)
    told = run(
        engine, sockets, server_image,
        "bench", "--target", SOCKET, "--image", "28x28", "--seconds", "1", "--json",
    )  # fmt: skip
    figures = json.loads(told)
    assert figures["drawings_per_second"] > 0, told


def test_python_in_a_container_reads_the_same_bytes_drawn_here_and_there(
    engine: Engine, server: str, trainer_image: str, sockets: Path
) -> None:
    wait_until_ready(engine, sockets, server)
    told = run(
        engine, sockets, trainer_image, "-c", READ_TWICE, program="/opt/inkstream/bin/python"
    )
    assert told.split() == ["grpc", "strokes", "none", "True"], told
