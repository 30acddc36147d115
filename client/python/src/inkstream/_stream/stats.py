"""What a stream has done so far, and who waits for whom, as its loop and its server see it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from inkstream._network.reader import StreamInfo
from inkstream._network.service import Service, Waits
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import InkstreamError

_ASK_EVERY = 1.0  # seconds
_ASK_FOR = 1.0  # seconds
_TOO_EARLY = 0.5  # seconds
_NOTHING = 0.1  # of the time
_MOST = 0.5  # of the time


@dataclass
class Counts:
    """Of one stream, over all the servers it was on."""

    batches: int = 0
    bytes: int = 0
    wire_bytes: int = 0  # that they came to in messages
    reopened: int = 0
    waited: float = 0.0  # seconds the consumer waited
    endpoint: str = ""
    stream_id: int = 0  # of the present stream, at `endpoint`
    transport: str = ""  # "grpc", or "here": in this process
    codec: str = ""  # in use
    codec_reason: str = ""  # why not the one asked for

    def opened(self, endpoint: str, info: StreamInfo) -> None:
        """The stream is there now."""
        self.endpoint = endpoint
        self.stream_id = info.stream_id
        self.transport = info.transport
        self.codec, self.codec_reason = info.codec, info.codec_reason

    def received(self, raw: RawBatch) -> None:
        """One batch more."""
        self.batches += 1
        self.bytes += raw.memory.size
        self.wire_bytes += raw.wire_bytes


class Asker:
    """Asks the server, and remembers the answer for a second. Not thread-safe."""

    def __init__(self) -> None:
        self._at = -_ASK_EVERY
        self._answer: Waits | None = None

    def ask(self, connection: Service, counts: Counts) -> Waits | None:
        """None where there is no answer."""
        now = time.monotonic()
        if counts.stream_id and now - self._at >= _ASK_EVERY:
            self._at = now
            self._answer = None
            with contextlib.suppress(InkstreamError):
                self._answer = connection.waits_of(counts.endpoint, counts.stream_id, _ASK_FOR)
        return self._answer


def bottleneck_of(waited: float, seconds: float, server: Waits | None) -> str:
    """One sentence. `waited`: how long the loop waited for a batch, of `seconds`."""
    if seconds < _TOO_EARLY:
        return "The stream is too young to say who waits for whom."
    share = min(1.0, waited / seconds)
    if share < _NOTHING:
        return (
            f"The client is the bottleneck: batches were there, and the loop itself takes "
            f"{1 - share:.0%} of the time."
        )
    if server is None:
        return f"Server or network is the bottleneck: the loop waited {share:.0%} of the time."
    if (
        share >= _MOST
        and server.seconds
        and max(server.seconds, key=server.seconds.__getitem__) == "client"
    ):
        # All that was granted is on its way, which the server cannot see: rows run far ahead.
        return (
            f"The network or the client's reader is the bottleneck: the loop waited {share:.0%} of "
            f"the time for what the server had sent."
        )
    return server.bottleneck
