"""Peers whose machine has gone without a word: no close, no acknowledgement."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import inkstream
import pytest
from beside import Beside
from serving import RunningServer

HERE, THERE = "10.213.8.1", "10.213.8.2"
MEMORY_MIB = 256


class OtherMachine:
    """A network namespace behind a cable; `cut` pulls it. Needs root and iproute2."""

    def __init__(self) -> None:
        self._name = f"inkh{os.getpid()}"

    @property
    def before(self) -> tuple[str, ...]:
        """Put before a command to run it there."""
        return ("ip", "netns", "exec", self._name)

    def cut(self) -> None:
        _run("ip", "-n", self._name, "link", "set", self._name, "down")

    def __enter__(self) -> OtherMachine:
        name = self._name
        try:
            _run("ip", "netns", "add", name)
            _run("ip", "link", "add", f"{name}h", "type", "veth", "peer", name, "netns", name)
            _run("ip", "address", "add", f"{HERE}/24", "dev", f"{name}h")
            _run("ip", "link", "set", f"{name}h", "up")
            _run("ip", "-n", name, "address", "add", f"{THERE}/24", "dev", name)
            _run("ip", "-n", name, "link", "set", name, "up")
        except (OSError, subprocess.SubprocessError) as error:
            self._take_down()
            pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', error)}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._take_down()

    def _take_down(self) -> None:
        for command in (["link", "del", f"{self._name}h"], ["netns", "del", self._name]):
            subprocess.run(["ip", *command], check=False, capture_output=True, timeout=30)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)


@pytest.fixture
def other() -> Iterator[OtherMachine]:
    with OtherMachine() as machine:
        yield machine


def test_their_streams_and_connections_end_beside_one_that_goes_on(
    binary: Path, store: Path, tmp_path: Path, other: OtherMachine
) -> None:
    flags = ("--memory", f"{MEMORY_MIB}MiB", "--listen", "127.0.0.1:0", "--insecure-network")
    with (
        RunningServer(
            binary, [f"quickdraw={store}"], tmp_path / "log", *flags, "--listen", f"{HERE}:0"
        ) as server,
        Beside(server.address.split(",")[0], server.process.pid, MEMORY_MIB) as beside,
        inkstream.connect(server.address.split(",")[0], timeout=60) as near,
    ):
        files = Path(f"/proc/{server.process.pid}/fd")

        def from_there() -> int:
            return sum(THERE in stream["peer"] for stream in near.status()["streams"])

        assert from_there() == 0  # and so `near` has its connection
        alone = beside.rate()
        before = len(list(files.iterdir()))
        command = [*other.before, str(binary), "bench", "--target", server.address.split(",")[1]]
        command += ["--streams", "8", "--image", "64x64", "--seconds", "600"]
        bench = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while from_there() < 8:
                assert bench.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            other.cut()
            beside.keeps_half(alone)
            # Noticed by what nobody acknowledges, or by pings: half a minute, by default.
            deadline = time.monotonic() + 120
            while from_there() > 0 or len(list(files.iterdir())) > before:
                assert time.monotonic() < deadline, f"{from_there()} streams are left"
                time.sleep(0.2)
            beside.keeps_half(alone)
        finally:
            bench.kill()
            bench.wait()
