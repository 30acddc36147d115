"""How much memory this process may still take, as the kernel sees it."""

from __future__ import annotations

from pathlib import Path


def available_memory() -> int | None:
    """Bytes: the machine's, or what a control group leaves if that is less. None: not known."""
    bounds = []
    machine = _read("/proc/meminfo")
    if "MemAvailable:" in machine:
        bounds.append(int(machine.partition("MemAvailable:")[2].split()[0]) << 10)
    group = _read("/proc/self/cgroup").rpartition("::")[2].strip()
    groups = "/sys/fs/cgroup"
    for most, used in (
        (f"{groups}{group}/memory.max", f"{groups}{group}/memory.current"),
        (f"{groups}/memory.max", f"{groups}/memory.current"),
        (f"{groups}/memory/memory.limit_in_bytes", f"{groups}/memory/memory.usage_in_bytes"),
    ):
        limit, taken = _read(most).strip(), _read(used).strip()
        if limit.isdecimal() and taken.isdecimal():
            bounds.append(max(0, int(limit) - int(taken)))
    return min(bounds, default=None)


def _read(path: str) -> str:
    """A file of the kernel's; empty where it has none of that name."""
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""
