"""The built binary, grpcurl, a small store and a server on it, as a user has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import RunningServer

ROOT = Path(__file__).resolve().parents[2]
DRAWINGS = 2000

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def binary() -> Path:
    path = Path(os.environ.get("INKSTREAM_BINARY") or ROOT / "build" / "inkstream")
    if not path.is_file():
        pytest.fail(f"{path} is missing: run deploy/build.sh, or set INKSTREAM_BINARY")
    return path


@pytest.fixture(scope="session")
def grpcurl() -> Path:
    built = ROOT / ".cache" / "bin" / "grpcurl"
    found = os.environ.get("GRPCURL") or shutil.which("grpcurl") or str(built)
    if not Path(found).is_file():
        pytest.fail(f"{found} is missing: run deploy/install_grpcurl.sh, or set GRPCURL")
    return Path(found)


@pytest.fixture(scope="session")
def prometheus_tools(root: Path) -> Path:
    """The folder of prometheus and promtool."""
    done = subprocess.run(
        [str(root / "tests" / "install_prometheus.sh")],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.fail("tests/install_prometheus.sh failed")
    return Path(done.stdout.strip())


def go_tool(root: Path, name: str) -> Path:
    done = subprocess.run(
        [str(root / "tests" / "install_go_tool.sh"), name],
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip(f"THE HELM CHART IS NOT TESTED WITH {name.upper()}: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def helm(root: Path) -> Path:
    return go_tool(root, "helm")


@pytest.fixture(scope="session")
def kubeconform(root: Path) -> Path:
    return go_tool(root, "kubeconform")


@pytest.fixture(scope="session")
def inkstream(binary: Path) -> Run:
    """Runs the binary with these arguments; keyword `stdin` is text or bytes of a file."""

    def run(
        *arguments: str | Path, timeout: float = 120, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(binary), *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def drawings_file(inkstream: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic drawings as simplified NDJSON."""
    path = tmp_path_factory.mktemp("drawings") / "drawings.ndjson"
    done = inkstream("generate", "--drawings", str(DRAWINGS), "--seed", "1", "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def store(inkstream: Run, drawings_file: Path) -> Path:
    """Those drawings as a store with three splits."""
    path = drawings_file.with_name("drawings.ink")
    done = inkstream(
        "ingest", drawings_file, "--store", path, "--split", "train=0.8,valid=0.1,test=0.1"
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def server(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("server") / "server.log"
    with RunningServer(binary, [f"quickdraw={store}"], log) as running:
        yield running


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real drawings beside the checkout."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no real drawings in {path}")
    return path
