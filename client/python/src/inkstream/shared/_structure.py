"""Structures in one segment: a pickle whose buffers lie beside it, out of band.

Layout: header (64 bytes), buffers (each at a multiple of 64), the pickle, a table of
(offset, length) a buffer. Buffers that overlap in the writer's memory, as views of one array
do, overlap in the segment too.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import InkstreamError
from inkstream.shared._memory import check_fits
from inkstream.shared._new_segment import create
from inkstream.shared._segment import ALIGNMENT, Mapping, Memory

byte_bounds = getattr(np.lib, "array_utils", np).byte_bounds  # NumPy 2 has it there

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
    low, high = byte_bounds(array)
    if high - low > _WIDEST_SPAN * array.nbytes:
        array = array.copy(order="K")
        low, high = array.ctypes.data, array.ctypes.data + array.nbytes
    memory = np.asarray(Memory(low, high - low, array))
    return Span(memory, array.ctypes.data - low, array.shape, array.strides, array.dtype)


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


_HEADER = struct.Struct("<8sIIQQ")  # magic, version, buffers, start and bytes of the pickle
_MAGIC = b"inkshare"
_VERSION = 1


class _Pickler(pickle.Pickler):
    """Protocol 5, with every array as a view of the memory it lies in."""

    def __init__(self, file: io.BytesIO, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers.append)

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return _reduced(value)
        return NotImplemented


def _reduced(array: NDArray[Any]) -> Any:
    kind = type(array)
    if not shareable(array):
        return NotImplemented
    if isinstance(array, np.ma.MaskedArray):
        plain: Any = array
        mask = plain.mask if plain.mask is not np.ma.nomask else False
        return (_masked, (np.asarray(plain.data), mask, plain.fill_value))
    if kind is np.memmap:
        kind = np.ndarray
    elif kind is not np.ndarray and (
        kind.__reduce__ is not np.ndarray.__reduce__
        or kind.__reduce_ex__ is not np.ndarray.__reduce_ex__
        or kind.__setstate__ is not np.ndarray.__setstate__
    ):
        return NotImplemented  # it carries more than its elements
    plain = array.view(np.ndarray)
    if plain.nbytes == 0:
        return (rebuild_empty, (plain.shape, plain.dtype, kind))
    span = span_of(plain)
    return (rebuild, (pickle.PickleBuffer(span.memory.data), *span[1:], kind))


def _masked(data: NDArray[Any], mask: Any, fill_value: Any) -> Any:
    return np.ma.MaskedArray(data, mask, fill_value=fill_value)


def write_structure(value: Any, name: str, *, huge_pages: bool = True) -> tuple[int, int]:
    """(descriptor, bytes) of a sealed segment with everything `value` needs."""
    file = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    _Pickler(file, buffers).dump(value)
    stream = file.getbuffer()
    raw = [np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers]
    places, pieces, end = _lay_out(raw)
    table = end + len(stream)
    size = table + 16 * len(raw)
    check_fits(size, "share()", "share less, or free memory first")
    header = _HEADER.pack(_MAGIC, _VERSION, len(raw), end, len(stream))
    entries = struct.pack(f"<{2 * len(places)}Q", *(n for place in places for n in place))
    content = [(0, header), *pieces, (end, stream), (table, entries)]
    return create(name, content, size, huge_pages=huge_pages), size


def _lay_out(
    buffers: list[NDArray[np.uint8]],
) -> tuple[list[tuple[int, int]], list[tuple[int, Any]], int]:
    """Where each buffer goes (offset, size), what has to be written, and the end of it all."""
    places = [(ALIGNMENT, 0)] * len(buffers)
    pieces: list[tuple[int, Any]] = []
    end = ALIGNMENT
    run_low = run_high = run_at = 0
    for i in sorted(range(len(buffers)), key=lambda i: buffers[i].ctypes.data):
        low, size = buffers[i].ctypes.data, buffers[i].size
        if low >= run_high:
            run_low, run_high = low, low
            # The same place within a cache line as before: aligned elements stay aligned.
            run_at = -(-end // ALIGNMENT) * ALIGNMENT + low % ALIGNMENT
        if low + size > run_high:
            pieces.append((run_at + run_high - run_low, buffers[i][run_high - low :]))
            run_high = low + size
            end = run_at + run_high - run_low
        places[i] = run_at + low - run_low, size
    return places, pieces, end


def read_structure(mapping: Mapping) -> Any:
    """The value, its arrays being read-only views of the segment."""
    memory = mapping.bytes().data
    magic, version, count, start, length = _HEADER.unpack_from(memory)
    if magic != _MAGIC or version != _VERSION:
        raise InkstreamError(f"not a shared structure of version {_VERSION}: {magic!r}, {version}")
    table = struct.iter_unpack("<QQ", memory[start + length : start + length + 16 * count])
    buffers = (memory[offset : offset + size] for offset, size in table)
    return pickle.loads(memory[start : start + length], buffers=buffers)
