"""deploy/systemd: a unit that systemd takes, and what the server tells it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import inkstream as client
import pytest
from serving import RunningServer


@pytest.fixture
def unit(root: Path, binary: Path, tmp_path: Path) -> Path:
    """With a program that is there."""
    text = (root / "deploy/systemd/inkstream.service").read_text()
    assert "ExecStart=/usr/local/bin/inkstream " in text
    file = tmp_path / "inkstream.service"
    file.write_text(text.replace("/usr/local/bin/inkstream", str(binary)))
    return file


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_systemd_has_nothing_to_say_of_the_unit(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    ours = [line for line in done.stderr.splitlines() if "inkstream" in line]
    assert done.returncode == 0, done.stderr
    assert ours == []


def test_a_wrong_line_in_the_unit_is_seen(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=30", "WatchdogSecs=30"))
    assert "WatchdogSecs" in analyze("verify", "--man=no", str(unit)).stderr


def test_the_unit_leaves_little_to_take(unit: Path) -> None:
    """By systemd's own measure, from 0 (best) to 10."""
    done = analyze("security", "--offline=true", str(unit))
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stdout + done.stderr
    assert float(exposure[1]) <= 1.8, done.stdout


def calls_of(filter_name: str) -> set[str]:
    """System calls in one of systemd's sets."""
    found = set()
    for word in analyze("syscall-filter", filter_name).stdout.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            found |= calls_of(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def test_the_unit_lets_a_server_do_all_that_it_does(
    root: Path, binary: Path, store: Path, tmp_path: Path
) -> None:
    """Every system call of a server that serves both ways and is asked for its metrics."""
    unit = (root / "deploy/systemd/inkstream.service").read_text()
    allowed: set[str] = set()
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        for word in words.split():
            allowed |= calls_of(word) if word.startswith("@") else {word}
    assert len(allowed) > 200
    families = re.findall(r"^RestrictAddressFamilies=(.*)$", unit, re.MULTILINE)[0].split()
    trace = tmp_path / "trace"
    flags = ("--http", "127.0.0.1:0", "--unix", str(tmp_path / "socket"), "--drain-delay", "0")
    before = ("strace", "-f", "-qq", "-I", "never", "-o", str(trace))
    with RunningServer(
        binary, [f"quickdraw={store}"], tmp_path / "log", *flags, before=before
    ) as running:
        for target in (running.address, f"unix:{tmp_path / 'socket'}"):
            stream = client.connect(target).dataset("quickdraw").stream("train", image=28)
            next(stream)
            stream.close()
        urllib.request.urlopen(f"http://{running.addresses['http']}/metrics", timeout=60).read()
        pid = re.search(r"process (\d+) listens on", running.log)
        assert pid is not None
        os.kill(int(pid[1]), signal.SIGTERM)
        assert running.process.wait(60) == 0
    text = trace.read_text()
    used = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", text, re.MULTILINE))
    assert {"mmap", "epoll_wait", "mincore"} <= used
    assert used <= allowed, used - allowed
    assert set(re.findall(r"socket\((AF_\w+)", text)) <= set(families)
    assert "PROT_WRITE|PROT_EXEC" not in text  # MemoryDenyWriteExecute=


def test_the_unit_leaves_a_server_the_time_to_drain(root: Path) -> None:
    unit = (root / "deploy/systemd/inkstream.service").read_text()
    config = (root / "deploy/systemd/serve.toml").read_text()
    seconds = [
        int(value) for value in re.findall(r"^(?:drain-\w+|grace) = (\d+)$", config, re.MULTILINE)
    ]
    assert len(seconds) == 3
    assert f"TimeoutStopSec={sum(seconds) + 10}\n" in unit


class Manager:
    """The socket that systemd listens on."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(60)

    def next(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def variables(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def test_a_service_says_when_it_is_ready_well_and_about_to_end(
    root: Path, binary: Path, store: Path, manager: Manager, tmp_path: Path
) -> None:
    """Started with the configuration that goes with the unit."""
    config = tmp_path / "serve.toml"
    text = (root / "deploy/systemd/serve.toml").read_text()
    for there, here in (
        ("/srv/inkstream/drawings.ink", str(store)),
        ("/run/inkstream/inkstream.sock", str(tmp_path / "socket")),
        ("127.0.0.1:50051", "127.0.0.1:0"),
        ("127.0.0.1:9101", "127.0.0.1:0"),
        ("drain-delay = 5", "drain-delay = 1"),
    ):
        assert there in text
        text = text.replace(there, here)
    config.write_text(text)
    # WATCHDOG_PID is the service's own: left out, as no other process is meant.
    with (
        variables(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000"),
        RunningServer(binary, [], tmp_path / "log", "--config", str(config), listen="") as running,
    ):
        assert {"grpc", "http", "unix"} <= set(running.addresses)
        assert manager.next() == "READY=1"
        assert manager.next() == "WATCHDOG=1"
        assert manager.next() == "WATCHDOG=1"
        data = client.connect(running.address).dataset("quickdraw")
        stream = data.stream("train", image=28, epochs=None)  # without a stream nothing drains
        next(stream)
        running.process.send_signal(signal.SIGTERM)
        told = [manager.next()]
        while told[-1] == "WATCHDOG=1":
            told.append(manager.next())
        assert told[-1] == "STOPPING=1"
        assert manager.next() == "WATCHDOG=1"  # while it drains
        stream.close()
        assert running.process.wait(60) == 0
