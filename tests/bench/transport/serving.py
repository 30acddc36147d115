"""Servers for a measurement, what they spend, and `inkstream bench` against them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("INKSTREAM_BINARY", ROOT / "build" / "inkstream"))
_TICKS = os.sysconf("SC_CLK_TCK")


class Served:
    """`inkstream serve` of one store, on a free port and a Unix socket, while in `with`."""

    def __init__(self, store: Path, *, ready: bool = False, binary: Path = BINARY) -> None:
        """`ready`: the transport alone, by a server that draws nothing (`ready_server`)."""
        self._folder = tempfile.TemporaryDirectory(prefix="ink-bench-")
        socket = f"{self._folder.name}/socket"
        command = [str(binary), "serve", "--store", str(store), "--listen", "127.0.0.1:0"]
        command += ["--unix", socket]
        if ready:
            command = [str(BINARY.parent / "tests" / "ready_server"), socket, str(store)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line.startswith("inkstream ready"):
            raise SystemExit(f"no server: {self.process.stderr.read()}")
        bound = dict(word.split("=", 1) for word in line.split()[2:])
        self.tcp, self.unix = bound["grpc"], f"unix:{bound['unix']}"

    def cpu_seconds(self) -> float:
        """User and system time of the server."""
        return cpu_of(self.process.pid)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=30)
        finally:
            self.process.kill()
            self._folder.cleanup()


def cpu_of(pid: int) -> float:
    """User and system seconds of a living process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(word) for word in words[11:13]) / _TICKS


def bench(target: str, *flags: str) -> dict[str, Any]:
    """The figures of one run of `inkstream bench`."""
    command = [str(BINARY), "bench", "--target", target, "--json", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def ingest(lines: Path, store: Path) -> None:
    """Makes a store."""
    command = [str(BINARY), "ingest", str(lines), "--store", str(store)]
    subprocess.run(command, check=True, capture_output=True)


def generated(drawings: int, folder: Path) -> Path:
    """A store of synthetic drawings."""
    lines = folder / "drawings.ndjson"
    command = [str(BINARY), "generate", "--seed", "1", "--drawings", str(drawings)]
    subprocess.run([*command, "-o", str(lines)], check=True, capture_output=True)
    ingest(lines, folder / "drawings.ink")
    return folder / "drawings.ink"


def machine() -> str:
    """What the figures belong to, in words."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores ({model}), Linux {platform.release()}"
