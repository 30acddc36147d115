"""Quick, Draw! drawings as shuffled minibatch tensors, streamed from Inkstream servers.

    import inkstream
    from inkstream import Image

    client = inkstream.connect("host:50051")        # or inkstream.open("drawings.ink")
    data = client.dataset("quickdraw")
    for batch in data.stream("train", batch_size=256, image=Image(128)):
        batch.image, batch.label, batch.cursor

`inkstream.torch` (loaded when first used) has loaders and datasets for PyTorch;
`inkstream.shared` puts any structure of arrays into shared memory.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)] in ("inkstream", "-minkstream"):
    # `python -m inkstream`, and what follows takes a while.
    from _inkstream_command import end_at_an_interrupt

    end_at_an_interrupt()

# isort: split
from inkstream._network import grpc_settings as _grpc_settings  # noqa: F401 - before grpc is

# isort: split
from inkstream._batch.batch import Batch
from inkstream._network.credentials import TLS
from inkstream._order.permutation import Permutation
from inkstream._request.augment import Augment
from inkstream._request.cursor import Cursor
from inkstream._request.image import Image
from inkstream._request.strokes import Strokes
from inkstream._request.uploaded_set import KeySet, Weights
from inkstream._request.view import View
from inkstream._version import __version__
from inkstream.client import Client, connect, open
from inkstream.dataset import Dataset
from inkstream.errors import (
    AccessDenied,
    Closed,
    DataLoss,
    FixRequest,
    InkstreamError,
    NotFound,
    OutOfRange,
    PlanMismatch,
    QuotaExceeded,
    Unavailable,
    WrongProcess,
    WrongThread,
)
from inkstream.folds import Fold
from inkstream.mixture import Mixture, mix
from inkstream.plan_report import PlannedStep, PlanReport
from inkstream.split import Split
from inkstream.stream import Stream
from inkstream.table import Table

if TYPE_CHECKING:
    from inkstream import fastai as fastai
    from inkstream import grain as grain
    from inkstream import hf as hf
    from inkstream import jax as jax
    from inkstream import lightning as lightning
    from inkstream import plot as plot
    from inkstream import ray as ray
    from inkstream import shared as shared
    from inkstream import tf as tf
    from inkstream import torch as torch

__all__ = [
    "TLS",
    "AccessDenied",
    "Augment",
    "Batch",
    "Client",
    "Closed",
    "Cursor",
    "DataLoss",
    "Dataset",
    "FixRequest",
    "Fold",
    "Image",
    "InkstreamError",
    "KeySet",
    "Mixture",
    "NotFound",
    "OutOfRange",
    "Permutation",
    "PlanMismatch",
    "PlanReport",
    "PlannedStep",
    "QuotaExceeded",
    "Split",
    "Stream",
    "Strokes",
    "Table",
    "Unavailable",
    "View",
    "Weights",
    "WrongProcess",
    "WrongThread",
    "__version__",
    "connect",
    "mix",
    "open",
]


_LATE = (  # loaded when first used
    "fastai", "grain", "hf", "jax", "lightning", "plot", "ray", "shared", "tf", "torch",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return importlib.import_module(f"inkstream.{name}")
    raise AttributeError(f"module 'inkstream' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_LATE]
