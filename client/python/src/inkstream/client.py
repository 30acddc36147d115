"""Clients, and how one comes to its servers: by address, or by a store on this machine."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from inkstream._engine.engine import EngineConnection
from inkstream._library.threads import threads_of
from inkstream._network.connection import Connection
from inkstream._network.credentials import TLS, Credentials
from inkstream._network.questions import Questions
from inkstream._request.addresses import addresses_of
from inkstream._request.keywords import checked_keywords
from inkstream._request.values import real
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest


class Client(Questions):
    """Servers to ask, by `connect` or `open`.

    Connects when first used, separately in each process, so it may be pickled and may be kept
    across a fork. Thread-safe.
    """

    @checked_keywords()
    def dataset(self, name: str | None = None, *, fingerprint: str = "") -> Dataset:
        """The dataset `name`; without one, the only one there is. NotFound names the nearest.

        Its content is pinned for the life of the returned object: by `fingerprint`, or by what
        the server holds now.
        """
        return Dataset._describe(self, "" if name is None else name, fingerprint)


@checked_keywords()
def connect(
    target: str | Sequence[str],
    *,
    tls: bool | str | os.PathLike[str] | TLS | dict[str, str] = False,
    token: str | os.PathLike[str] = "",
    timeout: float = 20.0,
    retry_for: float = 300.0,
    stall: float = 60.0,
    threads: int | None = None,
) -> Client:
    """A client of one or several servers that hold the same datasets.

    `target`: "host:port", "dns:///name:port", "unix:/path", or a list of those. What can be no
    address is refused at once; whether a server is there is found out with the first question.
    `tls`: True for the system's authorities, a path to a PEM file of them, or a `TLS`, which has a
    client's certificate too. `token`: sent with each call, as `inkstream token` makes it; a
    pathlib.Path: of a file that holds it, read again for each call. It is not sent in plaintext
    over a network.
    `timeout`: seconds a single question may take, so also how long a server that is not there
    yet is waited for; the logger "inkstream" says so meanwhile. `retry_for`: seconds for which a
    stream looks for a server that can go on. `stall`: seconds without a message, while one is
    due, after which a server counts as gone.
    `threads`: that draw what comes as strokes, of the whole process; the stream opened last says
    how many. None: as in `open`.
    """
    addresses = addresses_of(target)
    return Client(
        Connection(
            addresses,
            Credentials.checked(tls, token, addresses),
            **_patience(timeout=timeout, retry_for=retry_for, stall=stall),
            threads=threads_of(threads),
        )
    )


@checked_keywords()
def open(
    path: str | os.PathLike[str],
    *,
    threads: int | None = None,
    memory: int | None = None,
) -> Client:
    """A client of a store on this machine, read and drawn in this process, without a server.

    The client sees the store as it is now, also where it is pickled to and in forked processes;
    open it again for what is appended later. NotFound where there is no store.
    `threads`: that draw, of the whole process; the store opened last says how many. None: what
    INKSTREAM_THREADS says, or as many as the process may use CPUs, shared out between the ranks
    of this machine (LOCAL_WORLD_SIZE) and the workers of their DataLoaders.
    `memory`: bytes for batches being drawn and, a quarter of them, for views. None: a tenth of
    the memory that the process may use, at most 1 GiB, shared out between the ranks likewise.
    Where many ranks read one store, `inkstream serve` it and `connect("unix:...")`: they share
    views and checks then.
    """
    return Client(EngineConnection.of(path, threads, memory))


def _patience(**seconds: Any) -> dict[str, float]:
    """Seconds that can be waited: `retry_for` may be none or for ever, the others neither."""
    for name, given in seconds.items():
        number = real(name, given)
        if not (number >= 0 if name == "retry_for" else 0 < number < math.inf):
            raise FixRequest(f"{name} = {given!r}: give seconds, more than 0")
        seconds[name] = number
    return seconds
