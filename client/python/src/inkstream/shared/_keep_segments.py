"""Keeps segments between the process that sends them and the one that takes them.

    python -I -S _keep_segments.py BUDGET LINGER

A program of its own, run by path, so that it imports nothing but the standard library. What is
in flight belongs to it: a sender may end, or be killed, as soon as it has been answered. It
listens on its standard input, an abstract Unix socket, which has no name in any file system.
It ends when it has no clients left and what they sent was not taken for LINGER seconds.

A message is MESSAGE: an operation, a segment's identity, its bytes; a descriptor beside it
where one is handed over. Answers are one byte.

    K  one more receiver will take this segment      -> k, or f where the budget is full
    T  take it: the descriptor comes with the answer -> t, or m where it is not here
"""

from __future__ import annotations

import array
import contextlib
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time

MESSAGE = struct.Struct("<c16sQ")
_SPARE_FILES = 256  # descriptors left for clients
_PEER = struct.Struct("3i")  # pid, uid, gid


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """Process and user at the other end."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    pid, uid, _ = _PEER.unpack(raw)
    return pid, uid


def receive(connection: socket.socket, size: int) -> tuple[bytes, array.array[int]]:
    """A message of at most `size` bytes, and the descriptors beside it."""
    fds = array.array("i")
    message, extra, _, _ = connection.recvmsg(
        size, socket.CMSG_SPACE(fds.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, fds


class Segment:
    """One that is kept for `waiting` receivers."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.size = size
        self.waiting = 0


class Keeper:
    """One thread, one selector."""

    def __init__(self, listener: socket.socket, budget: int, linger: float) -> None:
        self._listener = listener
        self._budget = budget
        self._linger = linger
        self._kept: dict[bytes, Segment] = {}
        self._bytes = 0
        self._clients = 0
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._most = (1 << 20 if hard == resource.RLIM_INFINITY else hard) - _SPARE_FILES
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Until nobody needs it."""
        alone_since = time.monotonic()
        while True:
            wait = None
            if self._clients == 0:
                # Nobody may have come yet who already knows the address.
                linger = self._linger if self._kept else min(self._linger, 2.0)
                wait = alone_since + linger - time.monotonic()
                if wait <= 0:
                    return
            for key, _ in self._selector.select(wait):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                if client is self._listener:
                    self._admit()
                elif not self._serve(client):
                    self._selector.unregister(client)
                    client.close()
                    self._clients -= 1
                    alone_since = time.monotonic()

    def _admit(self) -> None:
        client, _ = self._listener.accept()
        if peer_of(client)[1] != os.geteuid():
            client.close()
            return
        client.settimeout(5)
        self._selector.register(client, selectors.EVENT_READ)
        self._clients += 1

    def _serve(self, client: socket.socket) -> bool:
        """Answers one message; False when the client has gone."""
        fds = array.array("i")
        try:
            message, fds = receive(client, MESSAGE.size)
            if len(message) != MESSAGE.size:
                return False
            operation, name, size = MESSAGE.unpack(message)
            if operation == b"K":
                client.send(b"k" if self._keep(name, size, fds) else b"f")
            else:
                self._hand_over(client, name)
        except OSError:
            return False
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _keep(self, name: bytes, size: int, fds: array.array[int]) -> bool:
        segment = self._kept.get(name)
        if segment is None:
            if not fds or self._bytes + size > self._budget or len(self._kept) >= self._most:
                return False
            segment = self._kept[name] = Segment(os.dup(fds[0]), size)
            self._bytes += size
        segment.waiting += 1
        return True

    def _hand_over(self, client: socket.socket, name: bytes) -> None:
        segment = self._kept.get(name)
        if segment is None:
            client.send(b"m")
            return
        # Gone from here once it has been sent, or with its receiver.
        segment.waiting -= 1
        socket.send_fds(client, [b"t"], [segment.fd])
        if segment.waiting <= 0:
            del self._kept[name]
            self._bytes -= segment.size
            os.close(segment.fd)


def main(budget: int, linger: float) -> None:
    """Serves until nobody needs it."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C is for the program, which may go on
    with contextlib.suppress(OSError):
        os.chdir("/")
    Keeper(socket.socket(fileno=0), budget, linger).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
