"""A position in an epoch's order that moves as batches are taken."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from inkstream._network.reader import End, StreamInfo
from inkstream._network.source import Source
from inkstream._request.cursor import State, check_state
from inkstream._request.plan import Plan
from inkstream._request.values import whole
from inkstream._stream.converter import Converter, Item
from inkstream._stream.prefetch import MAX_AHEAD, Prefetcher
from inkstream._stream.resume_point import ResumePoint
from inkstream._stream.stats import Asker, Counts, bottleneck_of
from inkstream.errors import Closed, FixRequest, InkstreamError, WrongProcess, WrongThread

T = TypeVar("T")


class StreamIterator(Generic[T]):
    """A position that moves as batches are taken, whatever form they are taken in.

    One thread at a time takes or moves, and another one that tries meanwhile gets WrongThread;
    `info`, `state`, `epoch_position`, `stats` and `close` may come from any. Bound to the process
    that took its first batch.
    """

    def __init__(
        self,
        dataset: Source,
        plan: Plan,
        start: Mapping[str, Any] | None,
        convert: Converter[T],
        ahead: int = MAX_AHEAD,
        apart: bool = False,
    ) -> None:
        """`apart`: `start` is behind a step of the stride's own, see ResumePoint."""
        self.dataset = dataset
        self.plan = plan
        self._convert = convert
        self._ahead = ahead
        self._moving = threading.Lock()  # held by who takes or moves
        # Written under _moving.
        self._cursor: State | None = None
        self._apart = False
        self._ended = False
        self._opening = threading.RLock()  # for moments only; a signal's handler may come again
        self._prefetcher: Prefetcher[T] | None = None
        self._known: tuple[Plan, State] | None = None  # the start, as a server told it
        self._closed = False
        self._counts = Counts()
        self._waits = Asker()
        self._taken = 0
        self._since = time.monotonic()
        if start is not None:
            self.load(start)
            self._apart = apart

    def take(self) -> Item[T] | None:
        """The next batch; None at the end, until the position is moved."""
        with self._alone():
            if self._at_end():
                return None
            running = self._running()
            try:
                item = running.take()
            except BaseException:
                # Ctrl-C too, which may come between a batch and its place. What comes next opens
                # the stream again where it stands.
                self._stop()
                raise
            if isinstance(item, End):
                self._cursor = item.cursor
                self._apart = False
                self._ended = True
                self._stop()
                return None
            self._cursor = item.cursor
            self._apart = self.plan.step_stride > 1 and not item.ends_epoch
            self._taken += 1
            return item

    def info(self) -> StreamInfo:
        """What the server says of this stream; opens it."""
        running = self._running()
        try:
            return running.info()
        except InkstreamError:
            self._stop(running)
            raise

    def state(self) -> State:
        """The cursor after the last batch taken; the start before the first."""
        plan, cursor = self.plan, self._cursor
        if cursor is not None:
            return dict(self._completed(cursor))
        known = self._known
        if known is None or known[0] is not plan:
            known = self._known = plan, self.info().cursor
        return dict(known[1])

    def load(self, state: Mapping[str, Any]) -> None:
        """Moves to a cursor; its seed replaces the plan's."""
        checked = check_state(state)
        with self._alone():
            self._move(checked, self.plan.with_seed(checked["seed"]))

    @property
    def untouched(self) -> bool:
        """Whether no batch has been taken yet."""
        return self._taken == 0

    def replan(self, plan: Plan) -> None:
        """Goes on with another plan at the same place."""
        with self._alone():
            with self._opening:
                self.plan = plan
            self._stop()

    def seek(self, epoch: int, step: int, position: int | None = None) -> None:
        """Moves to a step of an epoch, counted from the epoch's start, or to a position."""
        epoch, step = whole("epoch", epoch, 0), whole("step", step, 0)
        position = None if position is None else whole("position", position, 0)
        if position is not None and step:
            raise FixRequest(f"seek(step={step}, position={position}): give one of them")
        if position is None:
            position = step * self.plan.world * self.plan.batch_size
        with self._alone():
            cursor = {} if self._cursor is None else self._cursor
            cursor = {**cursor, "seed": self.plan.seed, "epoch": epoch, "position": position}
            self._move(check_state(cursor), self.plan)

    @property
    def epoch_position(self) -> tuple[int, int]:
        """(epoch, position), without asking the server."""
        return (0, 0) if self._cursor is None else (self._cursor["epoch"], self._cursor["position"])

    def steps(self) -> int:
        """Batches of one whole epoch for this rank and stride; opens the stream."""
        plan = self.plan
        all_steps = self.info().steps_per_epoch
        return max(0, -(-(all_steps - plan.step_offset) // plan.step_stride))

    def stats(self) -> dict[str, Any]:
        """Counts since the stream was made, and who waits for whom.

        `waits`: seconds by what the server says of the present stream; it is asked at most once
        a second, and `waits` is empty where it does not answer at once.
        """
        seconds = time.monotonic() - self._since
        counts = self._counts
        prefetcher = self._prefetcher
        waits = None
        if prefetcher is not None:
            waits = self._waits.ask(self.dataset._service, counts)
        return {
            "batches": self._taken,
            "received": counts.batches + (0 if prefetcher is None else prefetcher.unread),
            "bytes": counts.bytes,
            "wire_bytes": counts.wire_bytes,
            "seconds": seconds,
            "waited": counts.waited,
            "in_hand": 0 if prefetcher is None else prefetcher.in_hand,
            "reopened": counts.reopened,
            "endpoint": counts.endpoint,
            "transport": counts.transport,
            "codec": counts.codec,
            "codec_reason": counts.codec_reason,
            "waits": {} if waits is None else waits.seconds,
            "bottleneck": bottleneck_of(counts.waited, seconds, waits),
        }

    def close(self) -> None:
        """Ends the stream on the server and its thread here. Idempotent."""
        with self._opening:
            self._closed = True
        self._stop()

    def _at_end(self) -> bool:
        last = self.plan.epochs
        past = last is not None and self._cursor is not None and self._cursor["epoch"] >= last
        return self._ended or past

    def _move(self, cursor: State, plan: Plan) -> None:
        with self._opening:
            self._cursor, self.plan = cursor, plan
            self._apart = self._ended = False
        self._stop()  # then: whoever asks meanwhile opens nothing at the old place

    def _alone(self) -> threading.Lock:
        """To be held by whoever takes or moves; WrongThread where another thread does so.

        Two that come in the same instant take turns.
        """
        if self._moving.locked():
            self._check_process()
            raise WrongThread(
                "this stream is being read already, and one thread at a time may read or move "
                "it: give each thread a stream of its own (rank=i, world=n share the drawings "
                "out), or hold a lock of yours around next()"
            )
        return self._moving

    def _check_process(self) -> None:
        prefetcher = self._prefetcher
        if prefetcher is not None and prefetcher.pid != os.getpid():
            raise WrongProcess(
                f"this stream was opened in process {prefetcher.pid} and is used in "
                f"{os.getpid()}: open it in the process that reads it (data.stream(...) there), "
                "or give a DataLoader an inkstream.torch.IterableDataset"
            )

    def _running(self) -> Prefetcher[T]:
        self._check_open()
        self._check_process()
        running = self._prefetcher
        if running is not None:
            return running
        if self._cursor is not None:
            self._completed(self._cursor)  # may ask a server, for which no lock is held
        with self._opening:
            self._check_open()
            running = self._prefetcher
            if running is None:
                cursor = None if self._cursor is None else self._completed(self._cursor)
                running = self._prefetch_on(ResumePoint(self.plan, cursor, self._apart))
                # Also runs at interpreter exit, while threads can still be joined.
                self._finalizer = weakref.finalize(self, running.close)
                self._prefetcher = running
            return running

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this stream was closed; make another one with data.stream(...)")

    def _completed(self, cursor: State) -> State:
        """`cursor` with the hash of the order plan, which only a server can tell."""
        if cursor["plan_hash"]:
            return cursor
        plan = self.plan
        if self._known is None or self._known[0] is not plan:
            self._check_open()
            probe = self._prefetch_on(ResumePoint(plan))
            try:
                self._known = plan, probe.info().cursor
            finally:
                probe.close()
        known = self._known[1]
        position = {name: cursor[name] for name in ("epoch", "position")}
        fingerprint = cursor["fingerprint"] or known["fingerprint"]
        return {**known, **position, "fingerprint": fingerprint}

    def _prefetch_on(self, resume_point: ResumePoint) -> Prefetcher[T]:
        return Prefetcher(self.dataset, resume_point, self._convert, self._counts, self._ahead)

    def _stop(self, only: Prefetcher[T] | None = None) -> None:
        with self._opening:
            prefetcher = self._prefetcher
            if prefetcher is None or only not in (None, prefetcher):
                return
            self._prefetcher = None
            self._finalizer.detach()
        prefetcher.close()

    def __reduce__(self) -> Any:
        raise cannot_be_pickled("a stream")


def cannot_be_pickled(what: str) -> TypeError:
    """What those raise who have a StreamIterator: `what` is what users know them as."""
    return TypeError(
        f"{what} cannot be pickled: it is a live connection. Pass the dataset (it can be) and "
        "its state_dict(), and open the stream where it is read"
    )
