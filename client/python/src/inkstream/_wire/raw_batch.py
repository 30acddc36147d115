"""A batch as a reader gives it: its bytes, and where its tensors lie in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkstream._request.cursor import State, to_state
from inkstream.errors import DataLoss
from inkstream.v1 import batch_pb2, plan_pb2

Bytes = NDArray[np.uint8]

# NumPy has no bfloat16: its bits come as uint16 (inkstream.torch gives real ones).
DTYPES: dict[int, np.dtype[Any]] = {
    plan_pb2.DTYPE_UINT8: np.dtype(np.uint8),
    plan_pb2.DTYPE_INT32: np.dtype(np.int32),
    plan_pb2.DTYPE_INT64: np.dtype(np.int64),
    plan_pb2.DTYPE_FLOAT16: np.dtype(np.float16),
    plan_pb2.DTYPE_BFLOAT16: np.dtype(np.uint16),
    plan_pb2.DTYPE_FLOAT32: np.dtype(np.float32),
    plan_pb2.DTYPE_BOOL: np.dtype(np.bool_),
}


class Tensor(NamedTuple):
    """One tensor of a batch; `offset` and `length` in bytes."""

    name: str
    number: int  # plan_pb2.DType
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    length: int


class Common(NamedTuple):
    """What a server says once a stream, of all its batches."""

    order_plan: str = ""
    words: Sequence[str] = ()
    countrycodes: Sequence[str] = ()

    @classmethod
    def of(cls, opened: batch_pb2.StreamOpened) -> Common:
        """From the contract's message."""
        return cls(opened.cursor.order_plan, list(opened.vocabulary), list(opened.countrycodes))


@dataclass(frozen=True)
class Layout:
    """What batches of a stream mostly have in common, checked against the bytes there are."""

    tensors: tuple[Tensor, ...]
    vocabulary: Mapping[str, Sequence[str]]
    cursor: State  # but for epoch and position

    @classmethod
    def of(cls, header: batch_pb2.BatchHeader, size: int, common: Common) -> Layout:
        """From the contract's message, for a batch of `size` bytes.

        DataLoss for a table that does not fit: whatever reads by it stays inside the batch.
        """
        tensors = tuple(_checked(tensor, size) for tensor in header.tensors)
        named = {"word": common.words, "countrycode": common.countrycodes}
        vocabulary = {t.name: named[t.name] for t in tensors if named.get(t.name)}
        return cls(tensors, vocabulary, to_state(header.cursor, common.order_plan))


def _checked(tensor: batch_pb2.Tensor, size: int) -> Tensor:
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None:
        raise DataLoss(f"tensor {tensor.name!r} has dtype {tensor.dtype}: update this client")
    shape = tuple(tensor.shape)
    if (
        any(n < 0 for n in shape)
        or prod(shape) * dtype.itemsize != tensor.length
        or tensor.offset + tensor.length > size
        or tensor.offset % dtype.itemsize
    ):
        raise DataLoss(
            f"tensor {tensor.name!r} {list(shape)} of {tensor.length} bytes at "
            f"{tensor.offset} does not fit its batch of {size} bytes"
        )
    return Tensor(tensor.name, tensor.dtype, dtype, shape, tensor.offset, tensor.length)


@dataclass(slots=True)
class RawBatch:
    """One batch as received: `memory` is its whole byte space and owns or borrows it.

    Memory that may be written to is the holder's own.
    """

    layout: Layout
    memory: Bytes
    cursor: State  # the place after it
    epoch: int
    step: int
    bad: int
    wire_bytes: int  # that it came to in messages

    @classmethod
    def of(cls, header: batch_pb2.BatchHeader, received: memoryview, common: Common) -> RawBatch:
        """From the contract's message and the batch's bytes."""
        memory = np.frombuffer(received, np.uint8) if len(received) else np.empty(0, np.uint8)
        layout = Layout.of(header, memory.size, common)
        return cls(
            layout,
            memory,
            layout.cursor,
            header.epoch,
            header.step,
            header.bad,
            header.byte_size,
        )
