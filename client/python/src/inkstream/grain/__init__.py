"""Grain: a stream as an IterDataset, whose iterators hold their place."""

from __future__ import annotations

from inkstream._extras import require

require("inkstream.grain", "grain", ["grain"])

from inkstream.grain._iter_dataset import IterDataset

__all__ = ["IterDataset"]
