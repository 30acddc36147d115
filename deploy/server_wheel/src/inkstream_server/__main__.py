"""`python -m inkstream_server` becomes the program."""

from __future__ import annotations

import os
import sys

from inkstream_server import PROGRAM


def main() -> None:
    """Does not return."""
    os.execv(PROGRAM, ["inkstream", *sys.argv[1:]])


if __name__ == "__main__":
    main()
