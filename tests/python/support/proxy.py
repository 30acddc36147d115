"""A TCP proxy in front of a server: a network that can be cut, frozen or slow."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable

_CHUNK = 16 << 10


class Proxy:
    """Forwards to `target` (HOST:PORT). `rate`: bytes a second towards the client; 0: any.

    `lengths`: how many bytes towards the client each connection lives for, one after the other;
    connections beyond them are not cut.
    """

    def __init__(self, target: str, rate: int = 0, lengths: Iterable[int] = ()) -> None:
        self._lengths = iter(lengths)
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.rate = rate
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Breaks every connection; new ones are taken."""
        with self._lock:
            cut, self._open = self._open, set()
        for one in cut:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.thaw()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                # A small buffer, or a slow network would begin after megabytes.
                server = socket.socket()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * _CHUNK)
                server.connect(self._target)
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
            length = next(self._lengths, None)
            for source, sink, rated in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._forward,
                    args=(source, sink, rated, length if rated else None),
                    daemon=True,
                ).start()

    def _forward(
        self, source: socket.socket, sink: socket.socket, rated: bool, length: int | None
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._flowing.wait()
                passed += len(data)
                if length is not None and passed >= length:
                    sink.sendall(data[: len(data) - (passed - length)])
                    break
                sink.sendall(data)
                if rated and self.rate:
                    time.sleep(len(data) / self.rate)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
