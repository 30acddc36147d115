"""Sets of drawings' keys that a view includes or excludes: sent once, named by hash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._request.uploaded_set import UploadedSet
from inkstream._request.values import whole_numbers
from inkstream.errors import FixRequest
from inkstream.v1 import service_pb2

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
