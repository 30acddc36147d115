"""The wall clock of a server or of a client jumps: nothing that runs by time is held up or ends."""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
import time
from pathlib import Path

import inkstream
import pytest
from beside import Beside
from serving import RunningServer

MEMORY_MIB = 256
DAYS = {"+3d": 3, "-3d": -3, "+0": 0}


def ahead(server: RunningServer) -> float:
    """How many days the clock of the server's last line is ahead of this one's."""
    written = server.log.splitlines()[-1].split()[0]
    then = datetime.datetime.fromisoformat(written.replace("Z", "+00:00"))
    return (then - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400


def await_clock(server: RunningServer, days: float) -> None:
    """Until the server says so in a line of its log, of SIGHUP."""
    deadline = time.monotonic() + 60
    while abs(ahead(server) - days) > 0.5:
        assert time.monotonic() < deadline, server.log
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)


class Clock:
    """Of the processes that are run behind `before`. Needs libfaketime."""

    def __init__(self, file: Path) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            pytest.skip("no libfaketime to set clocks with (Debian's faketime)")
        waits = file.with_name("realtime_futex.so")
        source = Path(__file__).with_name("realtime_futex.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", waits, source], check=True)
        self._file = file
        self.set("+0")
        self.before = (
            "env",
            f"LD_PRELOAD={waits}:{found[0]}",
            f"FAKETIME_TIMESTAMP_FILE={file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        )

    def set(self, offset: str) -> None:
        # Whole at any time: it is read whenever somebody looks at the clock.
        written = self._file.with_suffix(".new")
        written.write_text(offset + "\n")
        written.replace(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def test_of_a_server(binary: Path, store: Path, tmp_path: Path, clock: Clock) -> None:
    flags = (f"--memory={MEMORY_MIB}MiB", "--stall=5s", "--idle-timeout=5s")
    with (
        RunningServer(
            binary, [f"quickdraw={store}"], tmp_path / "log", *flags, before=clock.before
        ) as server,
        Beside(server.address, server.process.pid, MEMORY_MIB) as beside,
        inkstream.connect(server.address, timeout=60) as client,
    ):
        (before,) = client.status()["streams"]
        alone = beside.rate()
        for jump in DAYS:
            clock.set(jump)
            await_clock(server, DAYS[jump])
            beside.keeps_half(alone)
            with inkstream.connect(server.address, timeout=60) as newcomer:
                next(newcomer.dataset().stream("train", batch_size=10, image=inkstream.Image(8)))
        after = {stream["id"] for stream in client.status()["streams"]}
        assert before["id"] in after, "it was ended and came back"
        assert server.stop() == 0


def test_of_a_client(binary: Path, store: Path, tmp_path: Path, clock: Clock) -> None:
    with (
        RunningServer(
            binary, [f"quickdraw={store}"], tmp_path / "log", "--memory", f"{MEMORY_MIB}MiB"
        ) as server,
        Beside(server.address, server.process.pid, MEMORY_MIB, before=clock.before) as beside,
        inkstream.connect(server.address, timeout=60) as client,
    ):
        (before,) = client.status()["streams"]
        alone = beside.rate()
        for jump in DAYS:
            clock.set(jump)
            beside.keeps_half(alone)
        after = {stream["id"] for stream in client.status()["streams"]}
        assert before["id"] in after, "it was ended and came back"


@pytest.mark.parametrize("jump", ["+3d", "-3d"])
def test_of_the_cpp_client(
    binary: Path, store: Path, tmp_path: Path, clock: Clock, jump: str
) -> None:
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log") as server:
        command = [*clock.before, str(binary), "bench", f"--target={server.address}", "--json"]
        with subprocess.Popen(
            [*command, "--seconds=3", "--image=28x28"], stdout=subprocess.PIPE, text=True
        ) as bench:
            with inkstream.connect(server.address, timeout=60) as client:
                while not any(s["batches"] > 200 for s in client.status()["streams"]):
                    assert bench.poll() is None
                    time.sleep(0.01)
            clock.set(jump)
            said, _ = bench.communicate(timeout=60)
        assert bench.returncode == 0
    figures = json.loads(said)
    assert 2 < figures["seconds"] < 60
    assert 0 <= figures["batch_wait_ms_p99"] < 60_000
