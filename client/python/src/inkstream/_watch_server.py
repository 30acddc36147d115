"""Runs a private server for as long as somebody holds its lease. A program of its own.

    python -I -S _watch_server.py LOCK LEASE COMMAND...

Run by path, so that it imports nothing but the standard library. Users hold a shared lock on
LEASE; the kernel lets go of it when they end, however they end. This program waits for an
exclusive one: having it means that nobody is left. LOCK is held exclusively for as long as the
server or this program lives, which is how others see that there is one.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
_DRAIN_FOR = 10.0  # seconds


def _end_with_parent() -> None:
    """A server whose watcher is killed must not stay."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(lock_path: str, lease_path: str, command: list[str]) -> int:
    """Starts the server, waits for the last user or for the server's own end."""
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 3  # there is one already
    # The server inherits the lock: while it drains, nobody may start another.
    os.set_inheritable(lock, True)
    preexec = _end_with_parent if sys.platform == "linux" else None
    server = subprocess.Popen(command, pass_fds=[lock], preexec_fn=preexec)
    os.close(1)  # the starter reads the server's ready line, then end of file if it dies

    def end_with_last_user() -> None:
        lease = os.open(lease_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lease, fcntl.LOCK_EX)
        server.terminate()
        try:
            server.wait(_DRAIN_FOR)
        except subprocess.TimeoutExpired:
            server.kill()

    threading.Thread(target=end_with_last_user, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.terminate())
    return server.wait()


if __name__ == "__main__":
    # os._exit: the waiting thread may sit in flock for ever.
    os._exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
