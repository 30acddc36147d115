"""When to try again, and where: one rule for streams and for single calls."""

from __future__ import annotations

import logging
import random
import socket
import time
from collections import Counter
from collections.abc import Callable

from inkstream._network.channels import Endpoints
from inkstream._request.addresses import host_of, is_name
from inkstream.errors import FixRequest, InkstreamError, PlanMismatch, QuotaExceeded, Unavailable

GENERATION_NOT_HERE = "GENERATION_NOT_HERE"
EARLIER_RELEASE = "EARLIER_RELEASE"
# Final where every server says so.
_FINAL = {GENERATION_NOT_HERE: PlanMismatch, EARLIER_RELEASE: FixRequest}
_CODES = {PlanMismatch: "FAILED_PRECONDITION", FixRequest: "INVALID_ARGUMENT"}

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds
_QUIET_FOR, _LONGEST_SILENCE = 1.0, 60.0  # seconds of waiting without a warning

_log = logging.getLogger("inkstream")


def _is_hang(error: InkstreamError) -> bool:
    return error.reason == "STALLED" or error.code == "DEADLINE_EXCEEDED"


def _replicas(endpoint: str) -> int:
    """Addresses behind an endpoint, as far as this machine can tell."""
    if not is_name(endpoint):
        return 1
    try:
        found = socket.getaddrinfo(host_of(endpoint), None, type=socket.SOCK_STREAM)
    except OSError:
        return 1
    return max(1, len({address[4] for address in found}))


class Retry:
    """One effort that may take several attempts; `succeeded` ends it and begins the next.

    Every endpoint is tried once without waiting; then there is a jittered, growing pause. A
    quota is waited for where the server said how long. Other data on every endpoint is final, so is
    an earlier release;
    a name of several addresses is as many endpoints, which its channel takes in turn.
    `retry_for`: seconds, from the first failure, or from `began` where that is given.
    """

    def __init__(
        self, channels: Callable[[], Endpoints], retry_for: float, began: float | None = None
    ) -> None:
        self._channels = channels
        self._retry_for = retry_for
        self._began = began
        self._random = random.SystemRandom()
        self.attempts = 0
        self._forget()

    def succeeded(self, endpoint: str) -> None:
        """Forgets earlier failures. Called for each answer and each batch."""
        if self._since is not None:
            lost = time.monotonic() - self._since
            _log.log(
                logging.WARNING if lost >= _QUIET_FOR or self._hung else logging.INFO,
                "going on at %s after %.1f s: %s", endpoint, lost, self._last,
            )  # fmt: skip
            self._forget()

    def _forget(self) -> None:
        self._since: float | None = None
        self._wait = _FIRST_WAIT
        self._tried: set[str] = set()
        self._refused: Counter[str] = Counter()
        self._refusal = ""  # what the last server with other data said
        self._last = ""  # what went wrong last
        self._hung = False  # a server did, so that time was lost before anything failed
        self._silence = _QUIET_FOR  # until the next warning, since the first failure

    @property
    def left(self) -> float:
        """Seconds that remain for this effort."""
        since = self._since if self._began is None else self._began
        passed = 0.0 if since is None else time.monotonic() - since
        return max(0.0, self._retry_for - passed)

    def failed(self, endpoint: str, error: InkstreamError) -> float:
        """Seconds to wait before the next attempt. Raises where there is none to be made."""
        first = self._since is None
        if self._since is None:
            self._since = time.monotonic()
        self.attempts += 1
        self._last = str(error)
        self._hung = self._hung or _is_hang(error)
        if isinstance(error, QuotaExceeded) and error.retry_delay is not None:
            self._channels().leave(endpoint)
            delay = error.retry_delay + self._random.uniform(0, _FIRST_WAIT)
        elif isinstance(error, Unavailable):
            delay = self._next_endpoint(endpoint, error)
        elif error.code == "UNAUTHENTICATED" and first and self._channels().token_is_read:
            delay = 0.0  # the token was replaced while it was in use; the file has the new one
        else:
            raise error
        if delay > self.left or self.left <= 0:
            if isinstance(error, Unavailable):
                passed_over = ""
                if self._refusal and self._refusal != str(error):
                    passed_over = f"; one was passed over: {self._refusal}"
                raise Unavailable(
                    f"no server could go on within {self._retry_for:g} s ({self.attempts} "
                    f"attempts); the last error: {error}{passed_over}",
                    code=error.code,
                    reason=error.reason,
                ) from error
            raise error
        self._warn()
        return delay

    def _warn(self) -> None:
        """Says that it still waits, and for what, with growing pauses."""
        assert self._since is not None
        waited = time.monotonic() - self._since
        if waited >= self._silence:
            _log.warning(
                "waiting for a server, for %.0f s of %g s: %s", waited, self._retry_for, self._last
            )
            self._silence = waited + min(waited, _LONGEST_SILENCE)

    def _next_endpoint(self, endpoint: str, error: Unavailable) -> float:
        channels = self._channels()
        endpoints = set(channels.endpoints())
        channels.leave(endpoint, hangs=_is_hang(error))
        final = _FINAL.get(error.reason)
        if final is not None:
            self._refused[endpoint] += 1
            self._refusal = str(error)
            if all(self._refused[one] >= _replicas(one) for one in endpoints):
                raise final(str(error), code=_CODES[final], reason=error.reason) from error
        self._tried.add(endpoint)
        if not self._tried >= endpoints:
            return 0.0
        self._tried.clear()
        delay = self._wait * self._random.uniform(0.5, 1.0)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)
        # A server that names a delay knows better, unless another one may answer earlier.
        return max(delay, error.retry_delay or 0.0) if len(endpoints) == 1 else delay
