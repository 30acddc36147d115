"""What can go wrong, one class for each thing that the caller would do next."""

from __future__ import annotations

from typing import Any


class InkstreamError(Exception):
    """Base of every error of this package.

    `code` is the gRPC code's name ("" where the error arose here), `reason` the server's
    machine-readable reason, `retry_delay` the seconds it asked to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: str = "",
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.retry_delay = retry_delay

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message,), self.__dict__)


class FixRequest(InkstreamError, ValueError):
    """The request is wrong; the text names the field, the value and the limit."""


class NotFound(FixRequest, KeyError):
    """There is no such dataset, split, class or drawing; the text names the nearest."""


class OutOfRange(FixRequest, IndexError):
    """There is no drawing with that number."""


class PlanMismatch(InkstreamError):
    """A cursor belongs to other data or to another order; the text says both sides."""


class Unavailable(InkstreamError, ConnectionError):
    """No endpoint answered in time. The position is kept: trying again goes on there."""


class QuotaExceeded(InkstreamError):
    """A limit of this caller's own; `retry_delay` says when to try again."""


class DataLoss(InkstreamError):
    """A record fails its checksum, or an answer is malformed."""


class AccessDenied(InkstreamError, PermissionError):
    """The token or certificate is missing, wrong, or not allowed to do this."""


class WrongProcess(InkstreamError, RuntimeError):
    """A stream was used in a process that did not open it."""


class WrongThread(InkstreamError, RuntimeError):
    """A stream was used by a thread while another one was reading it."""


class Closed(InkstreamError, RuntimeError):
    """The stream or client was closed."""
