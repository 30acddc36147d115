"""libinkstream's functions, declared; its errors as this package's."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_double, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

from inkstream._wire.status import error_of
from inkstream.errors import Closed, InkstreamError, WrongProcess

STREAM_BATCHES, FETCH_DRAWINGS = 0, 1
BATCH, END = 2, 3

_CANCELLED, _WRONG_PROCESS, _NO_MEMORY = 1, 1001, 1002


class EngineOptions(Structure):
    """ik_engine_options."""

    _fields_ = (
        ("struct_size", c_size_t),
        ("path", c_char_p),
        ("fingerprint", c_char_p),
        ("shares", c_uint32),
        ("threads", c_uint32),
        ("memory", c_uint64),
    )


class EngineBytes(Structure):
    """ik_bytes."""

    _fields_ = (("data", c_void_p), ("size", c_size_t))

    def copied(self) -> bytes:
        """What it points at."""
        return ctypes.string_at(self.data, self.size)


class EngineError(Structure):
    """ik_error."""

    _fields_ = (
        ("code", c_uint32),
        ("message", c_void_p),
        ("message_size", c_size_t),
        ("details", c_void_p),
        ("details_size", c_size_t),
    )


class EngineBatch(Structure):
    """ik_batch."""

    _fields_ = (
        ("kind", c_uint32),
        ("rows", c_uint32),
        ("token", c_uint64),
        ("size", c_uint64),
        ("epoch", c_uint64),
        ("step", c_uint64),
        ("cursor_epoch", c_uint64),
        ("cursor_position", c_uint64),
        ("bad", c_uint64),
        ("wire_bytes", c_uint64),
        ("header", c_void_p),
        ("header_size", c_size_t),
    )


class ReceiveOptions(Structure):
    """ik_receive_options."""

    _fields_ = (
        ("struct_size", c_size_t),
        ("request", c_char_p),
        ("request_size", c_size_t),
        ("first", c_char_p),
        ("first_size", c_size_t),
        ("endpoint", c_char_p),
        ("shares", c_uint32),
        ("threads", c_uint32),
        ("kind", c_uint32),
    )


_FUNCTIONS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("ik_abi", c_uint32, ()),
    ("ik_raster_version", c_uint32, ()),
    ("ik_error_free", None, (c_void_p,)),
    ("ik_bytes_free", None, (c_void_p,)),
    ("ik_engine_open", c_void_p, (POINTER(EngineOptions), POINTER(c_void_p))),
    (
        "ik_engine_call",
        c_void_p,
        (c_void_p, c_char_p, c_char_p, c_size_t, POINTER(POINTER(EngineBytes))),
    ),
    ("ik_engine_close", None, (c_void_p,)),
    ("ik_stream_open", c_void_p, (c_void_p, c_uint32, c_char_p, c_size_t, POINTER(c_void_p))),
    ("ik_stream_receive", c_void_p, (POINTER(ReceiveOptions), POINTER(c_void_p))),
    ("ik_stream_feed", c_void_p, (c_void_p, c_char_p, c_size_t, POINTER(c_uint32))),
    ("ik_stream_finish", None, (c_void_p,)),
    ("ik_stream_batch_bytes", c_uint64, (c_void_p,)),
    ("ik_stream_opened", EngineBytes, (c_void_p,)),
    ("ik_stream_offer", c_void_p, (c_void_p, c_uint64, c_void_p, c_size_t)),
    ("ik_stream_next", c_void_p, (c_void_p, c_double, POINTER(EngineBatch))),
    ("ik_stream_cancel", None, (c_void_p,)),
    ("ik_stream_close", None, (c_void_p,)),
)


def declare(library: ctypes.CDLL) -> None:
    """Says what its functions take. AttributeError where it lacks one."""
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)


def check(library: ctypes.CDLL, failure: int | None, store: str) -> None:
    """Raises what a function of the library answered."""
    if failure is None:
        return
    error = EngineError.from_address(failure)
    text = ctypes.string_at(error.message, error.message_size).decode("utf-8", "replace")
    details = ctypes.string_at(error.details, error.details_size)
    code = error.code
    library.ik_error_free(failure)
    if code == _CANCELLED:
        raise Closed("the stream was closed")
    if code == _WRONG_PROCESS:
        raise WrongProcess(text)
    if code == _NO_MEMORY:
        raise InkstreamError(f"{store}: {text}")
    raise error_of(code, text, details, store)
