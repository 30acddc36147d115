"""Channels to the endpoints of one client, opened when first used, anew in each process."""

from __future__ import annotations

import os
import random
import threading
from typing import Any, Protocol

import grpc
import grpc.experimental

from inkstream._network.credentials import Credentials
from inkstream._request.addresses import is_loopback, is_name
from inkstream._request.plan import MAX_MESSAGE_BYTES


class Endpoints(Protocol):
    """Where one client's streams may be opened, the place in use first."""

    def endpoints(self) -> list[str]:
        """All of them."""

    def leave(self, endpoint: str, hangs: bool = False) -> None:
        """Moves on from `endpoint` if it is the one in use."""

    def renew(self, endpoint: str) -> None:
        """The next stream comes to any of them, anew."""

    @property
    def token_is_read(self) -> bool:
        """The next call may have another token than the last one."""


class Channels:
    """All channels of one client in one process. Thread-safe."""

    def __init__(self, addresses: tuple[str, ...], credentials: Credentials) -> None:
        self.pid = os.getpid()
        self._addresses = addresses
        self._credentials = credentials
        self._lock = threading.Lock()
        self._open: dict[tuple[str, bool], grpc.Channel] = {}
        # Clients begin at different replicas, whatever order they were listed in.
        self._turn = random.SystemRandom().randrange(1 << 30)

    def endpoints(self) -> list[str]:
        """All of them, the one in use first."""
        start = self._turn % len(self._addresses)
        return [*self._addresses[start:], *self._addresses[:start]]

    @property
    def token_is_read(self) -> bool:
        """The next call may have another token than the last one."""
        return self._credentials.token_is_read

    def leave(self, endpoint: str, hangs: bool = False) -> None:
        """Moves on from `endpoint` if it is the one in use.

        `hangs`: its connections stand and nothing comes, so what follows needs new ones. Of a
        name's servers only those are asked then that answer a connection.
        """
        with self._lock:
            if self._addresses[self._turn % len(self._addresses)] == endpoint:
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
            # Later grpcio gives an answer to a ping a minute, whatever the line above says.
            ("grpc.http2.ping_timeout_ms", 10_000),
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
            # A window of fixed size: on one host pings say nothing of what lies between, and the
            # window that they lead to takes in all that is granted, so that a thin tunnel's
            # server waits for credits and blames its client.
            options.append(("grpc.http2.bdp_probe", 0))
            options.append(("grpc.http2.max_frame_size", 1 << 20))
        options += self._credentials.channel_options()
        credentials = self._credentials.channel_credentials()
        # What goes over a Unix socket stays within the kernel.
        if credentials is None or endpoint.startswith("unix"):
            return grpc.insecure_channel(endpoint, options)
        return grpc.secure_channel(endpoint, credentials, options)
