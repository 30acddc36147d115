"""A stream's messages made into batches in Python, where libinkstream is not there to do it.

To whoever reads it is what a LibraryStream is. Nothing is drawn, so nothing waits for memory.
"""

from __future__ import annotations

import queue
import sys

from inkstream._request.plan import planned_batch_bytes
from inkstream._wire.assembly import Assembler
from inkstream._wire.part import parse_part
from inkstream._wire.raw_batch import Common, RawBatch
from inkstream.errors import Closed, DataLoss
from inkstream.v1 import batch_pb2, plan_pb2


class AssembledStream:
    """`next` from one thread at a time, likewise `feed`; the rest from any."""

    offered = sys.maxsize

    def __init__(self, first: bytes, endpoint: str, delivery: plan_pb2.Delivery | None) -> None:
        """`first`: the message with `opened`. `delivery`: what bounds a batch; None: it is one."""
        part = parse_part(first)
        if not part.head.HasField("opened"):
            raise DataLoss(f"{endpoint}: the stream did not begin with `opened`")
        self._opened = part.head.opened
        self.common = Common.of(part.head.opened)
        bounds = () if delivery is None else (planned_batch_bytes(delivery),)
        self._left = 1 if delivery is None else sys.maxsize  # batches that may come
        self._endpoint = endpoint
        self._assembler = Assembler(*bounds)
        self._assembler.common = self.common
        self.batch_bytes = self._assembler.max_bytes
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
        whole = self._assembler.feed(part)
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
