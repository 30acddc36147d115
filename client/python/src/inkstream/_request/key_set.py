"""Sets of drawings' keys that a view includes or excludes: sent once, named by hash."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from inkstream._request.values import whole_numbers
from inkstream.errors import FixRequest, InkstreamError, NotFound
from inkstream.v1 import plan_pb2, service_pb2

MAX_KEY = (1 << 63) - 1
REASON = "KEYS_NOT_HERE"
_KEYS_A_MESSAGE = 100_000

# Every set of this process by hash, for as long as somebody holds it.
_known: weakref.WeakValueDictionary[str, KeySet] = weakref.WeakValueDictionary()


class KeySet:
    """Keys of drawings, for `View(include_keys=...)` and `View(exclude_keys=...)`.

    Immutable and picklable; repeats are dropped. `hash` names the set to servers, which are
    sent the keys when they ask for them. FixRequest for what is not a key: 1..2^63-1.
    """

    def __init__(self, keys: Iterable[int] | NDArray[Any]) -> None:
        values = whole_numbers("keys", keys, 1, MAX_KEY)
        if values.size == 0:
            raise FixRequest("keys is empty: a key set takes at least one key")
        self.keys: NDArray[np.int64] = np.unique(values)
        self.keys.flags.writeable = False
        self.hash = hashlib.sha256(self.keys.astype("<i8").tobytes()).hexdigest()[:32]
        _known[self.hash] = self

    def __len__(self) -> int:
        return int(self.keys.size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"KeySet({len(self)} keys, {self.hash})"

    def __reduce__(self) -> Any:
        return (KeySet, (self.keys,))

    def messages(self) -> Iterator[service_pb2.UploadKeysRequest]:
        """The upload."""
        for begin in range(0, len(self), _KEYS_A_MESSAGE):
            part = self.keys[begin : begin + _KEYS_A_MESSAGE]
            yield service_pb2.UploadKeysRequest(key_id=part.tolist())


def wanted_by(error: InkstreamError, request: Message) -> list[KeySet]:
    """The sets to upload before `request` is sent again; none where that would not help."""
    if not isinstance(error, NotFound) or error.reason != REASON:
        return []
    named = {h for view in _views(request) for h in (view.include_keys, view.exclude_keys)}
    return [_known[name] for name in sorted(named) if name in _known]


def _views(message: Message) -> Iterator[plan_pb2.View]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        # Maps do not occur in requests.
        for part in [value] if isinstance(value, Message) else value:
            if isinstance(part, plan_pb2.View):
                yield part
            else:
                yield from _views(part)
