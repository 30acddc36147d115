"""One StreamBatches call by grpcio: messages as raw bytes, credits, and an eye on silence.

Keepalive finds dead peers; a thread that watches finds live ones that do not answer.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

import grpc

from inkstream._request.addresses import in_words
from inkstream._wire.status import from_grpc
from inkstream.errors import Closed, Unavailable
from inkstream.v1 import service_pb2

_METHOD = "/inkstream.v1.DrawingService/StreamBatches"
_LOOK_EVERY = 0.5  # seconds


class StreamCall:
    """`stall`: seconds without a message, while one is due, that end it.

    One thread receives; the rest may come from any.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        endpoint: str,
        request: service_pb2.StreamBatchesRequest,
        metadata: Sequence[tuple[str, str]],
        stall: float,
    ) -> None:
        self.endpoint = endpoint
        self._dataset = request.dataset
        # The client's side of the stream; None ends it.
        self._requests: queue.SimpleQueue[service_pb2.StreamBatchesRequest | None] = (
            queue.SimpleQueue()
        )
        self._requests.put(request)
        self._stall = stall
        self._lock = threading.Lock()
        self._due = 1 + request.credits  # messages the server owes: `opened`, then batches
        self._last_message = time.monotonic()
        self._cancelled = self._stalled = False
        self._over = threading.Event()
        method: Any = channel.stream_stream(
            _METHOD,
            request_serializer=service_pb2.StreamBatchesRequest.SerializeToString,
        )
        self._call: Any = method(iter(self._requests.get, None), metadata=metadata)
        threading.Thread(target=self._watch, name="inkstream-stall", daemon=True).start()

    def receive(self) -> bytes | None:
        """The next message; None: the call ended without an error. Blocks, at most for `stall`."""
        try:
            message: bytes = next(self._call)
        except StopIteration:
            self.finish()
            return None
        except grpc.RpcError as error:
            self.finish()
            if self._cancelled:
                raise Closed("the stream was closed") from None
            if self._stalled:
                raise Unavailable(
                    f"{in_words(self.endpoint)}: no answer for {self._stall:g} s", reason="STALLED"
                ) from None
            raise from_grpc(error, self.endpoint) from None
        if not message:
            # No server sends one: grpcio gives it where forks meet a running call.
            self.finish()
            where = in_words(self.endpoint)
            raise Unavailable(f"{where}: an empty message came", reason="BROKEN")
        with self._lock:
            self._last_message = time.monotonic()
        return message

    def arrived(self, count: int) -> None:
        """So much of what the server owes has come: batches, and `opened`."""
        with self._lock:
            self._due -= count

    def grant(self, credits: int) -> None:
        """Lets the server send that many further batches."""
        with self._lock:
            if self._due <= 0:
                self._last_message = time.monotonic()
            self._due += credits
        self._requests.put(service_pb2.StreamBatchesRequest(dataset=self._dataset, credits=credits))

    def cancel(self) -> None:
        """Ends it at once; a blocked `receive` raises Closed. Idempotent."""
        self._cancelled = True
        self.finish()

    def finish(self) -> None:
        """Nothing more is received. Idempotent."""
        self._over.set()
        self._call.cancel()
        self._requests.put(None)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            with self._lock:
                late = self._due > 0 and time.monotonic() - self._last_message > self._stall
            if late:
                self._stalled = True
                self.finish()
