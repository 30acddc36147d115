"""Every command of deploy/RUNBOOK.md, run as written against a live pair."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import inkstream as client
import pytest
from certificates import Authority
from prometheus_server import PrometheusServer
from serving import RunningServer

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```sh(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """(heading, what is needed or "", commands), in order."""
    found = []
    for part in re.split(r"^#+ ", (ROOT / "deploy/RUNBOOK.md").read_text(), flags=re.MULTILINE):
        heading = part.split("\n", 1)[0]
        found += [(heading, needs or "", text) for needs, text in BLOCK.findall(part)]
    return found


@pytest.fixture(scope="module")
def environment(
    binary: Path,
    grpcurl: Path,
    store: Path,
    prometheus_tools: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The runbook's variables, set to two servers with a stream, their store and Prometheus."""
    folder = tmp_path_factory.mktemp("runbook")
    authority = Authority(folder / "authority")
    tls = folder / "tls"
    for pair, at in ((authority.issue("old"), tls), (authority.issue("new"), tls / "next")):
        at.mkdir()
        shutil.copy(pair.cert, at / "tls.crt")
        shutil.copy(pair.key, at / "tls.key")
    shutil.copy(authority.ca, tls / "ca.crt")
    line = subprocess.run(
        [str(binary), "token", "trainer"], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    ).stdout.splitlines()[1]
    (folder / "tokens").write_text(f"{line}\n")
    served = folder / "drawings.ink"
    shutil.copytree(store, served)
    (folder / "spare").mkdir()
    config = folder / "serve.toml"
    config.write_text(f'store = "quickdraw={served}"\ndrain-delay = 0\n')
    flags = ("--http", "127.0.0.1:0", "--config", str(config))
    with (
        RunningServer(binary, [], folder / "a.log", *flags) as a,
        RunningServer(binary, [], folder / "b.log", *flags) as b,
        RunningServer(
            binary,
            [],
            folder / "secure.log",
            *(*flags, "--tokens", str(folder / "tokens")),
            *("--tls-cert", str(tls / "tls.crt"), "--tls-key", str(tls / "tls.key")),
        ) as secure,
        PrometheusServer(
            prometheus_tools / "prometheus",
            folder,
            ROOT / "deploy/monitoring/alerts.yaml",
            [a.addresses["http"], b.addresses["http"]],
        ) as prometheus,
    ):
        stream = client.connect(a.address).dataset("quickdraw").stream("train", image=28)
        next(stream)
        yield os.environ | {
            "PATH": f"{binary.parent}:{grpcurl.parent}:{os.environ['PATH']}",
            "A": a.address,
            "B": b.address,
            "A_HTTP": a.addresses["http"],
            "B_HTTP": b.addresses["http"],
            "SECURE": secure.address,
            "SECURE_HTTP": secure.addresses["http"],
            "TLS": str(tls),
            "TOKENS": str(folder / "tokens"),
            "STORE": str(served),
            "CONFIG": str(config),
            "A_PID": str(a.process.pid),
            "B_PID": str(b.process.pid),
            "SPARE": str(folder / "spare"),
            "PROMETHEUS": prometheus.address,
        }
        stream.close()


# In the order of the page: a later command may need what an earlier one made.
@pytest.mark.parametrize(
    ("heading", "commands"), [(heading, text) for heading, needs, text in blocks() if not needs]
)
def test_a_command_does_what_it_is_there_for(
    heading: str, commands: str, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{heading}:\n{commands}\n{done.stdout}\n{done.stderr}"


def test_what_is_not_run_here_needs_what_is_not_here() -> None:
    """Those for Kubernetes are run by kubernetes/test_cluster.py, against a real API server.

    `systemctl` speaks to systemd as the first process of a machine, which a test's is not: no test
    runs it. What it comes to for a server, a SIGTERM, the drain and a start, is test_systemd.py's.
    """
    assert {needs for _, needs, _ in blocks()} == {"", "kubernetes", "systemd"}
    for heading, needs, text in blocks():
        if needs:
            programs = {line.split()[0] for line in text.splitlines()}
            assert programs <= {"helm", "kubectl", "systemctl"}, heading


def test_every_link_within_the_page_has_a_target() -> None:
    text = (ROOT / "deploy/RUNBOOK.md").read_text()
    headings = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
