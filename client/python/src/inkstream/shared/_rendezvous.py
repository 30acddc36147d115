"""How processes that know nothing of each other find, or agree to make, one segment.

The kernel is the only registry. A finished segment is found among the descriptors of this
user's processes, by its name and its seals; the names of bound sockets tell where to look
first. Who may build is who could bind an abstract
socket of that name, which the kernel takes back when the builder ends; the others connect to
it, hear how far it is, and receive the segment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from pathlib import Path

from inkstream._display.progress_bar import Progress
from inkstream.errors import InkstreamError, Unavailable
from inkstream.shared._keep_segments import peer_of, receive
from inkstream.shared._segment import check_sealed

_MESSAGE = struct.Struct("<cQQ")  # p: done, total; d: size, 0, and the descriptor
_TELL_EVERY = 0.05  # seconds
_SILENCE = 300.0  # seconds without news until waiting is an error


def find_segment(name: str) -> int | None:
    """A descriptor of a finished segment that some process of this user and host has open."""
    first = _hinted(name)
    for process in first:
        fd = segment_of(process, name)
        if fd is not None:
            return fd
    for process in os.listdir("/proc"):
        if process.isdigit() and process not in first:
            fd = segment_of(process, name)
            if fd is not None:
                return fd
    return None


class Hint:
    """Spares others the search while it lives: a bound name that tells this process.

    A forked child keeps the name too; one that leads nowhere only costs the search.
    """

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # another thread of this process has it
            self._socket.bind(f"{_address(name)}-at-{os.getpid()}")

    def __del__(self) -> None:
        self._socket.close()


def _hinted(name: str) -> list[str]:
    prefix = f" @{_address(name)[1:]}-at-"
    try:
        names = Path("/proc/net/unix").read_text(errors="replace")
    except OSError:
        return []
    return [line.rpartition("-at-")[2] for line in names.splitlines() if prefix in line]


def segment_of(process: str, name: str) -> int | None:
    """A descriptor of the finished segment of that name that `process`, this user's, has open."""
    wanted = f"/memfd:{name} (deleted)"
    folder = f"/proc/{process}/fd"
    try:
        if os.stat(f"/proc/{process}").st_uid != os.geteuid():
            return None
        entries = os.listdir(folder)
    except OSError:
        return None  # ended, or not to be looked into
    for entry in entries:
        with contextlib.suppress(OSError, InkstreamError):
            if os.readlink(f"{folder}/{entry}") == wanted:
                return _opened(f"{folder}/{entry}")
    return None


def _opened(entry: str) -> int:
    fd = os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
    try:
        check_sealed(fd)  # not while it is being built, nor anybody's file of that name
    except BaseException:
        os.close(fd)
        raise
    return fd


class Claim:
    """The right to build a segment, held until `close` or this process's end."""

    def __init__(self, name: str) -> None:
        """OSError EADDRINUSE where somebody else has it."""
        self._clients: list[socket.socket] = []
        self._told = 0.0
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._listener.bind(_address(name))
            self._listener.listen(4096)
            self._listener.setblocking(False)
        except BaseException:
            self._listener.close()
            raise

    def tell(self, done: int, total: int) -> None:
        """Lets those who wait know; cheap, and never waits itself."""
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            self._send(_MESSAGE.pack(b"p", done, total), [])

    def hand_out(self, fd: int, size: int) -> None:
        """Gives the finished segment to those who wait."""
        self._send(_MESSAGE.pack(b"d", size, 0), [fd])

    def close(self) -> None:
        """Idempotent. Those who wait without a segment try for themselves."""
        self._listener.close()
        for client in self._clients:
            client.close()
        self._clients.clear()

    def _send(self, message: bytes, fds: list[int]) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                client, _ = self._listener.accept()
                client.setblocking(False)
                if peer_of(client)[1] == os.geteuid():
                    self._clients.append(client)
                else:
                    client.close()
        for client in list(self._clients):
            try:
                socket.send_fds(client, [message], fds)
            except BlockingIOError:
                continue  # it does not read: it has news enough
            except OSError:
                self._clients.remove(client)
                client.close()


def claim(name: str) -> Claim | None:
    """The right to build, or None while another process, or thread, has it."""
    try:
        return Claim(name)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        raise


def wait_for(name: str, progress: Progress) -> int | None:
    """The segment from whoever builds it; None when it stopped building, for whatever reason."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as builder:
        builder.settimeout(_SILENCE)
        try:
            builder.connect(_address(name))
        except OSError:
            time.sleep(0.005)  # it has just ended, or does not listen yet
            return None
        pid, uid = peer_of(builder)
        if uid != os.geteuid():
            raise InkstreamError(f"user {uid} occupies the name under which {name} is built")
        while True:
            try:
                message, fds = receive(builder, _MESSAGE.size)
            except TimeoutError:
                raise Unavailable(
                    f"process {pid} builds this view and was silent for {_SILENCE:.0f} s"
                ) from None
            except OSError:
                return None
            if len(message) != _MESSAGE.size:
                return None
            operation, done, total = _MESSAGE.unpack(message)
            if operation == b"d" and fds:
                return fds[0]
            progress(done, total)


def _address(name: str) -> str:
    return f"\0{name}-{os.geteuid()}"
