"""Streams one epoch from a running server and shows what a person wants to see.

Called by quickstart.sh, which builds, ingests and starts the server.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import inkstream
import numpy as np
from contact_sheet import write_contact_sheet
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.syntax import Syntax
from rich.table import Table

# Shown to the reader and run, word for word; `train` is Epoch.train.
SIX_LINES = """\
import inkstream
client = inkstream.connect("{target}")
data = client.dataset("{dataset}")
image = inkstream.Image(128, 128)
for batch in data.stream("train", batch_size=256, image=image, tail="partial"):
    train(batch.image, batch.label)  # uint8 [256, 1, 128, 128], int64 [256]
"""


@dataclass
class Clocks:
    """Seconds: of the wall, and of CPU on both sides of the stream."""

    wall: float
    client: float
    server: float

    @classmethod
    def read(cls, server_pid: int) -> Clocks:
        stat = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(stat[11]) + int(stat[12])
        return cls(time.perf_counter(), time.process_time(), ticks / os.sysconf("SC_CLK_TCK"))

    def since(self, start: Clocks) -> Clocks:
        return Clocks(
            self.wall - start.wall,
            self.client - start.client,
            self.server - start.server,
        )


class Epoch:
    """Takes the batches of one epoch: counts them and keeps the first."""

    def __init__(self, progress: Progress, drawings: int) -> None:
        self._progress = progress
        self._task = progress.add_task("one shuffled epoch", total=drawings)
        self.drawings = 0
        self.bytes = 0
        self.images: NDArray[np.uint8] | None = None
        self.labels: NDArray[np.int64] | None = None

    def train(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        if self.images is None:
            self.images, self.labels = images.copy(), labels.copy()
        self.drawings += len(images)
        self.bytes += images.nbytes + labels.nbytes
        self._progress.update(self._task, completed=self.drawings)


def stream_epoch(
    lines: str, drawings: int, server_pid: int, console: Console
) -> tuple[Epoch, Clocks]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console) as progress:
        epoch = Epoch(progress, drawings)
        names: dict[str, Any] = {"train": epoch.train}
        start = Clocks.read(server_pid)
        exec(compile(lines, "<six lines>", "exec"), names)
        spent = Clocks.read(server_pid).since(start)
    return epoch, spent


def figures(epoch: Epoch, spent: Clocks, store: Path) -> Table:
    on_disk = sum(f.stat().st_blocks * 512 for f in store.rglob("*") if f.is_file())
    thousands = epoch.drawings / 1000
    table = Table(title=f"One epoch of {epoch.drawings:,} drawings as 128x128 uint8")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("drawings/s", f"{epoch.drawings / spent.wall:,.0f}")
    table.add_row("MB/s", f"{epoch.bytes / spent.wall / 1e6:,.0f}")
    table.add_row("bytes per drawing on disk", f"{on_disk / epoch.drawings:.1f}")
    table.add_row("client CPU per 1,000 drawings", f"{spent.client / thousands * 1e3:.2f} ms")
    table.add_row("server CPU per 1,000 drawings", f"{spent.server / thousands * 1e3:.2f} ms")
    return table


def ask_grpcurl(grpcurl: str, target: str, dataset: str) -> tuple[str, str]:
    """A command line that shows one drawing, and what it answers."""
    request = json.dumps({"dataset": dataset, "index": 3, "columns": 48})
    method = "inkstream.v1.DrawingService/InspectDrawing"
    command = [grpcurl, "-plaintext", "-d", request, target, method]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if answer.returncode:
        sys.exit(f"quickstart.py: {shlex.join(command)}\n{answer.stderr.strip()}")
    return shlex.join(command), with_number_lists_on_one_line(answer.stdout.rstrip())


def with_number_lists_on_one_line(text: str) -> str:
    return re.sub(
        r"\[\s*(-?\d[^][\"{}]*?)\s*\]",
        lambda found: f"[{' '.join(found[1].split())}]",
        text,
    )


def relative(path: str | Path) -> str:
    """As short as it can be typed where the reader stands."""
    return min(os.path.relpath(path), str(path), key=len)


def main() -> int:
    parser = argparse.ArgumentParser(description="Streams one epoch and shows the figures.")
    parser.add_argument("--target", required=True, help="HOST:PORT of the server")
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--dataset", default="quickdraw")
    parser.add_argument("--store", type=Path, required=True, help="what the server serves")
    parser.add_argument("--grpcurl", required=True, help="path of grpcurl")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG file to write")
    flags = parser.parse_args()

    # One character a byte is what grpcurl's preview needs; a file or pipe has
    # no width of its own.
    console = Console(soft_wrap=True) if not sys.stdout.isatty() else Console()
    data = inkstream.connect(flags.target).dataset(flags.dataset)
    lines = SIX_LINES.format(target=flags.target, dataset=flags.dataset)
    epoch, spent = stream_epoch(lines, len(data["train"]), flags.server_pid, console)
    command, answer = ask_grpcurl(relative(flags.grpcurl), flags.target, flags.dataset)
    if epoch.images is None or epoch.labels is None:
        sys.exit("quickstart.py: the epoch brought no batch")
    words = [data.classes[label] if label >= 0 else "?" for label in epoch.labels]
    write_contact_sheet(epoch.images, words, flags.sheet)

    console.print(figures(epoch, spent, flags.store))
    console.print("\n[bold]The Python it ran[/bold] (train is your function)")
    console.print(Syntax(lines, "python", background_color="default", word_wrap=False))
    console.print("[bold]One drawing, as grpcurl shows it[/bold]")
    console.print(f"$ {command}", markup=False, highlight=False, soft_wrap=True)
    console.print(answer, markup=False, highlight=False, soft_wrap=True)
    console.print("\n[bold]A picture of the first batch[/bold]")
    console.print(relative(flags.sheet), markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as error:
        sys.exit(f"quickstart.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
