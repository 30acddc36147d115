"""Lightning: a DataModule over views, whose place is in Trainer's checkpoints."""

from __future__ import annotations

from inkstream._extras import require

require("inkstream.lightning", "lightning", ["torch", "lightning"])

from inkstream.lightning._data_module import InkstreamDataModule

__all__ = ["InkstreamDataModule"]
