"""`python -m inkstream`: what is in a store or behind an address, and what is wrong with it."""

from __future__ import annotations

import sys

from inkstream._command.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
