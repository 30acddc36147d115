"""A child process with what it cost: wall and CPU time, peak memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.02


class StepFailed(RuntimeError):
    """A step of the run ended with another exit status than 0."""


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes; `peak_rss` is the highest VmHWM that was seen."""

    wall: float
    cpu: float
    peak_rss: int


def high_water(pid: int) -> int:
    """Bytes. Not getrusage's figure, which begins with that of the process that forked."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def children(pid: int) -> list[int]:
    """Processes that this one's first thread has started: verify reads in one."""
    with contextlib.suppress(OSError):
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def cpu_seconds(pid: int) -> float:
    """User and system time so far of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class MeasuredProcess:
    """Threads: one. Ends the child when it leaves its `with`."""

    def __init__(
        self,
        command: list[str],
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self._name = " ".join(command[:2])
        self._begin = time.monotonic()
        self._peak = 0
        # A file, not a pipe: nobody reads while it runs.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=self._said)

    def __enter__(self) -> MeasuredProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            if self.process.returncode is None:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._said):
            if pipe is not None:
                pipe.close()

    def look(self) -> bool:
        """Notes the peak so far; False: the process has ended and waits to be reaped."""
        pid = self.process.pid
        self._peak = max(self._peak, *map(high_water, [pid, *children(pid)]))
        ended = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended is None

    def finish(self) -> Cost:
        """Waits for the end. StepFailed: exit status other than 0, with what it said."""
        while self.look():
            time.sleep(POLL_SECONDS)
        wall = time.monotonic() - self._begin
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace")
            raise StepFailed(f"{self._name} ended with {self.process.returncode}: {said[-2000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, self._peak)

    def so_far(self) -> Cost:
        """Of a process that still runs."""
        self.look()
        return Cost(time.monotonic() - self._begin, cpu_seconds(self.process.pid), self._peak)
