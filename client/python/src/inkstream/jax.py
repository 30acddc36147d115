"""JAX: a stream's batches as dicts of jax arrays, the next one on its way to the devices."""

# ruff: noqa: E402 - first whether the framework is there
from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.jax", "jax", ["jax"])

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import ml_dtypes
import numpy as np

from inkstream._batch.batch import Array, Batch
from inkstream._request.cursor import State
from inkstream._request.keywords import checked_keywords
from inkstream._request.plan import Plan
from inkstream._request.values import shown
from inkstream.errors import FixRequest
from inkstream.mixture import Mixture
from inkstream.stream import Stream

__all__ = ["Batches", "batches"]

_Item = tuple[Batch, State, dict[str, Any]]

# Numbers of more than 32 bits, which JAX would cut off without a word.
_WIDE = ("key_id", "timestamp")


@checked_keywords()
def batches(stream: Stream | Mixture, sharding: Any = None) -> Batches:
    """A stream's batches as dicts of jax arrays.

    `sharding`: a `jax.sharding.Sharding` whose first axis is the batch's, or a device; left out:
    the default device. Where it spans processes, each one gives the rows of its own stream: open
    that with `rank=jax.process_index(), world=jax.process_count()`.
    FixRequest for a stream whose batches differ in shape: jit would compile anew for each.
    """
    return Batches(stream, sharding)


class Batches(Iterator[dict[str, Any]]):
    """See `batches`. The batch behind the one handed out is on its way to the devices already.

    Whole numbers are int32 unless JAX has 64 bits; bfloat16 is ml_dtypes'. `key_id` and
    `timestamp` do not fit in those: `batch`, the last one handed out as NumPy arrays, has them.
    State is that of the batch handed out. Read by one thread at a time.
    """

    def __init__(self, stream: Stream | Mixture, sharding: Any = None) -> None:
        if not isinstance(stream, (Stream, Mixture)):
            raise FixRequest(
                f"stream = {shown(stream)}: give a data.stream(...), or an inkstream.mix(...)"
            )
        if isinstance(stream, Stream):
            _check_shapes(stream._iterator.plan)
        self._stream = stream
        self._sharding = _as_sharding(sharding)
        self._ahead: _Item | None = None
        self._failed: Exception | None = None  # of the batch ahead, told when its turn comes
        self._state: State | None = None
        self.batch: Batch | None = None

    def __next__(self) -> dict[str, Any]:
        if self._state is None:
            self._state = dict(self._stream.state_dict())
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        current = self._take() if self._ahead is None else self._ahead
        try:
            self._ahead = self._take()
        except Exception as error:
            self._ahead, self._failed = None, error
        except BaseException:  # Ctrl-C: nothing was handed out
            self._ahead = current
            raise
        self.batch, self._state, arrays = current
        return arrays

    def __len__(self) -> int:
        if isinstance(self._stream, Mixture):
            raise TypeError("an endless mixture has no len()")
        return len(self._stream)

    def state_dict(self) -> State:
        """The state of the stream behind the last batch handed out, a JSON-able dict."""
        return dict(self._stream.state_dict() if self._state is None else self._state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves to a cursor."""
        self._stream.load_state_dict(state)
        self._ahead = self._failed = self._state = None

    def close(self) -> None:
        """Ends the stream. Idempotent."""
        self._stream.close()

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Batches({self._stream!r}, sharding={self._sharding!r})"

    def _take(self) -> _Item:
        batch = next(self._stream)
        state: State = dict(self._stream.state_dict())
        wide = jax.config.jax_enable_x64
        arrays = {n: _fitting(a, wide) for n, a in batch.items() if wide or n not in _WIDE}
        sharding = self._sharding
        if sharding is None or sharding.is_fully_addressable:
            return batch, state, jax.device_put(arrays, sharding)
        put = jax.make_array_from_process_local_data
        return batch, state, {name: put(sharding, array) for name, array in arrays.items()}


def _as_sharding(given: Any) -> Any:
    if isinstance(given, jax.Device):
        return jax.sharding.SingleDeviceSharding(given)
    if given is None or isinstance(given, jax.sharding.Sharding):
        return given
    raise FixRequest(
        f"sharding = {shown(given)}: give a jax.sharding.Sharding, such as NamedSharding(mesh, "
        'PartitionSpec("data")), or one of jax.devices()'
    )


def _check_shapes(plan: Plan) -> None:
    if plan.tail == "partial":
        raise FixRequest(
            'tail = "partial": an epoch\'s last batch would have a shape of its own; give the '
            'stream tail="pad", and leave out rows whose `valid` is False, or "drop"'
        )
    if plan.strokes is not None and plan.strokes.ragged:
        raise FixRequest(
            "Strokes.ragged = True: each batch would have a shape of its own; leave it out"
        )


def _fitting(array: Array, wide: bool) -> Array:
    if array.dtype == np.uint16:  # no tensor of the contract is uint16 itself
        return array.view(ml_dtypes.bfloat16)
    if array.dtype == np.int64 and not wide:
        return array.astype(np.int32)
    return array
