"""A TCP proxy in this process that lets no more through than a thin link would.

For where there is no root to shape a real link. What a connection holds is bounded; its CPU time
is spent on this machine, so figures through it are lower bounds.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 64 << 10  # bytes


class _Bucket:
    """Lets `rate` bytes a second through, and one piece at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def take(self, size: int) -> None:
        with self._lock:
            begin = max(self._free_at, time.monotonic() - _PIECE / self._rate)
            self._free_at = begin + size / self._rate
        time.sleep(max(0.0, begin - time.monotonic()))


def _pump(source: socket.socket, sink: socket.socket, bucket: _Bucket | None) -> None:
    memory = memoryview(bytearray(_PIECE))
    with suppress(OSError):
        while count := source.recv_into(memory):
            if bucket is not None:
                bucket.take(count)
            sink.sendall(memory[:count])
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def forward(address: str, bits_per_second: float) -> Iterator[str]:
    """The address of the same server behind a link of that rate, for what the server sends."""
    host, _, port = address.rpartition(":")
    bucket = _Bucket(bits_per_second / 8)
    listener = socket.create_server(("127.0.0.1", 0))
    open_ends: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((host, int(port)))
                open_ends.extend((near, far))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for pump in ((near, far, None), (far, near, bucket)):
                    threading.Thread(target=_pump, args=pump, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for end in (listener, *open_ends):
            end.close()
