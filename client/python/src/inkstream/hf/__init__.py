"""Hugging Face's Trainer: a loader's state in its checkpoints, and batches under its names."""

from __future__ import annotations

from inkstream._extras import require

require("inkstream.hf", "hf", ["torch", "transformers"])

from inkstream.hf._collate import collate
from inkstream.hf._state_callback import StateCallback

__all__ = ["StateCallback", "collate"]
