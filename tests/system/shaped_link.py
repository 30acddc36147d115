"""A thin link on one machine: two network namespaces and a token bucket between them.

Needs root, `ip` and `tc` (iproute2) and a kernel with network namespaces, veth and tbf; `missing()`
says which of them is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType

SERVER, CLIENT = "10.213.7.1", "10.213.7.2"
# What the kernel hands to a link at once (a segment of up to 64 KiB) must fit the bucket.
_BURST = "256kb"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)


class ShapedLink:
    """`on_server` and `on_client` are put before a command to run it on that side.

    What the server sends is shaped to `rate`, in tc's words ("1gbit", "125mbps"). `serve` are
    the flags of a server that clients reach over the link.
    """

    serve: tuple[str, ...] = ("--listen", f"{SERVER}:0", "--insecure-network")

    def __init__(self, rate: str) -> None:
        self._rate = rate
        name = f"ink{os.getpid()}"
        self._server, self._client = f"{name}s", f"{name}c"

    @property
    def on_server(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._server)

    @property
    def on_client(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._client)

    def target(self, address: str) -> str:
        """Where clients find the server that listens at `address`."""
        return address

    def __enter__(self) -> ShapedLink:
        try:
            self._set_up()
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._take_down()

    def _set_up(self) -> None:
        here, there = self._server, self._client
        for namespace in (here, there):
            _run("ip", "netns", "add", namespace)
        _run(
            "ip", "link", "add", here, "netns", here, "type", "veth", "peer", there, "netns", there
        )
        for namespace, address in ((here, SERVER), (there, CLIENT)):
            inside = ("ip", "-n", namespace)
            _run(*inside, "address", "add", f"{address}/24", "dev", namespace)
            _run(*inside, "link", "set", namespace, "up")
            _run(*inside, "link", "set", "lo", "up")
        _run(
            *("ip", "netns", "exec", here, "tc", "qdisc", "add", "dev", here, "root"),
            *("tbf", "rate", self._rate, "burst", _BURST, "latency", "50ms"),
        )

    def _take_down(self) -> None:
        for namespace in (self._server, self._client):
            subprocess.run(
                ["ip", "netns", "del", namespace], check=False, capture_output=True, timeout=30
            )


def missing() -> str:
    """Why there can be no shaped link here; "" where there can."""
    for program in ("ip", "tc"):
        if shutil.which(program) is None:
            return f"{program} is not installed (iproute2)"
    try:
        with ShapedLink("1gbit"):
            return ""
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", "") or str(error)
        return f"no shaped link between network namespaces: {said.strip()}"
