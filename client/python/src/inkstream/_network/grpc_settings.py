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

os.environ.setdefault("GRPC_POLL_STRATEGY", "poll")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
