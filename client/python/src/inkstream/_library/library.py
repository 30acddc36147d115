"""libinkstream through ctypes: found, loaded, declared. ctypes lets go of the GIL in each call."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections.abc import Sequence
from ctypes import (
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path

from inkstream._library.functions import ENGINE_FUNCTIONS
from inkstream.errors import InkstreamError

ABI = 4
NOTHING, OPENED, BATCH, END, ERROR = 0, 1, 2, 3, 4
FROM_SERVER, CANCELLED, STALLED, BROKEN, FAILED = 0, 1, 2, 3, 4

_VARIABLE = "INKSTREAM_LIBRARY"
_NAME = "libinkstream.so"


class ChannelOptions(Structure):
    """ik_channel_options."""

    _fields_ = (
        ("target", c_char_p),
        ("max_message_bytes", c_uint32),
        ("tls", c_uint32),
        ("ca", c_char_p),
        ("key", c_char_p),
        ("cert", c_char_p),
    )


class StreamOptions(Structure):
    """ik_call_options."""

    _fields_ = (
        ("request", c_char_p),
        ("request_size", c_size_t),
        ("metadata", POINTER(c_char_p)),
        ("stall_seconds", c_double),
        ("max_batch_bytes", c_uint64),
        ("read_ahead", c_uint32),
        ("read_ahead_bytes", c_uint64),
        ("own_memory", c_uint32),
    )


class FetchOptions(Structure):
    """ik_fetch_options."""

    _fields_ = (
        ("request", c_char_p),
        ("request_size", c_size_t),
        ("metadata", POINTER(c_char_p)),
        ("timeout_seconds", c_double),
        ("max_batch_bytes", c_uint64),
    )


class Event(Structure):
    """ik_event."""

    _fields_ = (
        ("kind", c_uint32),
        ("goes_on", c_uint32),
        ("queued", c_uint64),
        ("header", c_void_p),
        ("header_size", c_size_t),
        ("epoch", c_uint64),
        ("step", c_uint64),
        ("cursor_epoch", c_uint64),
        ("cursor_position", c_uint64),
        ("bad", c_uint64),
        ("wire_bytes", c_uint64),
        ("data", c_void_p),
        ("data_size", c_uint64),
        ("buffer", c_void_p),
        ("origin", c_uint32),
        ("code", c_uint32),
        ("message", c_void_p),
        ("message_size", c_size_t),
        ("details", c_void_p),
        ("details_size", c_size_t),
    )


# An Event up to `buffer`, all at once: a field at a time costs ten times that.
EVENT = struct.Struct("@IIQPN6QPQP")


def header_of(event: Event) -> bytes:
    """The message that an event carries, serialised."""
    return ctypes.string_at(event.header, event.header_size)


def error_of(event: Event) -> tuple[str, bytes]:
    """Text and details of an ERROR."""
    text = ctypes.string_at(event.message, event.message_size).decode("utf-8", "replace")
    return text, ctypes.string_at(event.details, event.details_size)


def made(library: ctypes.CDLL, handle: int | None) -> int:
    """A handle that a function of the library gave; raises why it gave none."""
    if handle is None:
        why = library.ik_last_error().decode("utf-8", "replace")
        raise InkstreamError(f"libinkstream can open nothing more: {why}")
    return handle


def _declare(library: ctypes.CDLL) -> None:
    declarations: Sequence[tuple[str, type | None, tuple[object, ...]]] = (
        ("ik_abi", c_uint32, ()),
        ("ik_last_error", c_char_p, ()),
        ("ik_channel_open", c_void_p, (POINTER(ChannelOptions),)),
        ("ik_channel_close", None, (c_void_p,)),
        ("ik_call_open", c_void_p, (c_void_p, POINTER(StreamOptions))),
        ("ik_call_read", None, (c_void_p, c_double, POINTER(Event))),
        ("ik_call_queued", c_uint64, (c_void_p,)),
        ("ik_call_grant", None, (c_void_p, c_uint32)),
        ("ik_call_cancel", None, (c_void_p,)),
        ("ik_call_close", None, (c_void_p,)),
        ("ik_fetch_open", c_void_p, (c_void_p, POINTER(FetchOptions))),
        ("ik_fetch_wait", c_int, (c_void_p, c_double, POINTER(Event), POINTER(Event))),
        ("ik_fetch_close", None, (c_void_p,)),
        ("ik_buffer_release", None, (c_void_p,)),
    )
    for name, result, arguments in (*declarations, *ENGINE_FUNCTIONS):
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)


class _Loader:
    """The library of this process, loaded when first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._pid = 0
        self._library: ctypes.CDLL | None = None
        self._reason = ""

    def get(self) -> tuple[ctypes.CDLL | None, str]:
        with self._lock:
            if not self._asked:
                self._asked = True
                self._pid = os.getpid()
                self._library, self._reason = _load()
            return self._library, self._reason

    @property
    def forked(self) -> bool:
        return self._asked and self._pid != os.getpid()


def beside_the_package(folder: str, name: str) -> list[Path]:
    """Where a part lies that is built: in the package's `folder`, or where a checkout builds it."""
    here = Path(__file__).resolve().parents[1]
    found = [here / folder / name]
    if here.parts[-4:-1] == ("client", "python", "src"):
        found.append(here.parents[3] / "build" / name)
    return found


# Their dlopen refuses RTLD_DEEPBIND.
_SANITIZERS = ("__asan_init", "__hwasan_init", "__msan_init", "__tsan_init")


def _mode() -> int:
    """How it is loaded: so that it finds its own Protobuf and Abseil.

    Whatever was loaded for all to see comes before them else: with TensorFlow's, which are of
    another version, the first stream ended the process.
    """
    this_process = ctypes.CDLL(None)
    if any(hasattr(this_process, name) for name in _SANITIZERS):
        return os.RTLD_NOW
    return os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0)  # not every C library has it


def _load() -> tuple[ctypes.CDLL | None, str]:
    given = os.environ.get(_VARIABLE)
    if given == "none":
        return None, f"{_VARIABLE}=none"
    paths = (
        [Path(given)] if given else [p for p in beside_the_package("_lib", _NAME) if p.is_file()]
    )
    if not paths:
        return None, f"there is no {_NAME} in the package, and {_VARIABLE} is not set"
    try:
        library = ctypes.CDLL(str(paths[0]), mode=_mode())
        _declare(library)
        found = library.ik_abi()
    except (OSError, AttributeError) as error:
        return None, f"{paths[0]} cannot be loaded: {error}"
    if found != ABI:
        return None, f"{paths[0]} has interface {found}, this package needs {ABI}"
    return library, str(paths[0])


_loader = _Loader()
# A fork in the middle of loading must not leave the lock held.
os.register_at_fork(
    before=_loader._lock.acquire,
    after_in_parent=_loader._lock.release,
    after_in_child=_loader._lock.release,
)


def library() -> tuple[ctypes.CDLL | None, str]:
    """The library and where it lies; or None and why grpcio is used instead."""
    found = _loader.get()
    if found[0] is not None and _loader.forked:
        # Threads and locks of its gRPC stayed behind; grpcio sees to forks itself.
        return None, "this process was forked from one that has used libinkstream"
    return found


def engine_library() -> tuple[ctypes.CDLL | None, str]:
    """The library and where it lies, for what sees to forks itself; or None and why."""
    return _loader.get()
