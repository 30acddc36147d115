"""Batches as tensors, in memory that is used again once nobody holds it.

Where it lies in ordinary memory, each tensor is made of a NumPy array over its part: 9 us for four
of them, where one tensor over all seen in parts takes 31, and whoever saves or shares one of them
takes its own bytes along and no others. What goes to a device or to another process goes as a
whole: one copy, one file of shared memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from inkstream._batch.batch import Batch
from inkstream._library.memory import SparePieces
from inkstream._network.reader import StreamInfo
from inkstream._request.cursor import State
from inkstream._request.strokes import Strokes
from inkstream._wire.raw_batch import Bytes, Layout, RawBatch
from inkstream.torch._form import Transform, moved
from inkstream.torch._tensor_batch import TensorBatch
from inkstream.v1 import plan_pb2

_DTYPES: dict[int, torch.dtype] = {
    plan_pb2.DTYPE_UINT8: torch.uint8,
    plan_pb2.DTYPE_INT32: torch.int32,
    plan_pb2.DTYPE_INT64: torch.int64,
    plan_pb2.DTYPE_FLOAT16: torch.float16,
    plan_pb2.DTYPE_BFLOAT16: torch.bfloat16,
    plan_pb2.DTYPE_FLOAT32: torch.float32,
    plan_pb2.DTYPE_BOOL: torch.bool,
}
_KEPT_FREE = 12  # buffers; what a reader has ahead and a trainer in its hands


@dataclass(slots=True)  # not frozen, which costs as much again
class Staged:
    """A batch's bytes, and where its tensors lie in them. Not to be changed."""

    flat: torch.Tensor
    memory: Bytes | None  # the same, where it is not page-locked
    layout: Layout
    cursor: State
    epoch: int
    step: int
    classes: Sequence[str]
    strokes_spec: Strokes | None

    def tensors(self, device: torch.device | None = None) -> TensorBatch:
        """Views of the bytes, moved to `device` as a whole if one is given."""
        if device is None and self.memory is not None and get_worker_info() is None:
            found = _in_parts(self.memory, self.layout)
        else:
            found = _seen_in(
                self.flat if device is None else self.flat.to(device, non_blocking=True),
                self.layout,
            )
        return TensorBatch(
            found,
            self.cursor,
            self.epoch,
            self.step,
            self.classes,
            self.layout.vocabulary,
            self.strokes_spec,
        )


def _in_parts(memory: Bytes, layout: Layout) -> dict[str, torch.Tensor]:
    """Tensors with a storage each."""
    found = {}
    for name, number, dtype, shape, offset, _ in layout.tensors:
        tensor = torch.from_numpy(np.ndarray(shape, dtype, memory, offset))
        found[name] = tensor.view(torch.bfloat16) if number == plan_pb2.DTYPE_BFLOAT16 else tensor
    return found


def _seen_in(flat: torch.Tensor, layout: Layout) -> dict[str, torch.Tensor]:
    """Tensors that share the storage of `flat`."""
    # Half the time of a slice, seen as another type, in another shape.
    memory = flat.untyped_storage()
    return {
        name: flat.new_empty(0, dtype=_DTYPES[number]).set_(  # type: ignore[call-overload]
            memory, offset // dtype.itemsize, shape
        )
        for name, number, dtype, shape, offset, _ in layout.tensors
    }


@dataclass(frozen=True, slots=True)
class Formed:
    """What a loader's `transform` made of a batch."""

    value: Any

    def tensors(self, device: torch.device | None = None) -> Any:
        """It, with its tensors on `device` if one is given."""
        return self.value if device is None else moved(self.value, device)


Ready = Staged | Formed


class Stager:
    """Makes tensors of received batches, whose memory is then the tensors' own.

    What a reader gathered for this batch alone is taken as it is; what lies in somebody else's
    memory is copied.
    `pinned_for`: the CUDA device that page-locked memory is for. Torch's own pool of such
    memory is used then: it knows which copies to the device are still under way.
    """

    def __init__(self, strokes: Strokes | None, transform: Transform | None = None) -> None:
        """`strokes`: what was asked for as such. `transform`: the user's own."""
        self.pinned_for: int | None = None
        self._strokes = strokes
        self._transform = transform
        self._spare = SparePieces(_KEPT_FREE)

    @property
    def own_memory(self) -> bool:
        """Whether a batch's memory is wanted for the tensors themselves."""
        return self.pinned_for is None

    @property
    def slow(self) -> bool:
        """A copy of the whole batch is for the reading thread, and so is the user's own work."""
        return self.pinned_for is not None or self._transform is not None

    def __call__(self, raw: RawBatch, info: StreamInfo) -> Ready:
        memory: Bytes | None = None
        size = raw.memory.size
        if self.pinned_for is not None and size:
            # This thread's current device would else be 0, and get a context, on every rank.
            with torch.cuda.device(self.pinned_for):
                flat = torch.empty(size, dtype=torch.uint8, pin_memory=True)
            np.copyto(flat.numpy(), raw.memory)
        else:
            memory = raw.memory
            if not memory.flags.writeable:
                pieces = self._spare.of(size)
                memory = pieces.lent(pieces.take(), size, own=True)
                np.copyto(memory, raw.memory)
            flat = torch.from_numpy(memory)
        staged = Staged(
            flat,
            memory,
            raw.layout,
            raw.cursor,
            raw.epoch,
            raw.step,
            info.classes,
            self._strokes,
        )
        return staged if self._transform is None else Formed(self._transform(staged.tensors()))


def from_batch(batch: Batch, cursor: State | None = None, copy: bool = True) -> TensorBatch:
    """Tensors with memory of their own; `copy=False` where the batch's is its holder's."""
    found = {}
    for name, array in batch.items():
        # No tensor of the contract is uint16: it is how NumPy shows bfloat16.
        tensor = torch.from_numpy(np.array(array) if copy else array)
        found[name] = tensor.view(torch.bfloat16) if array.dtype == np.uint16 else tensor
    return TensorBatch(
        found,
        cursor,
        batch.epoch,
        batch.step,
        batch.classes,
        batch.vocabulary,
        batch.strokes_spec,
    )
