"""What a stream has done so far."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream._network.reader import StreamInfo
from inkstream._wire.raw_batch import RawBatch


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
