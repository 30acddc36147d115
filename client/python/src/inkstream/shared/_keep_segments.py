"""Keeps segments between the process that sends them and the one that takes them.

    python -I -S _keep_segments.py LISTENER BUDGET LINGER

A program of its own, run by path, so that it imports nothing but the standard library. What is
in flight belongs to it: a sender may end, or be killed, as soon as it has been answered. It
listens on descriptor LISTENER, an abstract Unix socket, which has no name in any file system.
It ends when it has no clients left and what they sent was not taken for LINGER seconds.

A message is MESSAGE: an operation, a segment's identity, its bytes; a descriptor beside it
where one is handed over. Answers are one byte.

    K  one more receiver will take this segment      -> k, or f where the budget is full
    T  take it: the descriptor comes with the answer -> t, or m where it is not here
    D  as T, without need of the descriptor          (no answer)
    H  hold it for as long as this client lives      -> k, or f
    G  as T, of a held one, any number of times      -> t, or m
    U  hold it no longer                             (no answer)
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


class Segment:
    """One that is kept: for `waiting` receivers, and for the clients that hold it."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.size = size
        self.waiting = 0
        self.holders: dict[socket.socket, int] = {}


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
                    self._forget(client)
                    alone_since = time.monotonic()

    def _admit(self) -> None:
        client, _ = self._listener.accept()
        peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        if _PEER.unpack(peer)[1] != os.geteuid():
            client.close()
            return
        client.settimeout(5)
        self._selector.register(client, selectors.EVENT_READ)
        self._clients += 1

    def _serve(self, client: socket.socket) -> bool:
        """Answers one message; False when the client has gone."""
        fds = array.array("i")
        try:
            message, extra, _, _ = client.recvmsg(
                MESSAGE.size, socket.CMSG_SPACE(fds.itemsize), socket.MSG_CMSG_CLOEXEC
            )
            for level, kind, data in extra:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
            if len(message) != MESSAGE.size:
                return False
            operation, name, size = MESSAGE.unpack(message)
            self._answer(client, operation, name, size, fds)
        except OSError:
            return False
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _answer(
        self, client: socket.socket, operation: bytes, name: bytes, size: int, fds: array.array[int]
    ) -> None:
        if operation in (b"K", b"H"):
            segment = self._keep(name, size, fds)
            if segment is not None and operation == b"K":
                segment.waiting += 1
            elif segment is not None:
                segment.holders[client] = segment.holders.get(client, 0) + 1
            client.send(b"f" if segment is None else b"k")
        elif operation in (b"T", b"G"):
            segment = self._kept.get(name)
            if segment is None:
                client.send(b"m")
                return
            if operation == b"T":
                # Gone from here once it has been sent, or with its receiver.
                segment.waiting -= 1
            socket.send_fds(client, [b"t"], [segment.fd])
            self._drop_unused(name, segment)
        elif operation in (b"D", b"U") and name in self._kept:
            segment = self._kept[name]
            if operation == b"D":
                segment.waiting -= 1
            elif segment.holders.get(client, 0) > 1:
                segment.holders[client] -= 1
            else:
                segment.holders.pop(client, None)
            self._drop_unused(name, segment)

    def _keep(self, name: bytes, size: int, fds: array.array[int]) -> Segment | None:
        known = self._kept.get(name)
        if known is not None:
            return known
        if not fds or self._bytes + size > self._budget or len(self._kept) >= self._most:
            return None
        segment = self._kept[name] = Segment(os.dup(fds[0]), size)
        self._bytes += size
        return segment

    def _drop_unused(self, name: bytes, segment: Segment) -> None:
        if segment.waiting <= 0 and not segment.holders:
            del self._kept[name]
            self._bytes -= segment.size
            os.close(segment.fd)

    def _forget(self, client: socket.socket) -> None:
        for name, segment in list(self._kept.items()):
            if segment.holders.pop(client, None):
                self._drop_unused(name, segment)


def main(listener: int, budget: int, linger: float) -> None:
    """Serves until nobody needs it."""
    os.closerange(3, listener)
    os.closerange(listener + 1, os.sysconf("SC_OPEN_MAX"))
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C is for the program, which may go on
    with contextlib.suppress(OSError):
        os.chdir("/")
    Keeper(socket.socket(fileno=listener), budget, linger).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
