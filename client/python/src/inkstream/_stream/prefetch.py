"""Read-ahead, and failover.

Readers read ahead by themselves, so the consumer takes from them directly, and a thread of this
module runs only to open a stream. Where what is made of a batch takes its time, that thread goes
on to make it, into a bounded queue.

When a server leaves, the thread opens the stream again at the cursor of the last batch received
whole, while the trainer still works on those in hand. The trainer sees one sequence.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import Generic, TypeVar

from inkstream._network.reader import BatchReader, End, ReadAhead, StreamInfo
from inkstream._network.retry import EARLIER_RELEASE, GENERATION_NOT_HERE, Retry
from inkstream._network.source import Source
from inkstream._request.earlier_servers import check_understood
from inkstream._request.plan import Plan
from inkstream._stream.converter import Converter, Item
from inkstream._stream.resume_point import ResumePoint
from inkstream._stream.stats import Counts
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import Closed, FixRequest, InkstreamError, PlanMismatch, Unavailable
from inkstream.v1 import batch_pb2, plan_pb2

T = TypeVar("T")

_log = logging.getLogger("inkstream")

MAX_AHEAD = 8  # batches
_BYTES = 128 << 20  # that they may come to, but for two
_JOIN_FOR = 5.0  # seconds


class Prefetcher(Generic[T]):
    """See above. `take` from one thread; `close` from any."""

    def __init__(
        self,
        dataset: Source,
        resume_point: ResumePoint,
        convert: Converter[T],
        counts: Counts,
        ahead: int = MAX_AHEAD,
    ) -> None:
        self.pid = os.getpid()
        self._dataset = dataset
        self._channels = dataset._service.channels
        self._retry = Retry(self._channels, dataset._service.retry_for)
        self._resume_point = resume_point
        self._convert = convert
        self._counts = counts
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._most = max(1, ahead)
        # Guarded by _changed.
        self._ready: deque[Item[T]] = deque()
        self._room = max(1, ahead // 2)  # in it
        self._wanted = False  # nothing is read before the first take
        self._reader: BatchReader | None = None
        self._direct: tuple[BatchReader, StreamInfo] | None = None  # what the consumer reads itself
        self._info: StreamInfo | None = None
        self._end: End | None = None
        self._error: BaseException | None = None
        self._start(None)

    def info(self) -> StreamInfo:
        """What the server said first; blocks until it did."""
        with self._changed:
            while self._info is None:
                self._raise_if_over()
                self._changed.wait()
            return self._info

    def take(self) -> Item[T] | End:
        """The next batch, or the end; blocks. Raises what ended the stream."""
        item: Item[T] | None = None
        while item is None:
            direct = self._direct
            if direct is not None and not self._ready:
                item = self._pull(*direct)
                continue
            began = time.monotonic()
            with self._changed:
                self._wanted = True
                self._changed.notify_all()
                if self._ready:
                    item = self._ready.popleft()
                elif self._direct is None:
                    if self._end is not None:
                        return self._end
                    self._raise_if_over()
                    self._changed.wait()
            self._counts.waited += time.monotonic() - began
        return item

    @property
    def in_hand(self) -> int:
        """Batches received and not taken."""
        return len(self._ready) + self.unread

    @property
    def unread(self) -> int:
        """Those of them that only the reader has seen."""
        direct = self._direct
        return 0 if direct is None or os.getpid() != self.pid else direct[0].queued

    def close(self) -> None:
        """Ends the stream and its thread. Idempotent; nothing happens in another process."""
        if os.getpid() != self.pid:
            return
        self._closing.set()
        with self._changed:
            reader, self._reader, self._direct = self._reader, None, None
            thread = self._thread
            self._changed.notify_all()
        if reader is not None:
            reader.cancel()
        if threading.current_thread() is not thread:
            thread.join(_JOIN_FOR)
        with self._changed:
            dropped, self._ready = self._ready, deque()
        del dropped  # not under the lock: batches may have something to say as they go

    def _raise_if_over(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closing.is_set():
            raise Closed("the stream was closed")

    def _start(self, left: tuple[str, End | InkstreamError] | None) -> None:
        """`left`: how the reader before ended, and where."""
        self._thread = threading.Thread(
            target=self._run, args=(left,), name="inkstream-read", daemon=True
        )
        self._thread.start()

    def _pull(self, reader: BatchReader, info: StreamInfo) -> Item[T] | None:
        """One batch, on the consumer's thread. None: the reader is done with."""
        began = time.monotonic()
        try:
            raw = reader.read()
            self._counts.waited += time.monotonic() - began
            if not isinstance(raw, End):
                item = self._received(raw, info)
                if reader.goes_on:
                    return item
                # The call is over: the next one is opened while what it gave is worked on.
                self._ready.append(item)
                while not isinstance(raw := reader.read(), End):
                    self._ready.append(self._received(raw, info))
            self._leave(reader, raw)
        except InkstreamError as error:
            # Without the frames of whoever reads, which would live as long as the error.
            self._leave(reader, error.with_traceback(None))
        return None

    def _leave(self, reader: BatchReader, outcome: End | InkstreamError) -> None:
        self._let_go(reader)
        with self._changed:
            if not self._closing.is_set():
                self._start((reader.endpoint, outcome))

    def _let_go(self, reader: BatchReader) -> None:
        with self._changed:
            self._direct = self._reader = None
        reader.cancel()

    def _received(self, raw: RawBatch, info: StreamInfo) -> Item[T]:
        self._retry.succeeded(self._counts.endpoint)
        raw.step = self._resume_point.passed(raw.cursor, raw.epoch, raw.step)
        self._counts.received(raw)
        return Item(self._convert(raw, info), raw.cursor, raw.epoch, raw.step)

    def _run(self, left: tuple[str, End | InkstreamError] | None) -> None:
        try:
            while not self._closing.is_set():
                if left is None:
                    left = self._go()
                if left is None or self._is_last(*left):
                    return
                left = None
        except BaseException as error:  # whatever it is, the consumer must see it
            if not self._closing.is_set():
                with self._changed:
                    self._error = error
        finally:
            with self._changed:
                self._changed.notify_all()

    def _go(self) -> tuple[str, End | InkstreamError] | None:
        """One reader, from its opening to its end. None: the consumer has it now."""
        endpoint = "no server"
        try:
            endpoint = self._channels().endpoints()[0]
            slow = self._convert.slow
            # Of what may be ahead half is ready then, and half is the reader's.
            batches, size = (self._room, _BYTES // 2) if slow else (self._most, _BYTES)
            ahead = ReadAhead(batches, size, self._convert.own_memory)
            reader = self._open_at(endpoint, ahead)
            handed_over = False
            try:
                info = self._open(reader)
                with self._changed:
                    if not slow and not self._closing.is_set():
                        self._direct, handed_over = (reader, info), True
                        return None
                return endpoint, self._read(reader, info)
            finally:
                if not handed_over:
                    self._let_go(reader)
        except InkstreamError as error:
            return endpoint, error

    def _open_at(self, endpoint: str, ahead: ReadAhead) -> BatchReader:
        dataset, cursor = self._dataset, self._resume_point.cursor
        fingerprint = (cursor or {}).get("fingerprint") or dataset.fingerprint
        opening = self._resume_point.opening().opening(dataset.name, fingerprint, cursor)
        if "strokes" not in dataset.stats["codecs"]:  # a server of an earlier release
            opening.open.delivery.codec = plan_pb2.CODEC_NONE
        return dataset._service.open_reader(endpoint, opening, ahead)

    def _is_last(self, endpoint: str, outcome: End | InkstreamError) -> bool:
        """Whether nothing comes behind it; waits where that is due."""
        if isinstance(outcome, InkstreamError):
            if self._closing.is_set():
                return True
            self._closing.wait(self._retry.failed(endpoint, outcome))
            self._counts.reopened += 1
            return False
        if outcome.reason == batch_pb2.StreamEnd.REASON_REBALANCE:
            _log.info("%s asked for the stream to be opened anew, at any server", endpoint)
            self._counts.reopened += 1
            self._channels().renew(endpoint)
            return False
        if not self._resume_point.ended(outcome):
            return False
        with self._changed:
            self._end = outcome
        return True

    def _open(self, reader: BatchReader) -> StreamInfo:
        with self._changed:
            self._reader = reader
            if self._closing.is_set():
                raise Closed("the stream was closed")
        info = reader.open()
        _check_knowing(info, self._resume_point.plan, reader.endpoint)
        if self._info is not None:
            _check_same(info, self._info, reader.endpoint)
        self._counts.opened(reader.endpoint, info)
        with self._changed:
            self._info = self._info or info
            self._changed.notify_all()
        return info

    def _read(self, reader: BatchReader, info: StreamInfo) -> End:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_read)
            raw = reader.read()
            if isinstance(raw, End):
                self._retry.succeeded(reader.endpoint)
                return raw
            item = self._received(raw, info)
            with self._changed:
                fitting = _BYTES // 2 // max(1, raw.memory.size)
                self._room = max(1, min(self._room, fitting))
                self._ready.append(item)
                self._changed.notify_all()
            del raw, item  # a batch that the consumer dropped must not live on here

    def _may_read(self) -> bool:
        return self._closing.is_set() or (self._wanted and len(self._ready) < self._room)


def _check_knowing(info: StreamInfo, plan: Plan, endpoint: str) -> None:
    """Refuses a server that passed over a part of what was asked for."""
    try:
        check_understood(plan, info.refuses_unknown, endpoint)
    except FixRequest as error:
        raise Unavailable(str(error), reason=EARLIER_RELEASE) from None


def _check_same(info: StreamInfo, wanted: StreamInfo, endpoint: str) -> None:
    """Refuses a server that would go on with other data, another order or other pixels."""
    if info.cursor["fingerprint"] != wanted.cursor["fingerprint"]:
        raise Unavailable(
            f"{endpoint}: this server's data has fingerprint {info.cursor['fingerprint']}, "
            f"the stream's has {wanted.cursor['fingerprint']}",
            reason=GENERATION_NOT_HERE,
        )
    if info.raster_version != wanted.raster_version:
        raise Unavailable(
            f"{endpoint}: this server draws with raster version {info.raster_version}, the "
            f"stream began with {wanted.raster_version}",
            reason=GENERATION_NOT_HERE,
        )
    if info.cursor["plan_hash"] != wanted.cursor["plan_hash"]:
        raise PlanMismatch(
            f"{endpoint}: this server's order plan has hash {info.cursor['plan_hash']}, the "
            f"stream's has {wanted.cursor['plan_hash']}"
        )
