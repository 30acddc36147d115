"""`python -m inkstream_server` becomes the program."""

from __future__ import annotations

import os
import signal
import sys

from inkstream_server import PROGRAM


def main() -> None:
    """Does not return."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # as the program ends
    os.execv(PROGRAM, ["inkstream", *sys.argv[1:]])


if __name__ == "__main__":
    main()
