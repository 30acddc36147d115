"""TensorFlow and Keras: a stream as a tf.data.Dataset."""

# ruff: noqa: E402 - first whether the framework is there
from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.tf", "tf", ["tensorflow"])

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import tensorflow

from inkstream._adapters.source import dataset_of
from inkstream._batch.batch import Array
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import OrderOptions
from inkstream._request.strokes import Strokes
from inkstream._request.values import nearest, sequence
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest, NotFound

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["dataset"]


@checked_keywords(OrderOptions)
def dataset(
    data: Dataset,
    view: View | str = "train",
    *,
    batch_size: int = 256,
    image: Image | int | tuple[int, int] | None = None,
    strokes: Strokes | int | None = None,
    columns: Sequence[str] = ("label",),
    as_tuple: Sequence[str] | None = None,
    rank: int = 0,
    world: int = 1,
    start: Mapping[str, Any] | None = None,
    **stream: Unpack[OrderOptions],
) -> Any:
    """Ready batches as a tf.data.Dataset, with shapes and types known beforehand.

    Elements are dicts of tensors; with `as_tuple=("image", "label")`, tuples of those, which
    Keras's `fit` takes. Give it images as `Image(28, layout="NHWC")`, "float32" or "bfloat16".
    Each pass is the next epoch; the first one goes on at `start`, a cursor. `epochs` is
    therefore not for it. A look at one batch is a pass, too; so is Keras's own, for a model that
    does not know its shapes. Keywords else are those of `Dataset.stream`.
    """
    if "epochs" in stream:
        raise FixRequest("epochs: each pass of a tf.data.Dataset is one; give fit(epochs=...)")
    asked: dict[str, Any] = {"batch_size": batch_size, "image": image, "strokes": strokes}
    asked.update(columns=columns, rank=rank, world=world, **stream)
    passes = _Passes(data, view, asked, start, as_tuple)
    made = tensorflow.data.Dataset.from_generator(passes, output_signature=passes.signature())
    if passes.steps is None:
        return made
    return made.apply(tensorflow.data.experimental.assert_cardinality(passes.steps))


class _Passes:
    """A generator function: each call is the next epoch."""

    def __init__(
        self,
        data: Dataset,
        view: View | str,
        asked: dict[str, Any],
        start: Mapping[str, Any] | None,
        names: Sequence[str] | None,
    ) -> None:
        self._data, self._view, self._asked = dataset_of(data), view, asked
        self._start = start
        self._names = None if names is None else tuple(sequence("as_tuple", names, "names"))
        if self._names == ():
            raise FixRequest('as_tuple is empty: give names, such as ("image", "label")')
        self._epoch = 0
        with self._data.stream(view, **asked, start=start) as probe:
            state = probe.state_dict()
            self._epoch = state["epoch"]
            # Of an epoch that was begun only the rest comes: then no number fits every pass.
            self.steps = None if state["position"] else len(probe)

    def __call__(self) -> Iterator[Any]:
        epoch, start = self._epoch, self._start
        self._epoch, self._start = epoch + 1, None
        stream = self._data.stream(self._view, **self._asked, epochs=epoch + 1, start=start)
        with stream:
            if start is None:
                stream.seek(epoch=epoch)
            for batch in stream:
                yield self._chosen({name: _readable(a) for name, a in batch.items()})

    def signature(self) -> Any:
        """Shapes and types, from the first batch of the plan."""
        with self._data.stream(self._view, **{**self._asked, "tail": "pad"}) as probe:
            first = next(probe)
        ragged = ("strokes", "offsets") if "offsets" in first else ()
        loose = self._asked.get("tail") == "partial"
        specs = {}
        for name, array in first.items():
            rows = None if loose or name in ragged else len(array)
            kind = tensorflow.as_dtype(_readable(array).dtype)
            specs[name] = tensorflow.TensorSpec((rows, *array.shape[1:]), kind)
        return self._chosen(specs)

    def _chosen(self, tensors: dict[str, Any]) -> Any:
        if self._names is None:
            return tensors
        for name in self._names:
            if name not in tensors:
                near = nearest(str(name), tensors)
                raise NotFound(f"as_tuple: no tensor {name!r}; there are {list(tensors)}{near}")
        return tuple(tensors[name] for name in self._names)


def _readable(array: Array) -> Array:
    # NumPy's way to have bfloat16; no tensor of the contract is uint16 itself.
    return array.view(ml_dtypes.bfloat16) if array.dtype == np.uint16 else array
