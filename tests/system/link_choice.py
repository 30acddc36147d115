"""Which thin link there can be on this machine."""

from __future__ import annotations

import sys

from shaped_link import ShapedLink, missing
from shaping_proxy import ProxiedLink

WAYS = ("kernel", "proxy")


def link_by(way: str, rate: str) -> ShapedLink | ProxiedLink:
    """A link of that rate: the kernel's, a proxy's; for "" the better one that can be had.

    RuntimeError where the kernel's was asked for and cannot be.
    """
    if way == "proxy":
        return ProxiedLink(rate)
    reason = missing()
    if not reason:
        return ShapedLink(rate)
    if way == "kernel":
        raise RuntimeError(reason)
    print(f"through a proxy, so figures are lower bounds: {reason}", file=sys.stderr)
    return ProxiedLink(rate)
