"""Arrays as spans of memory: what has to be copied of one, and how a view of it is rebuilt."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkstream.shared._maps import Memory

# A strided view may drag along at most this many times its own bytes; beyond, only its own
# elements are copied.
_WIDEST_SPAN = 2


class Span(NamedTuple):
    """The bytes that an array's elements lie in, and how they lie there."""

    memory: NDArray[np.uint8]
    offset: int  # of the first element; strides may be negative
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]


def shareable(array: NDArray[Any]) -> bool:
    """Whether the elements are nothing but their bytes: no object, no variable-width string."""
    return not array.dtype.hasobject and array.dtype.kind != "T"


def span_of(array: NDArray[Any]) -> Span:
    """The span of a shareable array that has elements; compacts those that lie far apart."""
    low, high = np.lib.array_utils.byte_bounds(array) if _NUMPY_2 else np.byte_bounds(array)  # type: ignore[attr-defined,unused-ignore]
    if high - low > _WIDEST_SPAN * array.nbytes:
        array = array.copy(order="K")
        low, high = array.ctypes.data, array.ctypes.data + array.nbytes
    memory = np.asarray(Memory(low, high - low, array))
    return Span(memory, array.ctypes.data - low, array.shape, array.strides, array.dtype)


_NUMPY_2 = hasattr(np.lib, "array_utils")


def rebuild(
    memory: Any,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: np.dtype[Any],
    kind: type[NDArray[Any]] = np.ndarray,
) -> NDArray[Any]:
    """The view; read-only if `memory` is."""
    array: NDArray[Any] = np.ndarray(shape, dtype, buffer=memory, offset=offset, strides=strides)
    return array if kind is np.ndarray else array.view(kind)


def rebuild_empty(
    shape: tuple[int, ...], dtype: np.dtype[Any], kind: type[NDArray[Any]] = np.ndarray
) -> NDArray[Any]:
    """An array without bytes."""
    array: NDArray[Any] = np.empty(shape, dtype).view(kind)
    array.flags.writeable = False
    return array
