"""The bytes of a shared view: one array, readable as .npy, and what it was made of.

Layout: a .npy header padded to a page, the rows, a trailer of one page with the number of
rows that are written and, as JSON, what they are.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import DataLoss
from inkstream.shared._segment import Mapping

_PAGE = 4096
_NPY = b"\x93NUMPY\x01\x00"
_TRAILER = struct.Struct("<8sQI")  # magic, rows written, bytes of JSON
_MAGIC = b"inkrows1"

Write = Callable[[Any, int], None]  # all bytes of a contiguous buffer, and where they go


@dataclass(frozen=True)
class RowFile:
    """An array of `shape`, its first dimension being the rows; `made_of` is JSON-able."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    made_of: dict[str, Any]

    @property
    def row_bytes(self) -> int:
        """Of one row."""
        return prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def size(self) -> int:
        """Of the whole file."""
        return 2 * _PAGE + self.shape[0] * self.row_bytes

    def start(self, write: Write) -> None:
        """Writes what comes before the rows."""
        text = repr(
            {
                "descr": np.lib.format.dtype_to_descr(self.dtype),
                "fortran_order": False,
                "shape": self.shape,
            }
        )
        room = _PAGE - len(_NPY) - 2
        write(_NPY + struct.pack("<H", room) + (text.ljust(room - 1) + "\n").encode(), 0)

    def write(self, write: Write, row: int, rows: NDArray[Any]) -> None:
        """Rows from number `row` on."""
        write(np.ascontiguousarray(rows).reshape(-1).view(np.uint8), self._at(row))

    def mark(self, write: Write, rows: int) -> None:
        """States that the first `rows` rows are written."""
        text = json.dumps(self.made_of, sort_keys=True).encode()
        trailer = _TRAILER.pack(_MAGIC, rows, len(text)) + text
        assert len(trailer) <= _PAGE
        write(trailer, self.size - _PAGE)

    def rows_in(self, fd: int) -> int | None:
        """Rows that a file has of exactly this; None if it is something else."""
        found = what_is_in(fd)
        return None if found is None or found[1] != self.made_of else found[0]

    def _at(self, row: int) -> int:
        return _PAGE + row * self.row_bytes


def what_is_in(fd: int) -> tuple[int, dict[str, Any]] | None:
    """(rows written, what they are) of a file of this kind; None of any other."""
    size = os.fstat(fd).st_size
    if size < 2 * _PAGE:
        return None
    trailer = os.pread(fd, _PAGE, size - _PAGE)
    magic, rows, length = _TRAILER.unpack_from(trailer)
    if magic != _MAGIC or length > _PAGE - _TRAILER.size:
        return None
    try:
        made_of = json.loads(trailer[_TRAILER.size : _TRAILER.size + length])
    except ValueError:
        return None
    return (rows, made_of) if isinstance(made_of, dict) else None


def array_in(mapping: Mapping) -> NDArray[Any]:
    """The array, read-only; it keeps the mapping."""
    memory = mapping.bytes()
    header = io.BytesIO(memory[:_PAGE].tobytes())
    try:
        np.lib.format.read_magic(header)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(header)
    except ValueError as error:
        raise DataLoss(f"a shared view has a damaged header: {error}") from None
    if fortran or mapping.size != 2 * _PAGE + prod(shape) * dtype.itemsize:
        raise DataLoss(f"a shared view has {mapping.size} bytes, which does not suit {shape}")
    array: NDArray[Any] = np.ndarray(shape, dtype, buffer=memory.data, offset=_PAGE)
    return array
