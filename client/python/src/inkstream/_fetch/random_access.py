"""Drawings by their numbers: requests and answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._batch.batch import RAGGED, Array, Batch, decode
from inkstream._network.fetch import fetch_each
from inkstream._network.service import Fetched
from inkstream._network.source import Source
from inkstream._request.earlier_servers import check_understood
from inkstream._request.messages import message_of
from inkstream._request.plan import Plan, planned_batch_bytes
from inkstream._request.uploaded_set import MAX_KEY
from inkstream._request.values import as_array, holds_many, is_bool, shown, whole, whole_numbers
from inkstream.errors import DataLoss, FixRequest, OutOfRange, PlanMismatch
from inkstream.v1 import plan_pb2, service_pb2

Numbers = NDArray[np.int64]

_ROWS_A_CALL = 4096  # where a server does not say
_BYTES_A_CALL = 64 << 20


@dataclass(frozen=True)
class RandomAccess:
    """Drawings of one dataset, named in whatever order, as a plan says that they come."""

    dataset: Source
    plan: Plan
    epoch: int
    first_view: int

    def fetch(self, name: str, numbers: Numbers) -> Batch:
        """One batch, however many calls it takes; in the order asked.

        `name`: what numbers count: "index", "rank" (in the plan's view), "key_id".
        """
        request = self._request()
        if numbers.size == 0:  # as of an array: no rows, of the shapes that others have
            request.index.append(0)
            return self._batch(self.dataset._service.fetch(request)).head(0)
        rows = self._rows_a_call(request)
        requests = []
        for begin in range(0, numbers.size, rows):
            asked = service_pb2.FetchDrawingsRequest()
            asked.CopyFrom(request)
            getattr(asked, name).extend(numbers[begin : begin + rows].tolist())
            requests.append(asked)
        if len(requests) == 1:
            return self._batch(self.dataset._service.fetch(requests[0]))
        answers = fetch_each(self.dataset._service, requests)
        return joined(self._drawn_alike(answers), numbers.size)

    def _drawn_alike(self, answers: Iterator[Fetched]) -> Iterator[Batch]:
        """The batches, all by one raster version: replicas may have several."""
        first: int | None = None
        for raw, info in answers:
            if first not in (None, info.raster_version):
                raise PlanMismatch(
                    f"some of these drawings came by raster version {first} and others by "
                    f"{info.raster_version}: ask again once all servers are of one version"
                )
            first = info.raster_version
            yield self._batch((raw, info))

    def _batch(self, answer: Fetched) -> Batch:
        raw, info = answer
        check_understood(self.plan, info.refuses_unknown, f"the server of {self.dataset.name!r}")
        classes = info.classes or self.plan.view.classes or self.dataset.classes
        return decode(raw, classes=classes, strokes_spec=self.plan.strokes, placed=False)

    def _rows_a_call(self, request: service_pb2.FetchDrawingsRequest) -> int:
        limit = self.dataset.stats["limits"].get("max_fetch_indices", _ROWS_A_CALL)
        one = plan_pb2.Delivery()
        one.CopyFrom(request.delivery)
        one.batch_size = 1
        return max(1, min(int(limit), _BYTES_A_CALL // planned_batch_bytes(one)))

    def _request(self) -> service_pb2.FetchDrawingsRequest:
        request: service_pb2.FetchDrawingsRequest = message_of(
            service_pb2.FetchDrawingsRequest,
            "",
            {
                "dataset": self.dataset.name,
                "fingerprint": self.dataset.fingerprint,
                "view": self.plan.view.to_proto(),
                "delivery": self.plan.delivery,
                "order": self.plan.order,
                "epoch": self.epoch,
                "augment_view": self.first_view,
            },
        )
        if "strokes" not in self.dataset.stats["codecs"]:  # a server of an earlier release
            request.delivery.codec = plan_pb2.CODEC_NONE
        return request


def copy_of(epoch: Any, first_view: Any) -> tuple[int, int]:
    """Which augmented copy of a drawing, where there are several."""
    return (
        whole("epoch", epoch, 0, 2**64 - 1),
        whole("first_view", first_view, 0, 2**32 - 1),
    )


def indices_of(given: Any, size: int) -> Numbers:
    """Drawings of the store, by one number or several. OutOfRange for one that there is not."""
    return whole_numbers("index", _several("index", given), 0, size - 1, OutOfRange)


def keys_of(given: Any) -> Numbers:
    """Keys, by one number or several."""
    return whole_numbers("key_id", _several("key_id", given), 1, MAX_KEY)


def ranks_of(given: Any, size: int) -> Numbers:
    """Places in a view of `size` drawings, by a slice, numbers from either end, or a mask.

    A mask is one whatever holds it, and has a flag for each drawing of the view.
    """
    if isinstance(given, slice):
        bounds = (given.start, given.stop, given.step)
        names = ("slice.start", "slice.stop", "slice.step")
        plain = [b if b is None else whole(n, b) for n, b in zip(names, bounds, strict=True)]
        if plain[2] == 0:
            raise FixRequest("slice.step = 0: a slice goes on by at least one")
        return np.arange(*slice(*plain).indices(size), dtype=np.int64)
    _check_order("split[...]", given)
    mask = _mask_of(given)
    if mask is None:
        numbers = whole_numbers("split[...]", given, -size, size - 1, OutOfRange)
        return np.where(numbers < 0, numbers + size, numbers)
    if mask.shape != (size,):
        raise OutOfRange(
            f"a mask of shape {list(mask.shape)} for a view of {size} drawings: give one flag for "
            "each"
        )
    return np.flatnonzero(mask)


def _several(name: str, given: Any) -> Any:
    _check_order(name, given)
    return given if holds_many(given) else [whole(name, given)]


def _check_order(name: str, given: Any) -> None:
    if isinstance(given, (set, frozenset)):
        raise FixRequest(
            f"{name} = {shown(given)} is a set, which has no order, and drawings come in the order "
            "asked: give a list, such as sorted(numbers)"
        )


def _mask_of(given: Any) -> NDArray[np.bool_] | None:
    """The flags that an array or a list holds; None where it holds none, or others too."""
    if hasattr(given, "__array__") or is_bool(given):
        array = as_array("split[...]", given)
        return array if array.dtype == np.bool_ else None
    if isinstance(given, (list, tuple)) and given and all(map(is_bool, given)):
        return np.array([bool(each) for each in given])
    return None


MAX_BYTES = 4 << 30


def joined(parts: Iterator[Batch], rows: int) -> Batch:
    """`parts` as one batch of `rows` drawings.

    An array is made once the first part tells its shape, and each part is let go of once it is
    copied. FixRequest as soon as all are seen to take more than MAX_BYTES.
    """
    first = next(parts)
    ragged = RAGGED if "offsets" in first else ()
    _check_size(first, rows)
    arrays = {
        name: np.empty((rows, *array.shape[1:]), array.dtype)
        for name, array in first.items()
        if name not in ragged
    }
    points: list[Array] = []  # whose number only the last part tells
    ends: list[Array] = [np.zeros(1, np.int64)]
    done = bad = 0
    for part in chain([first], parts):
        end = done + part.rows
        for name, array in arrays.items():
            if part[name].shape[1:] != array.shape[1:] or end > rows:
                raise DataLoss(f"{part} does not go on after {done} of {rows} drawings")
            array[done:end] = part[name]
        if ragged:
            points.append(part.strokes.copy())
            ends.append(part.offsets[1:] + ends[-1][-1])
        done, bad = end, bad + part.bad
    if done != rows:
        raise DataLoss(f"{done} of {rows} drawings came")
    if ragged:
        arrays |= {"strokes": np.concatenate(points), "offsets": np.concatenate(ends)}
    for array in arrays.values():
        array.flags.writeable = False
    return first.like({name: arrays[name] for name in first}, bad)


def _check_size(first: Batch, rows: int) -> None:
    size = sum(array.nbytes for array in first.values())
    expected = size * rows // first.rows
    if expected > MAX_BYTES:
        raise FixRequest(
            f"{rows:,} drawings of {size // first.rows:,} bytes each are {expected:,} bytes, and "
            f"one call gives at most {MAX_BYTES:,}: ask for fewer at a time, or take "
            "data.stream(...) or data.share(...)"
        )
