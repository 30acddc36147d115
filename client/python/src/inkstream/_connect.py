"""How a client comes to its servers: by address, or by a store on this machine."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from inkstream._addresses import addresses_of
from inkstream._channels import Credentials, StaticTarget
from inkstream._client import Client
from inkstream._connection import Connection
from inkstream._embedded import EmbeddedTarget
from inkstream._errors import FixRequest
from inkstream._keywords import checked_keywords
from inkstream._values import real


@checked_keywords()
def connect(
    target: str | Sequence[str],
    *,
    tls: bool | str | dict[str, str] = False,
    token: str = "",
    timeout: float = 20.0,
    retry_for: float = 300.0,
    stall: float = 60.0,
) -> Client:
    """A client of one or several servers that hold the same datasets.

    `target`: "host:port", "dns:///name:port", "unix:/path", or a list of those. What can be no
    address is refused at once; whether a server is there is found out with the first question.
    `tls`: True for the system's roots, a path to a PEM file of roots, or a dict with the paths
    "ca", "cert" and "key". `token`: sent as a bearer token.
    `timeout`: seconds a single question may take, so also how long a server that is not there
    yet is waited for; the logger "inkstream" says so meanwhile. `retry_for`: seconds for which a
    stream looks for a server that can go on. `stall`: seconds without a message, while one is
    due, after which a server counts as gone.
    """
    return Client(
        Connection(
            StaticTarget(addresses_of(target)),
            Credentials.checked(tls, token),
            **_patience(timeout=timeout, retry_for=retry_for, stall=stall),
        )
    )


@checked_keywords()
def open(
    path: str | os.PathLike[str],
    *,
    timeout: float = 20.0,
    retry_for: float = 300.0,
    stall: float = 60.0,
) -> Client:
    """A client of a store on this machine, without a server to look after.

    Joins the one private server of this store and user, or starts it; it is gone after its
    last user, however that one ends. NotFound where there is no store.
    """
    patience = _patience(timeout=timeout, retry_for=retry_for, stall=stall)
    target = EmbeddedTarget.of(path)
    target.endpoints()
    return Client(Connection(target, Credentials(), **patience))


def _patience(**seconds: Any) -> dict[str, float]:
    """Seconds that can be waited: `retry_for` may be none or for ever, the others neither."""
    for name, given in seconds.items():
        number = real(name, given)
        if not (number >= 0 if name == "retry_for" else 0 < number < math.inf):
            raise FixRequest(f"{name} = {given!r}: give seconds, more than 0")
        seconds[name] = number
    return seconds
