"""Ray: views as Ray Datasets, and ingest as shards on a cluster."""

from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.ray", "ray", ["ray", "pyarrow"])

from inkstream.ray._dataset import dataset
from inkstream.ray._ingest import ingest

__all__ = ["dataset", "ingest"]
