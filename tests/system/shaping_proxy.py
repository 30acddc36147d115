"""A TCP proxy in this process that lets no more through than a thin link would.

For where there is no root to shape a real link. What a connection holds is bounded; its CPU time
is spent on this machine, so figures through it are lower bounds.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import ExitStack, suppress
from types import TracebackType

_PIECE = 64 << 10  # bytes
_BURST = 4 * _PIECE  # as the kernel's bucket, so that a late wake-up costs no rate
_CONNECT_WITHIN = 5.0  # seconds
_JOIN_WITHIN = 5.0


def bits_per_second(rate: str) -> float:
    """A rate in tc's words: "1gbit", "800kbit", "125mbps" (bytes)."""
    said = re.fullmatch(r"([0-9.]+)([kmg]?)(bit|bps)", rate)
    if said is None:
        raise ValueError(f'rate = "{rate}": give it as "100mbit", "1gbit" or "125mbps"')
    number, scale, unit = said.groups()
    return float(number) * 1000.0 ** " kmg".index(scale or " ") * (8 if unit == "bps" else 1)


class _Bucket:
    """Lets `rate` bytes a second through, and a burst at once."""

    def __init__(self, rate: float, closing: threading.Event) -> None:
        self._rate = rate
        self._closing = closing
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def take(self, size: int) -> None:
        """Blocks until they may pass, or the proxy closes."""
        with self._lock:
            begin = max(self._free_at, time.monotonic() - _BURST / self._rate)
            self._free_at = begin + size / self._rate
        if (wait := begin - time.monotonic()) > 0:
            self._closing.wait(wait)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket, bucket: _Bucket | None) -> None:
    memory = memoryview(bytearray(_PIECE))
    try:
        while count := source.recv_into(memory):
            if bucket is not None:
                bucket.take(count)
            sink.sendall(memory[:count])
        # The other direction may still have something to say.
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _end(source, sink)


class ShapingProxy:
    """The same server at another address, behind a link of that rate for what it sends.

    `address`: HOST:PORT; connections there end at `to`, and share the link. While nothing
    answers at `to` they are closed, as a server's that is gone. Open from `with` to its end.
    """

    def __init__(self, to: str, rate: str) -> None:
        host, _, port = to.rpartition(":")
        self._to = (host.strip("[]"), int(port))
        self._closing = threading.Event()
        self._bucket = _Bucket(bits_per_second(rate) / 8, self._closing)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()

    def __enter__(self) -> ShapingProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        _end(self._listener)
        self._accepting.join(_JOIN_WITHIN)
        self._listener.close()
        with self._lock:
            _end(*self._open)
            threads = list(self._threads)
        for thread in threads:
            thread.join(_JOIN_WITHIN)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                thread = threading.Thread(target=self._forward, args=(near,), daemon=True)
                with self._lock:
                    self._threads.add(thread)
                thread.start()

    def _forward(self, near: socket.socket) -> None:
        """One connection, to its end in both directions."""
        with near, suppress(OSError):
            far = socket.create_connection(self._to, timeout=_CONNECT_WITHIN)
            with far:
                far.settimeout(None)
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open |= {near, far}
                if self._closing.is_set():
                    _end(near, far)
                up = threading.Thread(target=_pump, args=(near, far, None), daemon=True)
                up.start()
                _pump(far, near, self._bucket)
                up.join()
                with self._lock:
                    self._open -= {near, far}
        with self._lock:
            self._threads.discard(threading.current_thread())


class ProxiedLink:
    """A thin link as `ShapedLink` is one, but of proxies: for users without root."""

    on_server: tuple[str, ...] = ()
    on_client: tuple[str, ...] = ()
    serve: tuple[str, ...] = ("--listen", "127.0.0.1:0")

    def __init__(self, rate: str) -> None:
        self._rate = rate
        bits_per_second(rate)
        self._proxies = ExitStack()

    def target(self, address: str) -> str:
        """Where clients find the server that listens at `address`."""
        return self._proxies.enter_context(ShapingProxy(address, self._rate)).address

    def __enter__(self) -> ProxiedLink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._proxies.close()
