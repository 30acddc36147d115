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
from typing import TYPE_CHECKING, Any

from inkstream import _grpc_settings as _grpc_settings  # before grpc is imported
from inkstream._augment import Augment
from inkstream._batch import Batch
from inkstream._client import Client
from inkstream._connect import connect, open
from inkstream._cursor import Cursor
from inkstream._dataset import Dataset
from inkstream._errors import (
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
from inkstream._image import Image
from inkstream._key_sets import KeySet
from inkstream._permutation import Permutation
from inkstream._plan_report import PlannedStep, PlanReport
from inkstream._split import Split
from inkstream._stream import Stream
from inkstream._strokes import Strokes
from inkstream._version import __version__
from inkstream._view import View

if TYPE_CHECKING:
    from inkstream import shared as shared
    from inkstream import torch as torch

__all__ = [
    "AccessDenied",
    "Augment",
    "Batch",
    "Client",
    "Closed",
    "Cursor",
    "DataLoss",
    "Dataset",
    "FixRequest",
    "Image",
    "InkstreamError",
    "KeySet",
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
    "Unavailable",
    "View",
    "WrongProcess",
    "WrongThread",
    "__version__",
    "connect",
    "open",
]


_LATE = ("shared", "torch")  # loaded when first used


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return importlib.import_module(f"inkstream.{name}")
    raise AttributeError(f"module 'inkstream' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_LATE]
