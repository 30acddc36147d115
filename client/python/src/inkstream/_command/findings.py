"""What `doctor` finds out, and what it can of this process and machine alone."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import inkstream
from inkstream._command.program import MISSING, find_program
from inkstream._library.available_memory import available_memory
from inkstream._library.library import library as native_library
from inkstream._version import __version__

FINE, ODD, BAD = "fine", "odd", "bad"
_LITTLE = 512 << 20  # bytes
_PACKAGES = ("numpy", "grpcio", "protobuf")
_EXTRAS = ("torch", "pillow", "pandas", "pyarrow")

# What servers of earlier releases lack, and how that is told.
_LATER: Sequence[tuple[str, Callable[[Mapping[str, Any]], Any]]] = (
    ("batches that travel as strokes", lambda stats: "strokes" in stats["codecs"]),
    ("Weights, no Strokes(times=True)", lambda stats: stats["limits"].get("max_weights")),
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice`: what to do, where there is something."""

    name: str
    state: str
    said: str
    advice: str = ""


def own_findings() -> Iterator[Finding]:
    """Versions, the native library, the program, the clock and memory."""
    there = [f"{name} {version}" for name in (*_PACKAGES, *_EXTRAS) if (version := _version(name))]
    python = f"Python {platform.python_version()}"
    yield Finding("package", FINE, f"inkstream {__version__}, {python}, {', '.join(there)}")
    yield _library()
    program = find_program()
    if program is None:
        yield Finding("program", ODD, *MISSING.split(": "))
    else:
        yield Finding("program", FINE, str(program))
    yield _clock()
    yield _memory()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _library() -> Finding:
    loaded, said = native_library()
    if loaded is not None:
        return Finding("library", FINE, said)
    return Finding(
        "library",
        ODD,
        f"libinkstream is not used: {said}",
        "servers send pixels instead of strokes then, and no store is opened in this process: "
        f"install the wheel for {sys.platform} and {platform.machine()}, or build the checkout",
    )


def _clock() -> Finding:
    """A clock is wrong that stands before the files that it runs."""
    now, made = time.time(), Path(inkstream.__file__).stat().st_mtime
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < made:
        return Finding(
            "clock",
            BAD,
            f"{said}, and this package was installed later",
            "set it (timedatectl set-ntp true): certificates and tokens are judged by it",
        )
    return Finding("clock", FINE, said)


def _memory() -> Finding:
    free = available_memory()
    if free is None:
        return Finding("memory", ODD, "how much is free cannot be read here")
    said = f"{free >> 20:,} MiB are free to this process"
    if free < _LITTLE:
        return Finding(
            "memory",
            ODD,
            said,
            "a stream keeps up to 128 MiB ahead: take a smaller batch_size or image, or "
            "open(..., memory=BYTES)",
        )
    return Finding("memory", FINE, said)


def versions(stats: Mapping[str, Any]) -> Finding:
    """This package beside the server of a dataset; `stats`: what that says of it."""
    served = stats["server_version"]
    lacking = [what for what, there in _LATER if not there(stats)]
    if served == __version__ and not lacking:
        return Finding("versions", FINE, f"both sides are {served}")
    known = f"the server is {served}, this package {__version__}"
    if served == __version__:
        known = f"both sides are {served}, and the server was built before this package"
    lacks = "take the same where something is missing"
    if lacking:
        lacks = f"it has no {', no '.join(lacking)}: update it where that is wanted"
    return Finding("versions", ODD, known, f"they understand each other; {lacks}")
