"""The `inkstream` program, wherever this installation has it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inkstream._library.library import beside_the_package

_NAME = "inkstream"
_VARIABLE = "INKSTREAM_BINARY"
MISSING = (
    "the inkstream program, which makes and serves stores, is not installed: "
    "pip install inkstream-server"
)
# Those that it has; what `python -m inkstream` does itself is not among them.
COMMANDS = (
    "generate", "ingest", "merge", "verify", "inspect", "stats", "plan", "export", "health",
    "serve", "token",
)  # fmt: skip


def find_program() -> Path | None:
    """Where it lies: INKSTREAM_BINARY, inkstream-server, this package, or a checkout's build/."""
    if given := os.environ.get(_VARIABLE):
        return Path(given)
    found = beside_the_package("_bin", _NAME)
    server = importlib.util.find_spec("inkstream_server")
    if server is not None and server.submodule_search_locations:
        found.insert(0, Path(next(iter(server.submodule_search_locations)), "_bin", _NAME))
    return next((path for path in found if os.access(path, os.X_OK) and path.is_file()), None)


def run_program(arguments: Sequence[str]) -> int:
    """Becomes the program. Returns, with 1, only where that cannot be."""
    path = find_program()
    if path is None:
        print(f"inkstream: {MISSING}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    try:
        os.execv(path, [_NAME, *arguments])
    except OSError as error:
        print(f"inkstream: {path} cannot be run: {error.strerror}", file=sys.stderr)
    return 1
