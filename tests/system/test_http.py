"""The HTTP port: figures for Prometheus, probes for whoever restarts servers."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import inkstream as client
import pytest
from beside import own_mib
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


GARBAGE = b"\r\n".join([b"GET /livez HTTP/1.1", b"Host: x", b"", b"\x00\xff" * 5000, b"", b""])
# What is sent, and the status of the answer; None: an answer or none.
WRONG: dict[str, tuple[bytes, int | None]] = {
    "a way out": (b"GET /../../etc/passwd HTTP/1.0\r\nHost: localhost\r\n\r\n", 404),
    "a way out, encoded": (
        b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\nHost: localhost\r\n\r\n",
        404,
    ),
    "a gigabyte": (
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n" + bytes(1 << 20),
        None,
    ),
    "a long header": (b"GET /livez HTTP/1.1\r\nX: " + b"x" * 65536 + b"\r\n\r\n", None),
    "garbage behind a request": (GARBAGE, 200),
}


def status_of(server: RunningServer, request: bytes) -> int | None:
    """None where the connection ended without one."""
    host, port = server.addresses["http"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 60) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass  # it has read enough
    assert b"root:" not in answer
    found = re.match(rb"HTTP/1\.[01] (\d+) ", answer)
    return int(found[1]) if found else None


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_or_too_long_is_refused_and_takes_no_memory(
    server: RunningServer, what: str
) -> None:
    request, wanted = WRONG[what]
    status_of(server, request)
    before = own_mib(server.process.pid)
    for _ in range(20):
        status = status_of(server, request)
        assert status == wanted or (wanted is None and (status is None or status >= 400)), status
    assert own_mib(server.process.pid) - before < 8
    assert get(server, "/livez") == "ok\n"
