"""The program `inkstream`, which makes stores of drawings and serves them."""

from __future__ import annotations

from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "_bin" / "inkstream"
