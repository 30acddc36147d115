"""Channels to the endpoints of one client, opened when first used, anew in each process."""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import grpc
import grpc.experimental

from inkstream._request.addresses import is_loopback, is_name
from inkstream._request.plan import MAX_MESSAGE_BYTES
from inkstream.errors import FixRequest


@dataclass(frozen=True)
class Credentials:
    """How to prove who both sides are. Picklable.

    `tls`: False for plaintext, True for the system's roots, or a path to a PEM file of roots,
    or a dict with the paths "ca", "cert" and "key". `token` is sent as a bearer token.
    """

    tls: bool | str | dict[str, str] = False
    token: str = field(default="", repr=False)

    @classmethod
    def checked(cls, tls: Any, token: Any) -> Credentials:
        """FixRequest for what is none, and for files that cannot be read."""
        if not isinstance(token, str):
            raise FixRequest(f"token is {type(token).__name__}, not a str")
        if not token.isascii() or not token.isprintable():
            raise FixRequest("token has letters that no token has: is there a newline at its end?")
        credentials = cls(tls, token)
        credentials.files()
        return credentials

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def files(self) -> dict[str, bytes]:
        """The PEM files that `tls` names: "ca", "cert", "key", as far as they are given."""
        if isinstance(self.tls, bool):
            return {}
        paths = self.tls if isinstance(self.tls, dict) else {"ca": self.tls}
        unknown = sorted(set(paths) - {"ca", "cert", "key"}, key=str)
        if unknown:
            raise FixRequest(f"tls has no {unknown[0]!r}; there are 'ca', 'cert', 'key'")
        files: dict[str, bytes] = {}
        for name, path in paths.items():
            if not isinstance(path, str | os.PathLike):
                raise FixRequest(
                    f"tls = {path!r}: give True, the path of a PEM file of roots, or a dict with "
                    "the paths 'ca', 'cert' and 'key'"
                )
            try:
                files[name] = Path(path).read_bytes()
            except (OSError, ValueError) as error:  # ValueError: no path at all
                why = getattr(error, "strerror", error)
                raise FixRequest(f"tls, {name!r}: {path}: {why}") from None
        return files

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """None for plaintext."""
        if self.tls is False:
            return None
        files = self.files()
        return grpc.ssl_channel_credentials(files.get("ca"), files.get("key"), files.get("cert"))


@dataclass(frozen=True)
class Target:
    """Addresses given by the user. Picklable."""

    addresses: tuple[str, ...]

    def endpoints(self) -> list[str]:
        """Addresses for gRPC."""
        return list(self.addresses)

    def __str__(self) -> str:
        return ", ".join(self.addresses)


class Endpoints(Protocol):
    """Where one client's streams may be opened, the place in use first."""

    def endpoints(self) -> list[str]:
        """All of them."""

    def leave(self, endpoint: str, hangs: bool = False) -> None:
        """Moves on from `endpoint` if it is the one in use."""

    def renew(self, endpoint: str) -> None:
        """The next stream comes to any of them, anew."""


class Channels:
    """All channels of one client in one process. Thread-safe."""

    def __init__(self, target: Target, credentials: Credentials) -> None:
        self.pid = os.getpid()
        self._target = target
        self._credentials = credentials
        self._lock = threading.Lock()
        self._open: dict[tuple[str, bool], grpc.Channel] = {}
        self._known: list[str] = []
        # Clients begin at different replicas, whatever order they were listed in.
        self._turn = random.SystemRandom().randrange(1 << 30)

    def endpoints(self) -> list[str]:
        """All of them, the one in use first."""
        endpoints = self._known = self._target.endpoints()
        start = self._turn % len(endpoints)
        return endpoints[start:] + endpoints[:start]

    def leave(self, endpoint: str, hangs: bool = False) -> None:
        """Moves on from `endpoint` if it is the one in use.

        `hangs`: its connections stand and nothing comes, so what follows needs new ones. Of a
        name's servers only those are asked then that answer a connection.
        """
        endpoints = self._known
        with self._lock:
            if endpoints and endpoints[self._turn % len(endpoints)] == endpoint:
                self._turn += 1
            if hangs:
                self._forget(endpoint)

    def channel(self, endpoint: str, streams: bool = False) -> grpc.Channel:
        """The channel to `endpoint`, opened if need be; connecting is lazy.

        Streams have one of their own: a small answer does not wait behind their batches.
        """
        key = (endpoint, streams)
        with self._lock:
            channel = self._open.get(key)
            if channel is None:
                channel = self._open[key] = self._connect(endpoint)
            return channel

    def renew(self, endpoint: str) -> None:
        """The next stream gets a connection of its own making, to any of the endpoints.

        The old channel serves those that are on it and goes with the last of them. Any of them:
        after a failure all clients may have gathered at one.
        """
        with self._lock:
            self._forget(endpoint)
            self._turn = random.SystemRandom().randrange(1 << 30)

    def close(self) -> None:
        """Closes every channel."""
        with self._lock:
            channels, self._open = list(self._open.values()), {}
        for channel in channels:
            channel.close()

    def _forget(self, endpoint: str) -> None:
        for streams in (False, True):
            self._open.pop((endpoint, streams), None)

    def _connect(self, endpoint: str) -> grpc.Channel:
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + (64 << 10)),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.http2.max_pings_without_data", 0),
            # Trying again is decided by the stream, so a channel must not sit out a long wait.
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 5_000),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # Without this a new channel would share the old one's connection.
            ("grpc.use_local_subchannel_pool", 1),
            # Else grpcio starts a thread for each FetchDrawings: 0.9 ms of CPU against 0.3.
            (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1),
        ]
        if is_name(endpoint):
            options.append(("grpc.lb_policy_name", "round_robin"))
        if is_loopback(endpoint):
            options.append(("grpc.enable_http_proxy", 0))
        credentials = self._credentials.channel_credentials()
        if credentials is None:
            return grpc.insecure_channel(endpoint, options)
        return grpc.secure_channel(endpoint, credentials, options)
