"""PyTorch: loaders and datasets whose order is the server's and whose place is yours.

`loader` is what training code wants: a sized, re-iterable, resumable source of dicts of
tensors that needs no worker processes. `IterableDataset`, `MapDataset`, `BatchSampler` and
`collate` are for those who want torch's own DataLoader around it.
"""

from __future__ import annotations

from inkstream.torch._datasets import IterableDataset, MapDataset, collate
from inkstream.torch._gather import gather
from inkstream.torch._loader import Loader, loader
from inkstream.torch._sampler import BatchSampler
from inkstream.torch._tensors import TensorBatch

__all__ = [
    "BatchSampler",
    "IterableDataset",
    "Loader",
    "MapDataset",
    "TensorBatch",
    "collate",
    "gather",
    "loader",
]
