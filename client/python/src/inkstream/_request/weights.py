"""A weight a drawing: how often each comes, sent once and named by hash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._request.key_set import MAX_KEY
from inkstream._request.uploaded_set import UploadedSet
from inkstream._request.values import as_array, holds_many, real, shown, whole_numbers
from inkstream.errors import FixRequest
from inkstream.v1 import service_pb2


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
