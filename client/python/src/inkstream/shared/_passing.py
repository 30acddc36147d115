"""Arrays through multiprocessing: by reference where they lie in a segment, else in a new one."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import warnings
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import FixRequest
from inkstream.shared import _keeper, _structure
from inkstream.shared._memory import NotEnoughMemory, check_fits, text_of
from inkstream.shared._new_segment import create
from inkstream.shared._segment import (
    Mapping,
    check_sealed,
    mapping_at,
    mapping_of,
    new_identity,
)

# Below it a copy through the pipe is quicker than a segment and the keeper's answer.
DEFAULT_THRESHOLD = 1 << 20  # bytes; measured: even at 1 MiB, a third of the time at 4

_WORTH_A_LOOK = 64 << 20  # bytes; whether less is free need not be read from /proc first

_threshold: int | None = None
_taking = threading.Lock()


def install(
    _worker: object = None,
    *,
    threshold: int = DEFAULT_THRESHOLD,
    budget: int | None = None,
) -> None:
    """Lets NumPy arrays travel through multiprocessing in shared memory.

    From now on a Queue, Pipe, Pool or DataLoader worker of this process sends an array of at
    least `threshold` bytes as a segment that the receiver maps. It arrives as a value of its
    own: writable if the original was, and nobody else sees what is written. Object arrays,
    smaller ones and subclasses travel as before.

    `budget`: bytes that may be on their way at once, in the whole family of processes; beyond
    it arrays travel as before. The first process to install decides; half of what is free.

    Forked children inherit this; spawned ones receive without it, and need it to send: give it
    to them as `Pool(initializer=install)` or `DataLoader(worker_init_fn=install)` (the worker's
    number is ignored). Idempotent. Linux; receivers must run on the same host.
    """
    if threshold < 1:
        raise FixRequest(f"threshold = {threshold}; it must be at least 1 byte")
    if budget is not None and budget < 0:
        raise FixRequest(f"budget = {budget}; it must not be negative")
    global _threshold
    _threshold = threshold
    _keeper.set_budget(budget)
    _keeper.own()  # before children are forked: one for all of them
    register()


def uninstall() -> None:
    """Arrays travel as before; those that `share` made are still sent by reference."""
    global _threshold
    _threshold = None


def register() -> None:
    """Makes multiprocessing ask here how arrays, and Arrow's buffers, are sent."""
    ForkingPickler.register(np.ndarray, _reduced_array)
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        ForkingPickler.register(arrow.Buffer, _reduced_buffer)


def _reduced_array(array: NDArray[Any]) -> Any:
    default = array.__reduce__
    if not _structure.shareable(array) or array.nbytes == 0:
        return default()
    mapping = None
    if not array.flags.writeable:
        low, high = _structure.byte_bounds(array)
        mapping = mapping_at(low, high - low)
    if mapping is not None and mapping.fd >= 0:
        address = _sent(mapping.identity, 0, mapping.fd)  # no memory of its own
        if address is not None:
            offset = array.ctypes.data - mapping.address
            how = (offset, array.shape, array.strides, array.dtype)
            return (_received, (address, mapping.identity, mapping.size, False, *how))
    elif _threshold is not None and array.nbytes >= _threshold:
        span = _structure.span_of(array)
        identity, size = new_identity(), span.memory.size
        try:
            if size >= _WORTH_A_LOOK:
                check_fits(size, "an array on its way", "")
            fd = create("inkstream-array", [(0, span.memory)], size)
        except (OSError, NotEnoughMemory):
            return default()
        try:
            address = _sent(identity, size, fd)
            if address is not None:
                writable = bool(array.flags.writeable)
                return (_received, (address, identity, size, writable, *span[1:]))
        finally:
            os.close(fd)
    return default()


def _reduced_buffer(buffer: Any) -> Any:
    mapping = mapping_at(buffer.address, buffer.size) if buffer.size else None
    if mapping is not None and mapping.fd >= 0:
        address = _sent(mapping.identity, 0, mapping.fd)  # no memory of its own
        if address is not None:
            offset = buffer.address - mapping.address
            place = (mapping.identity, mapping.size, offset, buffer.size)
            return (_received_buffer, (address, *place))
    return buffer.__reduce_ex__(4)


def _sent(identity: bytes, size: int, fd: int) -> str | None:
    """The keeper that has it now; None where it must travel by copy instead."""
    for _ in range(2):
        keeper = _keeper.own()
        try:
            if keeper.keep(identity, size, fd):
                return keeper.address
            warnings.warn(
                f"inkstream.shared: {text_of(size)} more would exceed what may be in flight "
                "(install(budget=...)); sent by copy",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        except OSError:
            _keeper.forget(keeper)  # it was killed; another is started
    return None


def mapped(address: str, identity: bytes, size: int, *, writable: bool) -> Mapping:
    """The segment that a message speaks of; Lost if it is not held any more."""
    with _taking:  # two threads shall not map one segment twice
        keeper = _keeper.connection(address)
        known = None if writable else mapping_of(identity)
        try:
            fd = keeper.take(identity)
        except _keeper.Lost:
            raise
        except OSError as error:
            _keeper.forget(keeper)
            raise _keeper.Lost(f"the keeper of a shared segment ended: {error}") from None
        if known is not None:
            os.close(fd)
            return known
        return map_checked(fd, size, identity, writable=writable)


def map_checked(fd: int, size: int | None, identity: bytes, *, writable: bool = False) -> Mapping:
    """Maps a descriptor that came from another process; takes it over."""
    try:
        return Mapping(fd, check_sealed(fd, size), identity, writable=writable)
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(fd)
        raise


def _received(
    address: str,
    identity: bytes,
    size: int,
    writable: bool,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    mapping = mapped(address, identity, size, writable=writable)
    register()  # so that it goes on by reference from here
    return _structure.rebuild(mapping.bytes(), offset, shape, strides, dtype)


def _received_buffer(address: str, identity: bytes, size: int, offset: int, length: int) -> Any:
    pyarrow: Any = importlib.import_module("pyarrow")
    mapping = mapped(address, identity, size, writable=False)
    register()
    return pyarrow.py_buffer(mapping.bytes().data[offset : offset + length])


def _after_fork() -> None:
    global _taking
    _taking = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
