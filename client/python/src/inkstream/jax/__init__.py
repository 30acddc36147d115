"""JAX: a stream's batches as dicts of jax arrays, the next one on its way to the devices."""

from __future__ import annotations

from inkstream._extras import require

require("inkstream.jax", "jax", ["jax"])

from inkstream.jax._batches import Batches, batches

__all__ = ["Batches", "batches"]
