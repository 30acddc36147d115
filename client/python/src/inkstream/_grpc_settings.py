"""How gRPC's core is set up in this process. Imported before grpc is.

gRPC skips its fork handlers while a stream is open, because one of its threads is always inside
the core then. With its default poller a forked DataLoader worker then aborts now and then on what
the parent's poller left behind (measured with grpcio 1.85: 12 of 150 workers forked beside a
running stream; closing the streams before each fork made the handlers run, and hang). The plain
poller keeps nothing that a child could trip over: 0 of 150, at the same rate of batches.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_POLLER = "GRPC_POLL_STRATEGY"

_chosen_here = _POLLER not in os.environ
os.environ.setdefault(_POLLER, "poll")


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for programs that are not Python: without what was set here."""
    return {k: v for k, v in environment.items() if k != _POLLER or not _chosen_here}
