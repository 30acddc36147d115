"""gRPC's errors as this package's, in one place."""

from __future__ import annotations

from typing import Any

import grpc

from inkstream._request.addresses import in_words
from inkstream._wire.part import StatusDetails, parse_status
from inkstream.errors import (
    AccessDenied,
    DataLoss,
    FixRequest,
    InkstreamError,
    NotFound,
    OutOfRange,
    PlanMismatch,
    QuotaExceeded,
    Unavailable,
)

_CLASSES: dict[grpc.StatusCode, type[InkstreamError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: FixRequest,
    grpc.StatusCode.UNIMPLEMENTED: FixRequest,
    grpc.StatusCode.ALREADY_EXISTS: FixRequest,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: PlanMismatch,
    grpc.StatusCode.ABORTED: PlanMismatch,
    grpc.StatusCode.RESOURCE_EXHAUSTED: QuotaExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    # Ours are handled where we cancel; from a server it means that it was cut off.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.DATA_LOSS: DataLoss,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
# How gRPC reports a connection that breaks in the middle of a stream, beside UNAVAILABLE.
_BROKEN = ("RST_STREAM", "Stream removed", "Connection reset", "GOAWAY")


def from_grpc(error: grpc.RpcError, endpoint: str) -> InkstreamError:
    """The error to raise; its text is the server's, with the endpoint where none answered."""
    return _error(error.code(), error.details() or "", _details(error), endpoint)


def error_of(code: int, text: str, details: bytes, endpoint: str) -> InkstreamError:
    """The same of a status as its number, text and serialised google.rpc.Status."""
    return _error(_CODES.get(code, grpc.StatusCode.UNKNOWN), text, parse_status(details), endpoint)


def _error(
    code: grpc.StatusCode, text: str, details: StatusDetails, endpoint: str
) -> InkstreamError:
    text = text or code.name
    kind = _CLASSES.get(code, InkstreamError)
    if kind is InkstreamError and any(sign in text for sign in _BROKEN):
        kind = Unavailable
    if kind is Unavailable:
        text = f"{in_words(endpoint)}: {text}"
    elif kind is InkstreamError:
        text = f"{endpoint}: {code.name}: {text}"
    return kind(text, code=code.name, reason=details.reason, retry_delay=details.retry_delay)


def _details(error: grpc.RpcError) -> StatusDetails:
    trailers: Any = error.trailing_metadata() or ()
    for key, value in trailers:
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            return parse_status(value)
    return StatusDetails()
