"""PyTorch: loaders and datasets whose order is the server's and whose place is yours.

`loader` is what training code wants: a sized, re-iterable, resumable source of dicts of
tensors that needs no worker processes. `IterableDataset`, `MapDataset`, `BatchSampler` and
`collate` are for those who want torch's own DataLoader around it.
"""

from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.torch", "torch", ["torch"])

from inkstream.torch._batch_sampler import BatchSampler
from inkstream.torch._collate import collate
from inkstream.torch._gather import gather
from inkstream.torch._iterable_dataset import IterableDataset
from inkstream.torch._loader import Loader
from inkstream.torch._make_loader import loader
from inkstream.torch._map_dataset import MapDataset
from inkstream.torch._mixture_loader import MixtureLoader
from inkstream.torch._tensor_batch import TensorBatch

__all__ = [
    "BatchSampler",
    "IterableDataset",
    "Loader",
    "MapDataset",
    "MixtureLoader",
    "TensorBatch",
    "collate",
    "gather",
    "loader",
]
