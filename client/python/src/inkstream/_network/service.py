"""What a dataset is asked of: servers over a network, or a store in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from inkstream._network.channels import Endpoints
from inkstream._network.reader import BatchReader, ReadAhead, StreamInfo
from inkstream._request.messages import plain
from inkstream._wire.raw_batch import RawBatch
from inkstream.v1 import dataset_pb2, service_pb2

Answer = TypeVar("Answer")
Fetched = tuple[RawBatch, StreamInfo]


@dataclass(frozen=True)
class Waits:
    """What is said of one stream's time."""

    seconds: dict[str, float]  # waited, by what it was for, as the server names it
    bottleneck: str

    @classmethod
    def of(cls, status: dataset_pb2.GetStatusResponse) -> Waits | None:
        """Of the one stream that was asked for; None where there is none."""
        for stream in status.streams:
            told = plain(stream)
            seconds = {n.removeprefix("wait_"): v for n, v in told.items() if n.startswith("wait_")}
            return cls(seconds, stream.bottleneck)
        return None


class Service(Protocol):
    """Picklable, thread-safe, good in every process; errors are InkstreamErrors."""

    retry_for: float  # seconds for which a stream looks for where it can go on

    @property
    def target(self) -> object:
        """Whom it asks, for people."""

    @property
    def transport(self) -> str:
        """What reads the drawings of this process."""

    def channels(self) -> Endpoints:
        """Where streams can be opened. Closed once `close` was called."""

    def call(self, method: str, request: Any, answer: type[Answer]) -> Answer:
        """One unary call."""

    def waits_of(self, endpoint: str, stream_id: int, seconds: float) -> Waits | None:
        """Where the time of one stream goes; None where none is known."""

    def fetch(self, request: service_pb2.FetchDrawingsRequest) -> Fetched:
        """Random access; goes on elsewhere for as long as a stream would."""

    def open_reader(
        self, endpoint: str, request: service_pb2.StreamBatchesRequest, ahead: ReadAhead
    ) -> BatchReader:
        """A stream at one endpoint."""

    def close(self) -> None:
        """Lets go of what this process holds. Idempotent."""
