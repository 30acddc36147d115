"""Servers and scripts as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving import operators_environment


class Server:
    """`inkstream serve` on a free port and on a Unix socket, from `with` to its end."""

    def __init__(
        self, binary: Path, store: Path, home: Path, *flags: str, listen: str = "127.0.0.1:0"
    ) -> None:
        self._command = [str(binary), "serve", "--store", str(store), *flags]
        self._command += ["--unix", str(home / "socket")]
        self._log = home / "log"
        self.start(listen)

    def start(self, listen: str) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._command, "--listen", listen],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env=operators_environment(),
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("inkstream ready "), self._log.read_text()
        bound = dict(word.split("=", 1) for word in line.split()[2:])
        self.tcp, self.unix = bound["grpc"], f"unix:{bound['unix']}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def send(self, number: int) -> None:
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            # Until all its threads stand still it may yet answer.
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


def run_python(
    program: str, *arguments: str, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program text in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
