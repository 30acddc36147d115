"""How gRPC's core is set up in this process. Imported before grpc is.

gRPC skips its fork handlers while a stream is open, because one of its threads is always inside
the core then. With its default poller a forked DataLoader worker then aborts now and then on what
the parent's poller left behind (measured with grpcio 1.85: 12 of 150 workers forked beside a
running stream; closing the streams before each fork made the handlers run, and hang). The plain
poller keeps nothing that a child could trip over: 0 of 150, at the same rate of batches. But each
such worker then prints a line of information about the parent's sockets, so only errors are said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_WANTED = {"GRPC_POLL_STRATEGY": "poll", "GRPC_VERBOSITY": "ERROR"}

_chosen_here = {name: value for name, value in _WANTED.items() if name not in os.environ}
os.environ.update(_chosen_here)


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for programs that are not Python: without what was set here."""
    return {name: value for name, value in environment.items() if name not in _chosen_here}
