"""share, offer, attach: whole structures in one segment."""

from __future__ import annotations

import os
import re
from typing import Any, TypeVar

import numpy as np

from inkstream.errors import FixRequest
from inkstream.shared._keeper import Lost
from inkstream.shared._passing import map_checked, register
from inkstream.shared._rendezvous import segment_of
from inkstream.shared._segment import Mapping, mapping_at, mapping_of, new_identity
from inkstream.shared._structure import read_structure, write_structure

T = TypeVar("T")

_OFFER = "inkstream-offer"
_IDENTITY = re.compile("[0-9a-f]{32}")


def share(value: T, *, huge_pages: bool = True) -> T:
    """The same structure, with the memory of its arrays in one shared, read-only segment.

    `value`: anything that pickles: arrays in nested dicts and lists, xarray, pandas, Arrow,
    objects of your own. The original is left as it was. Arrays keep dtype, shape and strides
    and views of one array go on sharing memory; all are read-only, who wants to write takes a
    copy. Elements of object arrays are pickled as they are, the arrays among them shared.

    Sent to other processes through multiprocessing, arrays (and Arrow buffers) that lie in the
    segment go by reference, whatever the start method. The segment lives as long as any array
    over it in any process. NotEnoughMemory where it does not fit. `huge_pages`: memory in pages
    of 2 MiB where the kernel gives them, quicker to make and to read.
    """
    fd, size = write_structure(value, "inkstream-shared", huge_pages=huge_pages)
    shared: T = read_structure(Mapping(fd, size, new_identity()))
    register()
    return shared


def is_shared(array: Any) -> bool:
    """Whether an array lies in a read-only segment, so that it is sent by reference."""
    if not isinstance(array, np.ndarray):
        raise FixRequest(f"is_shared() takes an array, got {type(array).__name__}")
    return mapping_at(array.ctypes.data, 1) is not None


class Offer:
    """A structure that other processes of this user may attach to until it is closed.

    `str(offer)`, or what `with` gives, is the ticket. Attached structures stay valid after the
    offer has ended. Ends by itself with this process, however that ends.
    """

    def __init__(self, value: Any) -> None:
        identity = new_identity().hex()
        self._ticket = f"{_OFFER}:{os.getpid()}:{identity}"
        # This process's descriptor is the offer: others find it by its name.
        self._fd, _ = write_structure(value, f"{_OFFER}-{identity}")

    def close(self) -> None:
        """Nobody can attach from now on. Idempotent; in a forked child without effect."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __str__(self) -> str:
        return self._ticket

    def __enter__(self) -> str:
        return str(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            self.close()


def offer(value: Any) -> Offer:
    """Offers a structure to unrelated processes: see Offer."""
    return Offer(value)


def attach(ticket: str) -> Any:
    """The structure that another process offers; ConnectionError where it no longer does."""
    kind, process, name = [*ticket.split(":"), "", ""][:3]
    if kind != _OFFER or not process.isdecimal() or not _IDENTITY.fullmatch(name):
        raise FixRequest(f"{ticket!r} is not a ticket; str() of an Offer is one")
    identity = bytes.fromhex(name)
    mapping = mapping_of(identity)
    if mapping is None:
        fd = segment_of(process, f"{_OFFER}-{name}")
        if fd is None:
            raise Lost(f"{ticket} is not held any more: it was closed, or its process has ended")
        mapping = map_checked(fd, None, identity)
    register()
    return read_structure(mapping)
