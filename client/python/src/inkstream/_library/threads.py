"""How many threads of this process draw."""

from __future__ import annotations

import os
import sys
from typing import Any

from inkstream._request.values import whole
from inkstream.errors import FixRequest

_VARIABLE = "INKSTREAM_THREADS"


def threads_of(given: Any) -> int:
    """What a user gave, or INKSTREAM_THREADS says; 0: neither."""
    if given is not None:
        return whole("threads", given, 1)
    set_to = os.environ.get(_VARIABLE)
    if set_to is None:
        return 0
    if not set_to.isdecimal() or int(set_to) < 1:
        raise FixRequest(f"{_VARIABLE} = {set_to!r}: give a number of threads, at least 1")
    return int(set_to)


def shares() -> int:
    """Processes of this machine that do the same: the ranks, and their loaders' workers."""
    set_to = os.environ.get("LOCAL_WORLD_SIZE", "1")
    ranks = int(set_to) if set_to.isdecimal() else 1
    loading = sys.modules.get("torch.utils.data")
    worker = loading.get_worker_info() if loading is not None else None
    return max(1, ranks) * (1 if worker is None else max(1, worker.num_workers))
