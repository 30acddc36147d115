"""What requests name by hash and servers are sent once: keys, and weights by drawing."""

from __future__ import annotations

import hashlib
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from inkstream._request.values import as_array, holds_many, real, shown, whole_numbers
from inkstream.errors import FixRequest, InkstreamError, NotFound
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


MAX_KEY = (1 << 63) - 1


class KeySet(UploadedSet):
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
        super().__init__(self.keys.astype("<i8").tobytes())

    def __len__(self) -> int:
        return int(self.keys.size)

    def __repr__(self) -> str:
        return f"KeySet({len(self)} keys, {self.hash})"

    def __reduce__(self) -> Any:
        return (KeySet, (self.keys,))

    def message(self, part: slice = slice(None)) -> service_pb2.UploadKeysRequest:
        """The upload of a part of it, or of all."""
        return service_pb2.UploadKeysRequest(key_id=self.keys[part].tolist())


class Weights(UploadedSet):
    """Weights by drawing, for `sampling=`: a drawing comes as often as its weight says.

    `keys`: the drawings' key_ids; or `index`: their indices in the store. `weights`: one each,
    finite and at least 0; a drawing that is not named has none. An epoch has as many positions as
    the view has drawings with a weight, and of all weights W a drawing of weight w has `w / W` of
    them: the whole number below or above, exact on the mean over epochs.
    Immutable and picklable; `hash` names the weights to servers, which are sent them when they
    ask: at most `data.stats["limits"]["max_weights"]` of them. A drawing that is named
    twice, or that the store does not have, is FixRequest.
    """

    def __init__(
        self,
        keys: Iterable[int] | NDArray[Any] | None = None,
        weights: Iterable[float] | NDArray[Any] | None = None,
        *,
        index: Iterable[int] | NDArray[Any] | None = None,
    ) -> None:
        if (keys is None) == (index is None):
            raise FixRequest("give keys or index: one of them names the drawings")
        self.by_index = keys is None
        field = "index" if self.by_index else "keys"
        names = whole_numbers(field, index if self.by_index else keys, 1 - self.by_index, MAX_KEY)
        values = _numbers(weights)
        if values.size != names.size:
            raise FixRequest(f"weights has {values.size} entries for {names.size} {field}")
        if not values.any():
            raise FixRequest(
                f"weights are all 0: give at least one drawing a weight above it, of {values.size}"
            )
        order = np.argsort(names, kind="stable")
        self.names: NDArray[np.int64] = names[order]
        self.weights: NDArray[np.float64] = values[order]
        twice = np.flatnonzero(self.names[1:] == self.names[:-1])
        if twice.size:
            raise FixRequest(
                f"{field} has {self.names[twice[0]]} twice: give each drawing one weight"
            )
        for array in (self.names, self.weights):
            array.flags.writeable = False
        kind = b"weights by index\n" if self.by_index else b"weights by key_id\n"
        super().__init__(
            kind, self.names.astype("<i8").tobytes(), self.weights.astype("<f8").tobytes()
        )

    def __len__(self) -> int:
        return int(self.names.size)

    def __repr__(self) -> str:
        return f"Weights({len(self)} by {'index' if self.by_index else 'key_id'}, {self.hash})"

    def __reduce__(self) -> Any:
        return (_again, (self.by_index, self.names, self.weights))

    def message(self, part: slice = slice(None)) -> service_pb2.UploadKeysRequest:
        """The upload of a part of them, or of all."""
        names = {"index" if self.by_index else "key_id": self.names[part].tolist()}
        return service_pb2.UploadKeysRequest(weights=self.weights[part].tolist(), **names)


def _again(by_index: bool, names: NDArray[Any], weights: NDArray[Any]) -> Weights:
    return Weights(None if by_index else names, weights, index=names if by_index else None)


def _numbers(given: Any) -> NDArray[np.float64]:
    if given is None or isinstance(given, (str, bytes)) or not holds_many(given):
        raise FixRequest(f"weights = {shown(given)}: give a list of numbers, one a drawing")
    if hasattr(given, "__array__"):
        array = as_array("weights", given)
        if array.ndim != 1 or array.dtype.kind not in "iuf":
            raise FixRequest(
                f"weights is an array of {array.dtype}, {list(array.shape)}; give one dimension "
                "of numbers"
            )
    else:
        array = np.array([real(f"weights[{i}]", weight) for i, weight in enumerate(given)])
    values = array.astype(np.float64) + 0.0  # no negative zero: it would have a name of its own
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        at = int(wrong[0])
        raise FixRequest(
            f"weights[{at}] = {values[at]}: a weight is at least 0, and finite; 0 leaves the "
            "drawing out"
        )
    return values
