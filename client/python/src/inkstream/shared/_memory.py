"""How much memory this process may still take, as the kernel sees it."""

from __future__ import annotations

from pathlib import Path

from inkstream.errors import InkstreamError


class NotEnoughMemory(InkstreamError, MemoryError):
    """What was asked for does not fit; nothing was taken."""


def available_memory() -> int:
    """Bytes: MemAvailable, or what the cgroup leaves if that is less."""
    free = _meminfo("MemAvailable")
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such cgroup, or "max"
            continue
    return max(free, 0)


def check_fits(size: int, what: str, advice: str, limit: int | None = None) -> None:
    """NotEnoughMemory, naming `what`, where `size` bytes exceed `limit` or what is free."""
    if limit is not None and size > limit:
        raise NotEnoughMemory(
            f"{what} takes {text_of(size)}, and the limit is {text_of(limit)}: {advice}"
        )
    free = available_memory()
    if size > free:
        raise NotEnoughMemory(
            f"{what} takes {text_of(size)} of shared memory, and {text_of(free)} are free: {advice}"
        )


def text_of(size: float) -> str:
    """Bytes for a person."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _meminfo(name: str) -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise InkstreamError(f"/proc/meminfo does not tell {name}")
