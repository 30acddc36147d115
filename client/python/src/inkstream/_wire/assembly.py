"""Parts of batches, as they come, into batches.

A batch that lies whole in one message stays there. One that is cut over several is gathered
into one aligned buffer, the only copy made of it.
"""

from __future__ import annotations

import numpy as np

from inkstream._wire.part import Part
from inkstream._wire.raw_batch import Common, RawBatch
from inkstream.errors import DataLoss
from inkstream.v1 import batch_pb2

_ALIGNMENT = 64
# Nothing larger is offered by any server's limits; a wrong number must not allocate.
_MAX_BATCH_BYTES = 4 << 30


def aligned_bytes(size: int) -> memoryview:
    """`size` writable bytes whose address is a multiple of 64."""
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].data


class Assembler:
    """Takes parts in order, gives batches in order. DataLoss where the order is broken.

    `max_bytes`: the most that a batch can take. `common`: of `opened`, when that has come.
    """

    common = Common()

    def __init__(self, max_bytes: int = _MAX_BATCH_BYTES) -> None:
        self.max_bytes = min(max_bytes, _MAX_BATCH_BYTES)
        self._next_seq = 0
        self._open: batch_pb2.BatchHeader | None = None
        self._memory = memoryview(bytearray())
        self._next_part = 0
        self._filled = 0

    @property
    def partial(self) -> bool:
        """Whether a batch has begun and not ended."""
        return self._open is not None

    def feed(self, part: Part) -> list[RawBatch]:
        """The batches that `part` completes."""
        if self._open is not None:
            return self._continue(self._open, part)
        if part.head.batches:
            return self._begin(part)
        if len(part.data):
            raise DataLoss(f"a part of batch {part.head.batch_seq} came before its part 0")
        return []

    def _begin(self, part: Part) -> list[RawBatch]:
        whole: list[RawBatch] = []
        for header in part.head.batches:
            if header.batch_seq != self._next_seq:
                raise DataLoss(f"batch {header.batch_seq} came where {self._next_seq} was due")
            if header.byte_size > self.max_bytes:
                raise DataLoss(
                    f"batch {header.batch_seq} claims {header.byte_size} bytes; what was asked "
                    f"for takes at most {self.max_bytes}"
                )
            if header.HasField("rows"):
                raise DataLoss(f"batch {header.batch_seq} has rows, which were not asked for")
            if header.part_count > 1:
                if len(part.head.batches) != 1:
                    raise DataLoss("a batch that is cut shares its message with another")
                self._open = header
                self._memory = aligned_bytes(header.byte_size)
                self._next_part = self._filled = 0
                return self._continue(header, part)
            first, last = header.data_offset, header.data_offset + header.byte_size
            if last > len(part.data):
                raise DataLoss(
                    f"batch {header.batch_seq} needs bytes {first}..{last} of a message "
                    f"that has {len(part.data)}"
                )
            whole.append(self._whole(header, part.data[first:last]))
            self._next_seq += 1
        return whole

    def _continue(self, header: batch_pb2.BatchHeader, part: Part) -> list[RawBatch]:
        at = part.head
        end = at.offset + len(part.data)
        if (
            at.batch_seq != header.batch_seq
            or at.part != self._next_part
            or at.offset != self._filled
            or end > header.byte_size
        ):
            raise DataLoss(
                f"part {at.part} of batch {at.batch_seq} at {at.offset} came where part "
                f"{self._next_part} of batch {header.batch_seq} at {self._filled} was due"
            )
        self._memory[at.offset : end] = part.data
        self._filled = end
        self._next_part += 1
        if self._next_part < header.part_count:
            return []
        if self._filled != header.byte_size:
            raise DataLoss(
                f"batch {header.batch_seq} has {self._filled} of its {header.byte_size} bytes"
            )
        self._open = None
        self._next_seq += 1
        return [self._whole(header, self._memory)]

    def _whole(self, header: batch_pb2.BatchHeader, received: memoryview) -> RawBatch:
        return RawBatch.of(header, received.toreadonly(), self.common)
