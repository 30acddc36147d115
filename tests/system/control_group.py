"""A control group for a server, of version 1 or 2, with limits of its own."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import pytest

_ROOT = Path("/sys/fs/cgroup")


class ControlGroup:
    """`before` is put before a command to run it in the group; gone at the end of `with`.

    Skips the test where groups cannot be made.
    """

    def __init__(self, memory_mib: int, cpus: float) -> None:
        name = f"inkstream-test-{os.getpid()}"
        self._two = (_ROOT / "cgroup.controllers").is_file()
        self._folders = (
            {"": _ROOT / name}
            if self._two
            else {kind: _ROOT / kind / name for kind in ("memory", "cpu")}
        )
        self._memory = memory_mib << 20
        self._microseconds = int(cpus * 100_000)

    @property
    def before(self) -> tuple[str, ...]:
        joins = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self._folders.values())
        return ("sh", "-c", f'{joins}; exec "$@"', "sh")

    @property
    def killed(self) -> int:
        """How many of its processes have been killed for want of memory."""
        folder = self._folders["" if self._two else "memory"]
        file = folder / ("memory.events" if self._two else "memory.oom_control")
        lines = dict(line.split() for line in file.read_text().splitlines())
        return int(lines["oom_kill"])

    def __enter__(self) -> ControlGroup:
        try:
            for folder in self._folders.values():
                folder.mkdir()
            if self._two:
                self._write("", "memory.max", str(self._memory))
                self._write("", "cpu.max", f"{self._microseconds} 100000")
            else:
                self._write("memory", "memory.limit_in_bytes", str(self._memory))
                self._write("cpu", "cpu.cfs_quota_us", str(self._microseconds))
        except OSError as error:
            self._remove()
            pytest.skip(f"no control groups with limits can be made here: {error}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _write(self, kind: str, name: str, text: str) -> None:
        (self._folders[kind] / name).write_text(text)

    def _remove(self) -> None:
        for folder in self._folders.values():
            if folder.is_dir():
                folder.rmdir()
