"""The HTTP port: figures for Prometheus, probes for whoever restarts servers."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import inkstream as client
import pytest
from serving import RunningServer

Run = Callable[..., CompletedProcess[str]]


def get(server: RunningServer, path: str) -> str:
    with urllib.request.urlopen(f"http://{server.addresses['http']}{path}", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def value(page: str, name: str, **labels: str) -> float:
    """The one sample of that name which has these labels."""
    found = [
        float(number)
        for written, number in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", page, re.MULTILINE)
        if all(f'{key}="{text}"' in written for key, text in labels.items())
    ]
    assert len(found) == 1, (name, labels, page)
    return found[0]


@pytest.fixture
def server(binary: Path, store: Path, tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(binary, [str(store)], tmp_path / "log", "--http", "127.0.0.1:0") as running:
        yield running


def test_the_waits_of_streams_are_in_the_metrics_while_they_are_open(
    server: RunningServer,
) -> None:
    data = client.connect(server.address).dataset()
    with data.stream("train", batch_size=64, image=client.Image(28), epochs="forever") as stream:
        for _ in range(20):
            next(stream)
        page = get(server, "/metrics")
        waits = [
            value(page, "inkstream_stream_seconds_total", dataset="quickdraw", state=state)
            for state in ("client", "queue", "network", "disk")
        ]
        assert sum(waits) > 0
        assert value(page, "inkstream_streams", dataset="quickdraw") == 1
    page = get(server, "/metrics")
    drawings = re.findall(r"^inkstream_drawings_sent_total\{.*\} (\S+)$", page, re.MULTILINE)
    assert sum(map(float, drawings)) >= 20 * 64
    assert value(page, "inkstream_workers") >= 1


def test_probes_tell_a_server_that_drains_from_one_that_serves(server: RunningServer) -> None:
    assert get(server, "/livez") == get(server, "/readyz") == "ok\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(server, "/healthz")


def test_a_page_for_the_network_must_be_meant(inkstream: Run, store: Path) -> None:
    done = inkstream("serve", "--store", store, "--http", "0.0.0.0:0", "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert "--http" in done.stderr
    assert "--insecure-network" in done.stderr
