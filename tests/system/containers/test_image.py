"""The server's image: locked down, on a store it cannot write."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import inkstream as client
import pytest
from engine import BASE, Engine

pytestmark = pytest.mark.timeout(3600)

ROOT = Path(__file__).resolve().parents[3]
# Of the binary, its libraries, and what they need (Cairo brings X11's and fonts' libraries).
ADDED_MEGABYTES = 65
SHELLS = ("/usr/bin/dash", "/usr/bin/bash")
LOCKED_DOWN = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=512m",
    "--pids-limit=256",
)


@pytest.fixture(scope="module")
def store(engine: Engine, server_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made by the image itself, in a folder that its user may write."""
    folder = tmp_path_factory.mktemp("store")
    folder.chmod(0o777)
    for command in (
        ["generate", "--drawings", "2000", "--seed", "1", "-o", "/stores/drawings.ndjson"],
        ["ingest", "/stores/drawings.ndjson", "--store", "/stores/drawings.ink"],
    ):
        engine.podman(
            "run", "--rm", *LOCKED_DOWN, "-v", f"{folder}:/stores", server_image, *command
        )
    return folder / "drawings.ink"


@pytest.fixture(scope="module")
def container(engine: Engine, server_image: str, store: Path) -> Iterator[str]:
    name = "inkstream-image-test"
    engine.podman("rm", "-f", name, check=False)
    engine.podman(
        "run", "-d", "--name", name, *LOCKED_DOWN, "-v", f"{store}:/data:ro",
        "-p", "127.0.0.1::50051", server_image,
    )  # fmt: skip
    yield name
    engine.podman("rm", "-f", name, check=False)


def test_the_image_becomes_healthy_by_its_own_check(engine: Engine, container: str) -> None:
    assert engine.healthy(container, 60), engine.podman("logs", container).stderr


def test_a_server_that_is_not_there_is_not_healthy(engine: Engine, server_image: str) -> None:
    done = engine.podman("run", "--rm", server_image, "health", "--timeout", "2", check=False)
    assert done.returncode == 1


def test_it_does_not_run_as_root_and_cannot_write_the_store(engine: Engine, container: str) -> None:
    assert engine.podman("exec", container, "id", "-u").stdout.strip() == "65532"
    for place in ("/data/new", "/stores/new"):
        done = engine.podman("exec", container, "touch", place, check=False)
        assert done.returncode != 0, place


def test_every_library_is_in_the_image(engine: Engine, container: str) -> None:
    libraries = engine.podman("exec", container, "ldd", "/usr/local/bin/inkstream").stdout
    assert "libgrpc++" in libraries
    assert "not found" not in libraries


def test_grpcurl_reaches_it_from_outside(engine: Engine, container: str, grpcurl: Path) -> None:
    assert engine.healthy(container, 60)
    port = engine.podman("port", container, "50051/tcp").stdout.strip()
    done = subprocess.run(
        [str(grpcurl), "-plaintext", "-d", '{"index": 3}', port,
         "inkstream.v1.DrawingService/InspectDrawing"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"preview"' in done.stdout


def test_sigterm_ends_it_with_exit_code_0(engine: Engine, server_image: str, store: Path) -> None:
    name = "inkstream-stop-test"
    engine.podman("rm", "-f", name, check=False)
    engine.podman("run", "-d", "--name", name, "-v", f"{store}:/data:ro", server_image)
    assert engine.healthy(name, 60)
    engine.podman("stop", "-t", "30", name)
    assert engine.inspect(name, ".State.ExitCode") == "0"
    engine.podman("rm", name)


def test_a_server_that_drains_is_not_healthy(
    engine: Engine, server_image: str, store: Path
) -> None:
    name = "inkstream-drain-test"
    engine.podman("rm", "-f", name, check=False)
    engine.podman(
        "run", "-d", "--name", name, *LOCKED_DOWN, "-v", f"{store}:/data:ro",
        "-p", "127.0.0.1::50051", server_image,
    )  # fmt: skip
    try:
        assert engine.healthy(name, 60)
        address = engine.podman("port", name, "50051/tcp").stdout.strip()
        data = client.connect(address).dataset()
        # Without a stream nothing drains.
        with data.stream("train", batch_size=8, image=8, epochs="forever") as stream:
            next(stream)
            engine.podman("kill", "--signal", "TERM", name)
            code = 0
            while code == 0:
                code = engine.podman("healthcheck", "run", name, check=False).returncode
            assert code == 1
            assert engine.inspect(name, ".State.Running") == "true"
        assert engine.podman("wait", name).stdout.strip() == "0"
    finally:
        engine.podman("rm", "-f", name, check=False)


def test_another_source_installs_nothing_again(
    engine: Engine, server_image: str, tmp_path: Path
) -> None:
    context = tmp_path / "context"
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split("\0")
    for file in filter(None, files):
        (context / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, context / file, follow_symlinks=False)
    with (context / "server" / "README.md").open("a") as readme:
        readme.write("Another one.\n")
    said = engine.build(context, "localhost/inkstream:changed", "server")
    steps = re.findall(r"^\[?.*STEP \d+/\d+: (.*)\n(.*)$", said, re.MULTILINE)
    installing = [after for step, after in steps if "install_debian.sh " in step]
    assert len(installing) >= 2, said
    assert all("Using cache" in after for after in installing), said
    copied = [after for step, after in steps if step == "COPY . ."]
    assert copied and "Using cache" not in copied[0]


def test_the_image_says_what_it_is(engine: Engine, server_image: str) -> None:
    (image,) = json.loads(engine.podman("image", "inspect", server_image).stdout)
    config = image["Config"]
    assert config["User"] == "65532:65532"
    for label in ("title", "description", "licenses", "version", "revision"):
        assert config["Labels"][f"org.opencontainers.image.{label}"]
    assert image["Healthcheck"]["Test"][0] == "CMD"  # no shell
    version = engine.podman("run", "--rm", server_image, "--version").stdout.split()[1]
    assert config["Labels"]["org.opencontainers.image.version"] == version
    history = json.dumps([config["Env"], image["History"]])
    assert "install_debian.sh" in history
    assert not re.search(r"(?i)token|password|secret|private key", history)


def test_the_image_is_small(engine: Engine, server_image: str) -> None:
    """Debian's base is most of it: what is ours and our libraries have a bound of their own."""
    (image,) = json.loads(engine.podman("image", "inspect", server_image).stdout)
    (base,) = json.loads(engine.podman("image", "inspect", BASE).stdout)
    added = (image["Size"] - base["Size"]) / 1e6
    print(f"{image['Size'] / 1e6:.0f} MB, of them {added:.0f} beside the base")
    assert added < ADDED_MEGABYTES


def test_the_sbom_in_the_image_is_of_the_image(engine: Engine, server_image: str) -> None:
    inside = ("run", "--rm", "--entrypoint")
    text = engine.podman(
        *inside, "cat", server_image, "/usr/share/doc/inkstream/sbom.spdx.json"
    ).stdout
    sbom = json.loads(text)
    listed = {package["name"]: package["versionInfo"] for package in sbom["packages"]}
    installed = engine.podman(
        *inside, "dpkg-query", server_image, "--show", "--showformat", "${Package} ${Version}\\n"
    ).stdout
    for line in installed.splitlines():
        name, version = line.split()
        assert listed[name] == version
    versions = json.loads(engine.podman("run", "--rm", server_image, "--version", "--json").stdout)
    assert listed["libgrpc++1.51"].startswith(versions["libraries"]["grpc"])


def test_it_serves_without_a_shell(engine: Engine, server_image: str, store: Path) -> None:
    """With every file of a shell hidden."""
    name = "inkstream-no-shell-test"
    engine.podman("rm", "-f", name, check=False)
    hidden = [word for shell in SHELLS for word in ("-v", f"/dev/null:{shell}:ro")]
    engine.podman(
        "run", "-d", "--name", name, *LOCKED_DOWN, *hidden, "-v", f"{store}:/data:ro", server_image
    )
    try:
        assert engine.podman("exec", name, "/bin/sh", "-c", "true", check=False).returncode != 0
        assert engine.healthy(name, 60), engine.podman("logs", name).stderr
        # Nothing but where something is mounted.
        changed = set(engine.podman("diff", name).stdout.split("\n")) - {""}
        assert changed <= {"A /data", "C /etc"}
    finally:
        engine.podman("rm", "-f", name)
