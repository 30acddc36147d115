"""A stream's messages made into batches in Python, where libinkstream is not there to do it.

To whoever reads it is what a LibraryStream is. Nothing is drawn, so nothing waits for memory.
A batch that lies whole in one message stays there; one that is cut over several is joined, the
only copy made of it.
"""

from __future__ import annotations

import queue
import sys

from inkstream._request.plan import planned_batch_bytes
from inkstream._wire.part import Part, parse_part
from inkstream._wire.raw_batch import Common, RawBatch
from inkstream.errors import Closed, DataLoss
from inkstream.v1 import batch_pb2, plan_pb2

# Nothing larger is offered by any server's limits.
_MAX_BATCH_BYTES = 4 << 30


class AssembledStream:
    """`next` from one thread at a time, likewise `feed`; the rest from any.

    DataLoss where the order of parts or batches is broken.
    """

    offered = sys.maxsize

    def __init__(self, first: bytes, endpoint: str, delivery: plan_pb2.Delivery | None) -> None:
        """`first`: the message with `opened`. `delivery`: what bounds a batch; None: it is one."""
        head = parse_part(first).head
        if not head.HasField("opened"):
            raise DataLoss(f"{endpoint}: the stream did not begin with `opened`")
        self._opened = head.opened
        self.common = Common.of(head.opened)
        most = _MAX_BATCH_BYTES if delivery is None else planned_batch_bytes(delivery)
        self.batch_bytes = min(most, _MAX_BATCH_BYTES)
        self._left = 1 if delivery is None else sys.maxsize  # batches that may come
        self._endpoint = endpoint
        self._next_seq = 0
        self._cut: batch_pb2.BatchHeader | None = None  # a batch that has begun and not ended
        self._pieces: list[memoryview] = []  # of it
        self._filled = 0  # bytes of it
        self._ready: queue.SimpleQueue[RawBatch | batch_pb2.StreamEnd | None] = queue.SimpleQueue()
        self._cancelled = False
        self.feed(first)

    def opened(self) -> batch_pb2.StreamOpened:
        """What the stream begins with."""
        return self._opened

    def offer(self) -> None:
        """Batches lie where the messages are."""

    def feed(self, message: bytes) -> int:
        """The next message; answers how many batches became whole."""
        part = parse_part(message)
        whole = self._begun(part) if self._cut is None else self._continued(self._cut, part)
        self._left -= len(whole)
        if self._left < 0:
            raise DataLoss(f"{self._endpoint}: the answer has more batches than one")
        for batch in whole:
            self._ready.put(batch)
        if part.head.HasField("end"):
            self._ready.put(part.head.end)
        return len(whole)

    def finish(self) -> None:
        """Nothing more is fed."""
        self._ready.put(None)

    def next(self) -> RawBatch | batch_pb2.StreamEnd | None:
        """The next batch, or the end; None where nothing more was fed, and no end."""
        found = self._ready.get()
        if self._cancelled:
            raise Closed("the stream was closed")
        return found

    def cancel(self) -> None:
        """Ends it. Idempotent."""
        self._cancelled = True
        self._ready.put(None)

    def _begun(self, part: Part) -> list[RawBatch]:
        """The batches that lie whole in `part`, which may begin one that does not."""
        if len(part.data) and not part.head.batches:
            raise DataLoss(f"a part of batch {part.head.batch_seq} came before its part 0")
        whole: list[RawBatch] = []
        for header in part.head.batches:
            if header.batch_seq != self._next_seq:
                raise DataLoss(f"batch {header.batch_seq} came where {self._next_seq} was due")
            if header.byte_size > self.batch_bytes:
                raise DataLoss(
                    f"batch {header.batch_seq} claims {header.byte_size} bytes; what was asked "
                    f"for takes at most {self.batch_bytes}"
                )
            if header.HasField("rows"):
                raise DataLoss(f"batch {header.batch_seq} has rows, which were not asked for")
            self._next_seq += 1
            if header.part_count > 1:
                if len(part.head.batches) != 1:
                    raise DataLoss("a batch that is cut shares its message with another")
                self._cut, self._pieces, self._filled = header, [], 0
                return self._continued(header, part)
            first, last = header.data_offset, header.data_offset + header.byte_size
            if last > len(part.data):
                raise DataLoss(
                    f"batch {header.batch_seq} needs bytes {first}..{last} of a message "
                    f"that has {len(part.data)}"
                )
            whole.append(RawBatch.of(header, part.data[first:last], self.common))
        return whole

    def _continued(self, header: batch_pb2.BatchHeader, part: Part) -> list[RawBatch]:
        at, number = part.head, len(self._pieces)
        filled = self._filled + len(part.data)
        if (
            at.batch_seq != header.batch_seq
            or at.part != number
            or at.offset != self._filled
            or filled > header.byte_size
        ):
            raise DataLoss(
                f"part {at.part} of batch {at.batch_seq} at {at.offset} came where part "
                f"{number} of batch {header.batch_seq} at {self._filled} was due"
            )
        self._pieces.append(part.data)
        self._filled = filled
        if len(self._pieces) < header.part_count:
            return []
        if filled != header.byte_size:
            raise DataLoss(f"batch {header.batch_seq} has {filled} of its {header.byte_size} bytes")
        joined, self._cut, self._pieces = b"".join(self._pieces), None, []
        return [RawBatch.of(header, memoryview(joined), self.common)]
