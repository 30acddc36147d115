"""The command `inkstream`. Beside the package, so that Ctrl-C is told before that is loaded."""

from __future__ import annotations

import os
import signal
import sys


def end_at_an_interrupt() -> None:
    """From now on Ctrl-C ends this process as it ends the program: 130, and nothing said."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_at_an_interrupt() -> None:
    """As it was before."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os._exit(130)


def main() -> int:
    """Becomes the program. Returns, with 1, only where that cannot be."""
    end_at_an_interrupt()
    from inkstream._command.program import run_program

    return run_program(sys.argv[1:])
