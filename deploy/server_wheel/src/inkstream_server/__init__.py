"""The program `inkstream`, which makes stores of drawings and serves them."""

from __future__ import annotations

import os

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin", "inkstream")
