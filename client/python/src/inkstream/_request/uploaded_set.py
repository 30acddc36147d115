"""What requests name by hash and servers are sent once: keys, and weights by drawing."""

from __future__ import annotations

import hashlib
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from inkstream.errors import InkstreamError, NotFound
from inkstream.v1 import plan_pb2, service_pb2

REASON = "KEYS_NOT_HERE"
_ENTRIES_A_MESSAGE = 100_000

# Every set of this process by hash, for as long as somebody holds it.
_known: weakref.WeakValueDictionary[str, UploadedSet] = weakref.WeakValueDictionary()


class UploadedSet(ABC):
    """One of them. Immutable and picklable; `hash` names it to servers."""

    def __init__(self, *parts: bytes) -> None:
        self.hash = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
        first = _known.setdefault(self.hash, self)
        # An equal one that is known already stays so for as long as either is held.
        self._same = None if first is self else first

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def message(self, part: slice = slice(None)) -> service_pb2.UploadKeysRequest:
        """The upload of a part of it, or of all."""

    def messages(self) -> Iterator[service_pb2.UploadKeysRequest]:
        """The upload, in messages that a server takes."""
        for begin in range(0, len(self), _ENTRIES_A_MESSAGE):
            yield self.message(slice(begin, begin + _ENTRIES_A_MESSAGE))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)


def wanted_by(error: InkstreamError, request: Message) -> list[UploadedSet]:
    """The sets to upload before `request` is sent again; none where that would not help."""
    if not isinstance(error, NotFound) or error.reason != REASON:
        return []
    return [_known[name] for name in sorted(sets_named(request)) if name in _known]


def sets_named(message: Message) -> set[str]:
    """The hashes in a request, wherever they stand."""
    return set(_named(message)) - {""}


def _named(message: Any) -> Iterator[str]:
    if isinstance(message, plan_pb2.View):
        yield from (message.include_keys, message.exclude_keys)
        return
    if isinstance(message, plan_pb2.Order.Sampling.Drawings):
        yield message.weights
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        # Maps do not occur in requests.
        for part in [value] if isinstance(value, Message) else value:
            yield from _named(part)
