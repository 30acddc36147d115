"""The seam between a stream's logic and whatever moves its bytes.

A reader is one connection's worth of stream: it is opened at a cursor, gives batches, which it
reads ahead by itself, and ends once, by an End or by an error. Going on elsewhere after that is
not its concern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from inkstream._request.cursor import State, to_state
from inkstream._request.messages import name_of
from inkstream._wire.raw_batch import RawBatch
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
        return cls(
            dataset=opened.dataset,
            cursor=to_state(opened.cursor),
            view_size=opened.view_size,
            steps_per_epoch=opened.steps_per_epoch,
            raster_version=opened.raster_version,
            classes=tuple(opened.vocabulary),
            credit_window=opened.credit_window,
            stream_id=opened.stream_id,
            transport=transport,
            codec=codec_name(opened.codec),
            codec_reason=opened.codec_reason,
            refuses_unknown=opened.refuses_unknown,
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


def drawn_ahead(ahead: ReadAhead, window: int, batch_bytes: int) -> int:
    """Batches to be drawn in this process before they are read."""
    fitting = min(_DRAWN_BYTES, ahead.bytes) // max(1, batch_bytes)
    return max(1, min(ahead.batches, window, max(_LEAST_DRAWN, fitting)))


class BatchReader(Protocol):
    """One open stream. One thread reads; `cancel` may come from any other.

    `read` blocks, at most as long as the stall limit; it raises Unavailable when another
    server may be tried at the last batch's cursor, and another InkstreamError when not.
    """

    @property
    def endpoint(self) -> str:
        """Where it reads from, for messages."""

    @property
    def goes_on(self) -> bool:
        """False once the call is over: what is queued is all that comes, and does not block."""

    @property
    def queued(self) -> int:
        """What `read` would give at once, as far as that is known."""

    def open(self) -> StreamInfo:
        """Waits for the server's first answer. Called once, before `read`."""

    def read(self) -> RawBatch | End:
        """The next batch, or the end. Not called again after an End or an error."""

    def cancel(self) -> None:
        """Ends the stream at once; a blocked `open` or `read` raises. Idempotent."""
