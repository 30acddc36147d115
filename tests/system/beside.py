"""A well-behaved stream beside whatever is done to its server."""

from __future__ import annotations

import mmap
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WINDOW_SECONDS = 0.4
WINDOWS = 5  # the median of so many is a rate
PATIENCE = 60  # windows in which the rate may be seen, where the machine is busy too

# Reads in a process of its own, so that no attacker holds its interpreter, and says in a mapped
# file how many batches have come.
_READER = """
import mmap, struct, sys
import inkstream

address, path = sys.argv[1:]
with open(path, "r+b") as file:
    shared = mmap.mmap(file.fileno(), 8)
stream = inkstream.connect(address, timeout=60).dataset("quickdraw").stream(
    "train", batch_size=256, image=inkstream.Image(28), epochs="forever", codec="none",
)
for number, _ in enumerate(stream, 1):
    shared[:8] = struct.pack("q", number)
"""


class Beside:
    """A stream of 28x28 pixels that is read as fast as it comes, from `with` to its end.

    The server, process `pid`, must keep to `memory_mib` all the while. `before`: a program that
    runs the reader.
    """

    def __init__(
        self, address: str, pid: int, memory_mib: float, before: Sequence[str] = ()
    ) -> None:
        self._pid = pid
        self._memory_mib = memory_mib
        self._file = tempfile.NamedTemporaryFile()  # noqa: SIM115
        self._file.write(bytes(8))
        self._file.flush()
        self._shared = mmap.mmap(self._file.fileno(), 8, prot=mmap.PROT_READ)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._reader = subprocess.Popen(
            [*before, sys.executable, "-c", _READER, address, self._file.name],
            stderr=self._errors,
        )
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._sample)
        self._most_mib = 0.0

    @property
    def batches(self) -> int:
        """How many have come."""
        number: int = struct.unpack("q", self._shared[:8])[0]
        return number

    def rate(self) -> float:
        """Batches that come in a window, the median of several."""
        return statistics.median(self._window() for _ in range(WINDOWS))

    def keeps_half(self, alone: float, attack: Callable[[], object] = lambda: None) -> None:
        """Fails unless half of the rate `alone` is seen; `attack` is made before each window."""
        rates: list[int] = []
        while len(rates) < PATIENCE:
            attack()
            rates.append(self._window())
            recent = rates[-WINDOWS:]
            if len(rates) >= WINDOWS and statistics.median(recent) >= alone / 2:
                return
        raise AssertionError(f"{alone} batches a window alone, beside it {rates}")

    def goes_on(self, batches: int = 100, seconds: float = 60) -> None:
        """Fails unless so many more come."""
        target = self.batches + batches
        deadline = time.monotonic() + seconds
        while self.batches < target:
            self._must_live()
            assert time.monotonic() < deadline, f"{self.batches} of {target} batches came"
            time.sleep(0.01)

    def _window(self) -> int:
        before = self.batches
        time.sleep(WINDOW_SECONDS)
        self._must_live()
        return self.batches - before

    def _must_live(self) -> None:
        assert self._reader.poll() is None, self._said()

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def _sample(self) -> None:
        while not self._over.wait(0.02):
            try:
                self._most_mib = max(self._most_mib, own_mib(self._pid))
            except (OSError, KeyError):  # it has ended
                return

    def __enter__(self) -> Beside:
        try:
            self.goes_on(20)
        except BaseException:
            self._reader.kill()
            self._reader.wait()
            raise
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()
        lived = self._reader.poll() is None
        self._reader.kill()
        self._reader.wait()
        assert lived, self._said()
        assert self._most_mib < self._memory_mib, f"{self._most_mib:.0f} MiB"


def own_mib(pid: int) -> float:
    """Memory of a process without pages of files, which the kernel takes back as it likes."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssShmem")) / 1024
