"""The real binary as a server for a test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType


def operators_environment() -> dict[str, str]:
    """Without what the Python client has set for gRPC in this process, which is for clients."""
    return {name: value for name, value in os.environ.items() if name != "GRPC_POLL_STRATEGY"}


class ServerFailed(AssertionError):
    """The server ended, or said nothing in time; the text is its log."""


class RunningServer:
    """`inkstream serve` on a free loopback port, from `with` to its end.

    `address` is HOST:PORT as printed on the ready line, "" without TCP. `before`: a program
    that runs it. `listen`: "" where flags say it otherwise. Threads: one.
    """

    def __init__(
        self,
        binary: Path,
        stores: list[str],
        log: Path,
        *flags: str,
        listen: str = "127.0.0.1:0",
        before: Sequence[str] = (),
    ) -> None:
        self._log = log
        command = [*before, str(binary), "serve", *flags]
        if listen and "--listen" not in flags:
            command += ["--listen", listen]
        for store in stores:
            command += ["--store", store]
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
                env=operators_environment(),
            )
        self.ready_line = self._read_ready_line(60)
        self.addresses = dict(word.split("=", 1) for word in self.ready_line.split() if "=" in word)
        self.address = self.addresses.get("grpc", "")

    def _read_ready_line(self, seconds: float) -> str:
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        deadline = time.monotonic() + seconds
        line = ""
        while not line.endswith("\n"):
            line += self.process.stdout.readline()
            if self.process.poll() is not None and not line.endswith("\n"):
                raise ServerFailed(f"exit {self.process.returncode}: {self.log}")
            if time.monotonic() > deadline:
                self.process.kill()
                raise ServerFailed(f"not ready after {seconds} s: {self.log}")
            time.sleep(0.01)
        return line.rstrip("\n")

    @property
    def log(self) -> str:
        return self._log.read_text()

    def stop(self, sig: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """Sends the signal and returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(seconds)

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
