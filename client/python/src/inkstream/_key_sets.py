"""Sets of drawings' keys that a view includes or excludes: sent once, named by hash."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from inkstream._errors import FixRequest, InkstreamError, NotFound
from inkstream._raw_batch import RawBatch
from inkstream._reader import BatchReader, End, Facts
from inkstream._values import whole_numbers
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


class UploadingReader:
    """A reader that sends key sets which its server lacks, then opens again."""

    def __init__(
        self,
        make: Callable[[], BatchReader],
        request: service_pb2.StreamBatchesRequest,
        upload: Callable[[KeySet], None],
    ) -> None:
        self._make = make
        self._request = request
        self._upload = upload
        self._reader = make()
        self._cancelled = False

    @property
    def endpoint(self) -> str:
        """Where it reads from."""
        return self._reader.endpoint

    @property
    def reads_ahead(self) -> bool:
        """As any reader's."""
        return self._reader.reads_ahead

    @property
    def goes_on(self) -> bool:
        """As any reader's."""
        return self._reader.goes_on

    @property
    def queued(self) -> int:
        """As any reader's."""
        return self._reader.queued

    def open(self) -> Facts:
        """As any reader's."""
        try:
            return self._reader.open()
        except NotFound as error:
            missing = wanted_by(error, self._request)
            if not missing:
                raise
            for keys in missing:
                self._upload(keys)
        self._reader = self._make()
        if self._cancelled:
            self._reader.cancel()
        return self._reader.open()

    def read(self) -> RawBatch | End:
        """As any reader's."""
        return self._reader.read()

    def grant(self, credits: int) -> None:
        """As any reader's."""
        self._reader.grant(credits)

    def cancel(self) -> None:
        """As any reader's."""
        self._cancelled = True
        self._reader.cancel()
