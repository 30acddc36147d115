"""Whether what is to be shared fits."""

from __future__ import annotations

from inkstream._library.available_memory import available_memory
from inkstream.errors import InkstreamError


class NotEnoughMemory(InkstreamError, MemoryError):
    """What was asked for does not fit; nothing was taken."""


def check_fits(size: int, what: str, advice: str, limit: int | None = None) -> None:
    """NotEnoughMemory, naming `what`, where `size` bytes exceed `limit` or what is free."""
    if limit is not None and size > limit:
        raise NotEnoughMemory(
            f"{what} takes {text_of(size)}, and the limit is {text_of(limit)}: {advice}"
        )
    free = available_memory()
    if free is not None and size > free:
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
