"""Any picklable structure in shared memory, and arrays that travel through it.

    from inkstream import shared

    table = shared.share(table)     # same type; its arrays lie in one read-only segment
    Process(target=work, args=(table,))        # children map it: nothing is copied

    shared.install()                # fresh arrays too: Queue, Pipe, Pool, DataLoader workers

    with shared.offer(table) as ticket:        # a string for unrelated processes of this user
        ...                         # there: table = shared.attach(ticket)

Segments are sealed memfds: nobody can change them, and they have no name in any file system,
so that nothing is left behind however a process ends. What is on its way from one process to
another is held by a small keeper process, which ends with its last client. Linux; one host and
one user.
"""

from __future__ import annotations

from inkstream.shared._memory import NotEnoughMemory
from inkstream.shared._passing import install, uninstall
from inkstream.shared._sharing import Offer, attach, is_shared, offer, share

__all__ = [
    "NotEnoughMemory",
    "Offer",
    "attach",
    "install",
    "is_shared",
    "offer",
    "share",
    "uninstall",
]
