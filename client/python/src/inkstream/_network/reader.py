"""The seam between a stream's logic and whatever moves its bytes.

A reader is one connection's worth of stream: it is opened at a cursor, gives batches, which it
reads ahead by itself, and ends once, by an End or by an error. Going on elsewhere after that is
not its concern.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass

from inkstream._library.stream import MessageStream
from inkstream._request.cursor import State, to_state
from inkstream._request.messages import name_of, taken
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import Closed, Unavailable
from inkstream.v1 import batch_pb2, plan_pb2


def codec_name(number: int) -> str:
    """As users name it; of one that this release does not know, its number."""
    return name_of(plan_pb2.Codec.DESCRIPTOR, number) or f"codec {number}"


@dataclass(frozen=True)
class StreamInfo:
    """What a server says first on a stream."""

    dataset: str
    cursor: State  # where the stream starts, order_plan set
    view_size: int  # drawings
    steps_per_epoch: int  # of this rank, a whole epoch from position 0
    raster_version: int
    classes: tuple[str, ...]  # what labels count
    credit_window: int  # batches that may be ahead; 0: not said
    stream_id: int = 0  # what GetStatus calls the stream; 0: not said
    transport: str = "grpc"  # how the bytes come: or "here"
    codec: str = "none"  # in use
    codec_reason: str = ""  # why not the one asked for
    refuses_unknown: bool = False  # nothing that was asked for was passed over

    @classmethod
    def of(cls, opened: batch_pb2.StreamOpened, transport: str = "grpc") -> StreamInfo:
        """From the contract's message. `transport`: how the bytes come."""
        return taken(
            cls,
            opened,
            cursor=to_state(opened.cursor),
            classes=tuple(opened.vocabulary),
            transport=transport,
            codec=codec_name(opened.codec),
        )


@dataclass(frozen=True)
class End:
    """A stream that ended well, and where."""

    cursor: State
    reason: int  # batch_pb2.StreamEnd.Reason


@dataclass(frozen=True)
class ReadAhead:
    """How far a reader may be before what is read of it."""

    batches: int
    bytes: int  # fewer batches, but two, where they are larger
    own_memory: bool = False  # a batch's memory is its holder's, who may write to it


# What is drawn ahead should still be in the caches when it is read.
_DRAWN_BYTES = 8 << 20
_LEAST_DRAWN = 2


class BatchReader(ABC):
    """One open stream. One thread reads; `cancel` may come from any other."""

    goes_on = True  # False once the call is over: what is queued is all, and does not block
    queued = 0  # what `read` would give at once, as far as that is known

    def __init__(self, endpoint: str, ahead: ReadAhead) -> None:
        """`endpoint`: where it reads from, for messages."""
        self.endpoint = endpoint
        self._ahead = ahead
        self._lock = threading.Lock()
        self._cancelled = False
        self._stream: MessageStream | None = None
        self._depth = 0  # batches that may be drawn ahead

    @abstractmethod
    def open(self) -> StreamInfo:
        """Waits for the server's first answer. Called once, before `read`."""

    def read(self) -> RawBatch | End:
        """The next batch, or the end. Not called again after an End or an error.

        Blocks, at most as long as the stall limit; raises Unavailable when another server may be
        tried at the last batch's cursor, and another InkstreamError when not.
        """
        stream = self._stream
        if stream is None:
            raise Closed("the stream was closed")
        while stream.offered < self._depth:
            stream.offer()
        found = stream.next()
        if isinstance(found, RawBatch):
            return found
        if found is None:
            raise self._broken()
        return End(to_state(found.cursor, stream.common.order_plan), found.reason)

    def cancel(self) -> None:
        """Ends the stream at once; a blocked `open` or `read` raises. Idempotent."""
        with self._lock:
            self._cancelled = True
            if self._stream is not None:
                self._stream.cancel()

    def _broken(self) -> BaseException:
        """Why nothing more comes, and no end came."""
        return Unavailable(f"{self.endpoint}: the stream stopped without an end")

    def _opened(self, stream: MessageStream) -> None:
        """To be read from now on."""
        with self._lock:
            self._stream = stream
            if self._cancelled:
                stream.cancel()
                raise Closed("the stream was closed")

    def _drawn_ahead(self, window: int, batch_bytes: int) -> int:
        """Batches to be drawn in this process before they are read."""
        fitting = min(_DRAWN_BYTES, self._ahead.bytes) // max(1, batch_bytes)
        return max(1, min(self._ahead.batches, window, max(_LEAST_DRAWN, fitting)))
