"""Read-ahead: one thread that keeps a bounded number of batches in hand.

It also owns going on elsewhere: when a server leaves, the thread opens the stream again at
the cursor of the last batch it received whole, while the trainer still works on those in
hand. The trainer sees one sequence.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from inkstream._assembly import wire_bytes_of
from inkstream._batch import RawBatch
from inkstream._channels import Channels
from inkstream._course import Course
from inkstream._cursor import State, to_state
from inkstream._errors import Closed, InkstreamError, PlanMismatch, Unavailable
from inkstream._plan import Plan
from inkstream._reader import BatchReader, End, Facts
from inkstream._retry import GENERATION_NOT_HERE, Retry
from inkstream.v1 import batch_pb2

T = TypeVar("T")

_log = logging.getLogger("inkstream")

MAX_AHEAD = 8  # batches
_BYTES_AHEAD = 128 << 20
_LEAST_AHEAD = 2  # batches, however large
_JOIN_FOR = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One batch in the form its consumer wants."""

    value: T
    cursor: State  # after it
    epoch: int
    step: int

    @property
    def ends_epoch(self) -> bool:
        """Whether it is its epoch's last."""
        return bool(self.cursor["epoch"] != self.epoch)


@dataclass
class Counts:
    """What a stream has done so far."""

    batches: int = 0
    bytes: int = 0
    wire_bytes: int = 0  # that they came to in messages
    reopened: int = 0
    waited: float = 0.0  # seconds the consumer waited
    endpoint: str = ""
    stream_id: int = 0  # of the present stream, at `endpoint`
    transport: str = ""  # "shm" or "grpc"
    transport_reason: str = ""  # why not "shm"
    codec: str = ""  # in use
    codec_reason: str = ""  # why not the one asked for


class Prefetcher(Generic[T]):
    """See above. `take` from one thread; `close` from any."""

    def __init__(
        self,
        open_at: Callable[[str, Plan, State | None], BatchReader],
        channels: Callable[[], Channels],
        retry_for: float,
        course: Course,
        convert: Callable[[RawBatch, Facts], T],
        counts: Counts,
        ahead: int = MAX_AHEAD,
    ) -> None:
        self.pid = os.getpid()
        self._open_at = open_at
        self._channels = channels
        self._retry = Retry(channels, retry_for)
        self._course = course
        self._convert = convert
        self._counts = counts
        self._ahead = max(1, ahead)
        self._changed = threading.Condition()
        self._closing = threading.Event()
        # Guarded by _changed.
        self._items: deque[Item[T]] = deque()
        self._owed = 0  # batches granted to the present reader and not received
        self._wanted = False  # no credits before the first take
        self._reader: BatchReader | None = None
        self._facts: Facts | None = None
        self._end: End | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="inkstream-read", daemon=True)
        self._thread.start()

    def facts(self) -> Facts:
        """What the server said first; blocks until it did."""
        with self._changed:
            while self._facts is None:
                self._raise_if_over()
                self._changed.wait()
            return self._facts

    def take(self) -> Item[T] | End:
        """The next batch, or the end; blocks. Raises what ended the stream."""
        began = time.monotonic()
        with self._changed:
            self._wanted = True
            self._grant()
            while not self._items:
                if self._end is not None:
                    return self._end
                self._raise_if_over()
                self._changed.wait()
            item = self._items.popleft()
            self._grant()
        self._counts.waited += time.monotonic() - began
        return item

    @property
    def in_hand(self) -> int:
        """Batches received and not taken."""
        return len(self._items)

    def close(self) -> None:
        """Ends the stream and its thread. Idempotent; nothing happens in another process."""
        if os.getpid() != self.pid:
            return
        self._closing.set()
        with self._changed:
            reader = self._reader
            self._changed.notify_all()
        if reader is not None:
            reader.cancel()
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_FOR)
        self._items.clear()

    def _raise_if_over(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closing.is_set():
            raise Closed("the stream was closed")

    def _grant(self) -> None:
        """Grants what there is room for, not in drops. Called with _changed held."""
        if not self._wanted or self._reader is None:
            return
        room = self._ahead - len(self._items) - self._owed
        if room > 0 and (2 * room >= self._ahead or self._owed == 0):
            self._owed += room
            self._reader.grant(room)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                endpoint = "no server"
                try:
                    channels = self._channels()
                    endpoint = channels.endpoints()[0]
                    opening = self._course.opening()
                    reader = self._open_at(endpoint, opening, self._course.place)
                    try:
                        end = self._read(reader)
                    finally:
                        reader.cancel()
                        with self._changed:
                            self._reader, self._owed = None, 0
                except InkstreamError as error:
                    if self._closing.is_set():
                        return
                    delay = self._retry.failed(endpoint, error)
                    _log.info("going on elsewhere in %.1f s: %s", delay, error)
                    self._closing.wait(delay)
                    self._counts.reopened += 1
                    continue
                if end.reason == batch_pb2.StreamEnd.REASON_REBALANCE:
                    self._counts.reopened += 1
                    channels.renew(endpoint)
                elif self._course.ended(end):
                    with self._changed:
                        self._end = end
                    return
        except BaseException as error:  # whatever it is, the consumer must see it
            if not self._closing.is_set():
                with self._changed:
                    self._error = error
        finally:
            with self._changed:
                self._changed.notify_all()

    def _read(self, reader: BatchReader) -> End:
        with self._changed:
            self._reader = reader
            if self._closing.is_set():
                raise Closed("the stream was closed")
        facts = reader.open()
        self._check(facts, reader.endpoint)
        self._counts.endpoint = reader.endpoint
        self._counts.stream_id = facts.stream_id
        self._counts.transport = "shm" if facts.shared_memory else "grpc"
        self._counts.transport_reason = facts.transport_reason
        self._counts.codec, self._counts.codec_reason = facts.codec, facts.codec_reason
        with self._changed:
            self._facts = self._facts or facts
            if facts.credit_window:
                self._ahead = min(self._ahead, facts.credit_window)
            self._grant()
            self._changed.notify_all()
        while True:
            raw = reader.read()
            self._retry.succeeded()
            if isinstance(raw, End):
                return raw
            header = raw.header
            cursor = to_state(header.cursor, facts.cursor["order_plan"])
            header.step = self._course.passed(cursor, header.epoch, header.step)
            item = Item(
                value=self._convert(raw, facts),
                cursor=cursor,
                epoch=header.epoch,
                step=header.step,
            )
            self._counts.batches += 1
            self._counts.bytes += len(raw.memory)
            if not facts.shared_memory:
                self._counts.wire_bytes += wire_bytes_of(raw.header)
            with self._changed:
                fits = _BYTES_AHEAD // max(1, len(raw.memory))
                self._ahead = min(self._ahead, max(_LEAST_AHEAD, fits))
                self._owed -= 1
                self._items.append(item)
                self._changed.notify_all()
            del raw, header, item  # a batch that the consumer dropped must not live on here

    def _check(self, facts: Facts, endpoint: str) -> None:
        """Refuses a server that would go on with other data, another order or other pixels."""
        wanted = self._facts
        if wanted is None:
            return
        if facts.cursor["fingerprint"] != wanted.cursor["fingerprint"]:
            raise Unavailable(
                f"{endpoint}: this server's data has fingerprint {facts.cursor['fingerprint']}, "
                f"the stream's has {wanted.cursor['fingerprint']}",
                reason=GENERATION_NOT_HERE,
            )
        if facts.raster_version != wanted.raster_version:
            raise Unavailable(
                f"{endpoint}: this server draws with raster version {facts.raster_version}, the "
                f"stream began with {wanted.raster_version}",
                reason=GENERATION_NOT_HERE,
            )
        if facts.cursor["plan_hash"] != wanted.cursor["plan_hash"]:
            raise PlanMismatch(
                f"{endpoint}: this server's order plan has hash {facts.cursor['plan_hash']}, the "
                f"stream's has {wanted.cursor['plan_hash']}"
            )
