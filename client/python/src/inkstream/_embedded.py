"""One private server a store, user and host, which lives as long as its users.

In a directory that only this user can enter lie, per store: `start`, locked while somebody
joins or starts; `lease`, locked in shared mode by every user; `server`, locked by the server
and its watcher; `socket`; `log`. Only locks decide, and the kernel drops those of the dead: a
user, server or watcher that is killed leaves nothing that misleads the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from inkstream._errors import FixRequest, InkstreamError, NotFound, Unavailable
from inkstream._grpc_settings import without_settings
from inkstream._native import beside_the_package
from inkstream._values import shown

_START_FOR = 60.0  # seconds
_PAUSE = 0.02  # seconds
_LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107
_LEAST_MEMORY = 256 << 20  # bytes


def find_binary() -> str:
    """The server's program: INKSTREAM_BINARY; else in this package, in the checkout that it is
    installed from, or on PATH."""
    named = os.environ.get("INKSTREAM_BINARY")
    if named:
        if not os.access(named, os.X_OK):
            raise NotFound(f"INKSTREAM_BINARY = {named!r} is not a program")
        return named
    for carried in beside_the_package("_bin", "inkstream"):
        if carried.is_file() and os.access(carried, os.X_OK):
            return str(carried)
    on_path = shutil.which("inkstream")
    if on_path is None:
        raise NotFound(
            "no inkstream program: set INKSTREAM_BINARY, put it on PATH, or install this "
            "package from a checkout that is built; or connect() to a server"
        )
    return on_path


def runtime_directory() -> Path:
    """A directory that only this user can enter, short enough for a socket's path."""
    uid = os.getuid()
    candidates = [Path(tempfile.gettempdir()) / f"inkstream-{uid}", Path(f"/tmp/inkstream-{uid}")]
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and os.access(given, os.W_OK):
        candidates.insert(0, Path(given) / "inkstream")
    for directory in candidates:
        if len(os.fsencode(directory)) + 32 > _LONGEST_SOCKET_PATH:
            continue
        directory.mkdir(mode=0o700, exist_ok=True)
        found = os.lstat(directory)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
            raise InkstreamError(
                f"{directory} must be a directory of user {uid} with mode 0700: others could "
                "replace the socket in it"
            )
        return directory
    raise InkstreamError(f"no directory with a short enough path among {candidates}")


class Lease:
    """A shared lock that keeps the server; released when closed, collected, or killed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Idempotent."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        self.close()


@dataclass
class EmbeddedTarget:
    """The private server of one store. Picklable; joins anew in the process it arrives in."""

    store: str
    _lease: Lease | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> EmbeddedTarget:
        """NotFound where there is no store."""
        if not isinstance(path, (str, os.PathLike)):
            raise FixRequest(f"path = {shown(path)}: give the directory of a store")
        store = Path(path)
        if not store.is_dir():
            raise NotFound(
                f"{os.fspath(path)!r} is not a store: a store is a directory that "
                "`inkstream ingest` makes"
            )
        return cls(str(store.resolve()))

    def endpoints(self) -> list[str]:
        """See Target: joins the server, or starts it where there is none."""
        with self._lock:
            home = self._home()
            socket = home / "socket"
            if self._lease is None or not _held(home / "server"):
                self._lease, old = self._join(home, socket), self._lease
                if old is not None:
                    old.close()
            return [f"unix:{socket}"]

    def close(self) -> None:
        """See Target."""
        with self._lock:
            if self._lease is not None:
                self._lease.close()
            self._lease = None

    def __getstate__(self) -> dict[str, str]:
        return {"store": self.store}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.store = state["store"]
        self._lease = None
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return self.store

    def _home(self) -> Path:
        key = hashlib.sha256(os.fsencode(self.store)).hexdigest()[:16]
        home = runtime_directory() / key
        home.mkdir(mode=0o700, exist_ok=True)
        return home

    def _join(self, home: Path, socket: Path) -> Lease:
        deadline = time.monotonic() + _START_FOR
        while time.monotonic() < deadline:
            with _locked(home / "start", deadline):
                try:
                    lease = Lease(home / "lease")
                except BlockingIOError:
                    lease = None  # the watcher has it: the server is on its way out
                if lease is not None:
                    if _held(home / "server"):
                        return lease
                    _start(self.store, home, socket, deadline)
                    return lease
            time.sleep(_PAUSE)
        raise Unavailable(f"the private server of {self.store} did not make way within 60 s")


@contextlib.contextmanager
def _locked(path: Path, deadline: float):  # type: ignore[no-untyped-def]  # noqa: ANN202
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(f"{path} is locked for more than 60 s") from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(file)


def _held(path: Path) -> bool:
    """Whether somebody has the lock on `path`."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _start(store: str, home: Path, socket: Path, deadline: float) -> None:
    """Starts watcher and server; returns when the server is ready."""
    binary = find_binary()
    watcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_watch_server.py"))]
    watcher += [str(home / "server"), str(home / "lease")]
    log = home / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*watcher, binary, "serve", "--store", store, "--unix", str(socket), *_limits()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the user's program
            cwd="/",
            env=without_settings(os.environ),
        )
    line = _first_line(process, deadline)
    if line is None:
        process.terminate()
        raise Unavailable(f"the private server of {store} was not ready in time; see {log}")
    if not line.startswith(b"inkstream ready "):
        process.wait(5)
        told = log.read_text(errors="replace").strip()[-2000:]
        raise FixRequest(f"{binary} could not serve {store}:\n{told}")
    # Reaped when it ends, so that a long-lived user does not collect zombies.
    threading.Thread(target=process.wait, name="inkstream-reap", daemon=True).start()


def _first_line(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """What the process prints first; b"" if it ends without, None if it is late."""
    assert process.stdout is not None
    with process.stdout as output:
        line = b""
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([output], [], [], left)
            if not ready:
                return None
            chunk = os.read(output.fileno(), 4096)
            if not chunk:
                break
            line += chunk
        return line


def _limits() -> list[str]:
    """A private server is a guest: a tenth of the memory, and no port."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return ["--listen", "none", "--memory", str(max(_LEAST_MEMORY, total // 10))]
