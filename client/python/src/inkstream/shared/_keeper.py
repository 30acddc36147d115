"""This process's connections to the keepers that hold segments in flight."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from pathlib import Path

from inkstream._library.available_memory import available_memory
from inkstream.errors import InkstreamError
from inkstream.shared._keep_segments import MESSAGE, peer_of, receive

_ADDRESS = "_INKSTREAM_KEEPER"  # for children: one keeper serves a whole family of processes
_LINGER = 30.0  # seconds that what nobody took outlives the last process
_PATIENCE = 30.0  # seconds until a keeper that does not answer is an error


class Lost(InkstreamError, ConnectionError):
    """The segment is no longer held for this process."""


class Connection:
    """To one keeper. Thread-safe; used by one process only."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.settimeout(_PATIENCE)
            self._socket.connect("\0" + address)
            if peer_of(self._socket)[1] != os.geteuid():
                raise InkstreamError(f"the keeper {address} belongs to another user")
        except BaseException:
            self._socket.close()
            raise

    def keep(self, name: bytes, size: int, fd: int) -> bool:
        """Hands a segment over; False where the keeper's budget is full."""
        with self._lock:
            socket.send_fds(self._socket, [MESSAGE.pack(b"K", name, size)], [fd])
            answer = self._socket.recv(1)
        if not answer:
            raise ConnectionResetError(f"the keeper {self.address} ended")
        return answer == b"k"

    def take(self, name: bytes) -> int:
        """The descriptor of a segment. Raises Lost if it is not there."""
        with self._lock:
            self._socket.send(MESSAGE.pack(b"T", name, 0))
            answer, fds = receive(self._socket, 1)
        if answer == b"t" and len(fds) == 1:
            return fds[0]
        for fd in fds:
            os.close(fd)
        raise Lost(
            "a shared segment is not held any more: it was taken before (a message can be "
            "unpickled once), or all of its senders ended long ago"
        )

    def close(self) -> None:
        """Idempotent."""
        self._socket.close()


_connections: dict[str, Connection] = {}
_guard = threading.RLock()
_budget: int | None = None


def set_budget(size: int | None) -> None:
    """Bytes in flight that a keeper started by this process will hold; None: half of the memory."""
    global _budget
    _budget = size


def connection(address: str) -> Connection:
    """The connection to a keeper, made when first used."""
    with _guard:
        known = _connections.get(address)
        if known is None:
            try:
                known = _connections[address] = Connection(address)
            except OSError as error:
                raise Lost(f"the process that kept a shared segment has ended: {error}") from None
        return known


def own() -> Connection:
    """The connection to this family's keeper, which is started where there is none."""
    with _guard:
        address = os.environ.get(_ADDRESS)
        if address is not None:
            try:
                return connection(address)
            except Lost:
                pass
        return connection(_start())


def forget(lost: Connection) -> None:
    """After an error: the next use connects again, or starts another."""
    with _guard:
        if _connections.get(lost.address) is lost:
            del _connections[lost.address]
        lost.close()


def _start() -> str:
    address = f"inkstream-keeper-{os.getpid()}-{secrets.token_hex(8)}"
    budget = (available_memory() or 0) // 2 if _budget is None else _budget
    program = str(Path(__file__).with_name("_keep_segments.py"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind("\0" + address)
        listener.listen(512)  # who connects before it runs waits here
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", program, str(budget), str(_LINGER)],
            stdin=listener.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    threading.Thread(target=child.wait, name="inkstream-reap", daemon=True).start()
    os.environ[_ADDRESS] = address
    return address


def _after_fork() -> None:
    global _guard
    _guard = threading.RLock()
    for inherited in _connections.values():
        inherited.close()
    _connections.clear()


os.register_at_fork(after_in_child=_after_fork)
