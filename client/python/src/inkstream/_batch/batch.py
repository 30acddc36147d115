"""A batch: named arrays that lie in the memory the transport delivered."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from inkstream._batch.contact_sheet import cells_of_images, cells_of_strokes, contact_sheet
from inkstream._batch.polylines import to_polylines
from inkstream._batch.pytree import register_with_jax
from inkstream._batch.words import words_of
from inkstream._python.extras import require
from inkstream._request.cursor import Cursor, State
from inkstream._request.strokes import Strokes
from inkstream._request.values import nearest, whole
from inkstream._wire.raw_batch import RawBatch
from inkstream.errors import FixRequest, NotFound, OutOfRange

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


Array = NDArray[Any]

# The keyword by which a stream has a tensor.
ASKED_BY = {
    "image": "image=Image(28)",
    **dict.fromkeys(["strokes", "length"], "strokes=Strokes(250)"),
    "offsets": "strokes=Strokes(250, ragged=True)",
    **{
        column: f'columns=["{column}"]'
        for column in ("label", "word", "countrycode", "timestamp", "recognized", "key_id")
    },
}
# Tensors whose first dimension does not count drawings.
RAGGED = ("strokes", "offsets")


class Batch(Mapping[str, Array]):
    """One batch: a mapping of names to arrays, which are attributes too.

    Arrays are read-only and share the batch's memory, which lives as long as any of them;
    who wants to write takes a copy. `index` (int64) and `valid` (bool) are always there.

    `cursor`: the place after this batch, a JSON-able dict. `epoch`, `step`: where it stands.
    `bad`: rows replaced because their record is damaged. `classes`: the words that `label`
    counts. `vocabulary`: the words that other string columns count, by column.
    `strokes_spec`: what was asked for as `strokes`, which says how to read them.

    To JAX, once that is imported, a batch is a tree of its arrays: what comes back has those and
    nothing else. `key_id` does not fit JAX's 32 bits: leave it out of what goes to devices.
    """

    __slots__ = (
        "__weakref__",
        "_arrays",
        "_cursor",
        "bad",
        "classes",
        "epoch",
        "step",
        "strokes_spec",
        "vocabulary",
    )

    def __init__(
        self,
        arrays: Mapping[str, Array],
        cursor: State | None,
        *,
        epoch: int = 0,
        step: int = 0,
        bad: int = 0,
        classes: Sequence[str] = (),
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        strokes_spec: Strokes | None = None,
    ) -> None:
        self._arrays = dict(arrays)
        self._cursor = cursor
        self.epoch = epoch
        self.step = step
        self.bad = bad
        self.classes = classes
        self.vocabulary = dict(vocabulary or {})
        self.strokes_spec = strokes_spec

    @property
    def cursor(self) -> Cursor:
        """The place after this batch: give it to `start=`, `load_state_dict`, a checkpoint.

        FixRequest where it has none: it was asked for by number, or came out of JAX.
        """
        if self._cursor is None:
            raise FixRequest(
                "this batch has no place in an order: it was asked for by number, or it came out "
                "of JAX, and then the one that went in has"
            )
        return cast(Cursor, dict(self._cursor))

    def __getitem__(self, name: str) -> Array:
        try:
            return self._arrays[name]
        except (KeyError, TypeError):  # what cannot be a key
            raise NotFound(self._missing(name)) from None

    def __getattr__(self, name: str) -> Array:
        if not name.startswith("_") and name in self._arrays:
            return self._arrays[name]
        raise AttributeError(name if name.startswith("_") else self._missing(name))

    def _missing(self, name: Any) -> str:
        said = f"no tensor {name!r} in this batch; there are {list(self._arrays)}"
        if isinstance(name, str):
            keyword = ASKED_BY.get(name)
            return said + (nearest(name, self) if keyword is None else f": give stream() {keyword}")
        return f"{said}; batch.row(i) is one drawing"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise no_array(self)

    # A comparison of arrays is no answer.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def rows(self) -> int:
        """Drawings in it, those that do not count (`valid` is False) too; len() is of tensors."""
        return int(self.index.size)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Word → label."""
        return {word: label for label, word in enumerate(self.classes)}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._arrays]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._arrays)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {_shape(array)}" for name, array in self._arrays.items())
        return f"Batch({shapes}; epoch {self.epoch}, step {self.step})"

    def __reduce__(self) -> tuple[Any, ...]:
        details = {
            n: getattr(self, n) for n in ("epoch", "step", "bad", "vocabulary", "strokes_spec")
        }
        details["classes"] = tuple(self.classes)
        return (partial(Batch, **details), (self._arrays, self._cursor))

    def row(self, i: int) -> Batch:
        """The i-th drawing alone, without the batch dimension.

        Ragged strokes keep their `offsets`, which then begin at 0. OutOfRange where there is none.
        """
        if self.index.ndim == 0:
            raise FixRequest("this batch is one drawing already")
        return self.like(row_of(self._arrays, i))

    def head(self, rows: int) -> Batch:
        """The first rows, as a batch; of ragged strokes too."""
        arrays = {name: array[:rows] for name, array in self._arrays.items()}
        if "offsets" in self._arrays:
            views = (len(self.offsets) - 1) // max(self.rows, 1)
            arrays["offsets"] = self.offsets[: rows * views + 1]
            arrays["strokes"] = self.strokes[: arrays["offsets"][-1]]
        return self.like(arrays)

    def like(self, arrays: Mapping[str, Array], bad: int = 0) -> Batch:
        """Other arrays with this batch's place and words."""
        return Batch(
            arrays,
            self._cursor,
            epoch=self.epoch,
            step=self.step,
            bad=bad,
            classes=self.classes,
            vocabulary=self.vocabulary,
            strokes_spec=self.strokes_spec,
        )

    def float32(self, name: str) -> Array:
        """The tensor `name` as float32 numbers, a copy; for bfloat16 too.

        NumPy has no bfloat16, so such a tensor holds its bits as uint16; with the package
        ml_dtypes, `batch[name].view(ml_dtypes.bfloat16)` reads them without a copy.
        """
        array = self[name]
        if array.dtype == np.uint16:  # no tensor of the contract is uint16 itself
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float32)

    def polylines(self, i: int, view: int = 0) -> list[Array]:
        """The strokes of drawing `i`: a float32 array [points, 2] of x and y for each.

        From the stroke tensor, in its units. `view`: which augmented copy.
        FixRequest where the batch has no strokes.
        """
        if self.strokes_spec is None or "strokes" not in self._arrays:
            raise FixRequest(f"this batch has no strokes; it has {list(self)}")
        i = row_number(i, self.rows)
        length = self.length.reshape(self.index.size, -1)
        view = whole("view", view, 0, length.shape[1] - 1, OutOfRange)
        start = int(self.strokes_spec.starts_with_token)
        if "offsets" in self._arrays:
            first = int(self.offsets[i * length.shape[1] + view])
            rows = self.strokes[first:]
        else:
            rows = self.strokes.reshape(*length.shape, *self.strokes.shape[-2:])[i, view]
        return to_polylines(rows[start : start + int(length[i, view])], self.strokes_spec.format)

    def words(self) -> list[str]:
        """The word of each row, "" for a drawing without one. Needs column `label` or `word`."""
        return self.strings("word" if "word" in self and "label" not in self else "label")

    def strings(self, name: str) -> list[str]:
        """The words that a column's numbers stand for, one a row; "" for a missing one.

        `name`: "label", "word" or "countrycode".
        """
        return words_of(self, name)

    def _repr_png_(self) -> bytes | None:
        """A notebook's cell: the contact sheet. None where nothing is drawn, or without Pillow."""
        if self.rows == 0 or not ("image" in self or "strokes" in self):
            return None
        if importlib.util.find_spec("PIL") is None:
            return None
        return self.to_png()

    def to_image(self, limit: int = 64, columns: int | None = None) -> PilImage:
        """A contact sheet of the first `limit` drawings with their labels (needs Pillow).

        Without images, strokes are drawn. FixRequest where there is neither.
        """
        limit = whole("limit", limit, 1)
        require("a contact sheet", "cli", ["PIL"])
        if self.rows == 0:
            raise FixRequest("this batch has no drawings to show")
        alone = self["index"].ndim == 0
        drawings = 1 if alone else min(limit, len(self["index"]))
        if "image" in self:
            images = self.image if self.image.dtype == np.uint8 else self.float32("image")
            cells = cells_of_images(images[None] if alone else images[:drawings])
        elif "strokes" in self:
            views = range(self.length.size // self["index"].size)
            cells = cells_of_strokes(
                self.polylines(i, view) for i in range(drawings) for view in views
            )
        else:
            raise FixRequest(f"this batch has no images or strokes to show; it has {list(self)}")
        labelled = "label" in self or "word" in self
        words = self.words()[:drawings] if labelled else [""] * drawings
        return contact_sheet(cells, words, columns)

    def to_png(self, limit: int = 64, columns: int | None = None) -> bytes:
        """The contact sheet as a PNG file's bytes."""
        png = io.BytesIO()
        self.to_image(limit, columns).save(png, "PNG")
        return png.getvalue()

    def show(self, limit: int = 64, columns: int | None = None) -> PilImage:
        """The contact sheet as an image, which a notebook displays."""
        return self.to_image(limit, columns)


def row_number(i: Any, rows: int) -> int:
    """The row that `i` names, from either end; OutOfRange where there is none."""
    return whole("row", i, -rows, rows - 1, OutOfRange) % max(rows, 1)


def row_of(batch: Mapping[str, Any], i: Any) -> dict[str, Any]:
    """The i-th drawing of arrays or tensors, each without the batch dimension."""
    drawings = len(batch["index"])
    i = row_number(i, drawings)
    row = {name: array[i] for name, array in batch.items() if name not in RAGGED}
    if "offsets" in batch:
        views = (len(batch["offsets"]) - 1) // drawings
        bounds = batch["offsets"][i * views : (i + 1) * views + 1]
        row["offsets"] = bounds - bounds[0]
        row["strokes"] = batch["strokes"][int(bounds[0]) : int(bounds[-1])]
    elif "strokes" in batch:
        row["strokes"] = batch["strokes"][i]
    return row


def no_array(batch: Mapping[str, Any]) -> TypeError:
    """What a batch says that is taken for an array: NumPy would make one of its names."""
    first = next((name for name in ("image", "strokes") if name in batch), "index")
    kind = type(batch).__name__
    return TypeError(
        f"a {kind} is several arrays, {list(batch)}: take one of them, such as batch[{first!r}]"
    )


def _shape(array: Any) -> str:
    kind = getattr(array, "dtype", None)  # JAX puts other things where its arrays will be
    return type(array).__name__ if kind is None else f"{kind}{list(array.shape)}"


def _of_tree(names: Sequence[str], arrays: Sequence[Any]) -> Batch:
    return Batch(dict(zip(names, arrays, strict=True)), None, epoch=-1, step=-1)


def decode(
    raw: RawBatch,
    classes: Sequence[str] = (),
    strokes_spec: Strokes | None = None,
    placed: bool = True,
) -> Batch:
    """Views the bytes of a batch as arrays. `placed`: whether it is of an order, and has a cursor.

    uint8 and bool arrays are views always. Wider ones are too where their address allows it:
    a message carries them at any, so those that stand crooked are copied.
    """
    register_with_jax(Batch, _of_tree)
    memory, layout = raw.memory, raw.layout
    # What is the holder's own may be written to; arrays of a batch never are.
    memory.flags.writeable = False
    arrays: dict[str, Array] = {}
    for name, _, dtype, shape, offset, length in layout.tensors:
        if length:
            array: Array = np.ndarray(shape, dtype, memory, offset)
            if not array.flags.aligned:
                array = array.copy()
                array.flags.writeable = False
        else:
            array = np.empty(shape, dtype)
            array.flags.writeable = False
        arrays[name] = array
    return Batch(
        arrays,
        raw.cursor if placed else None,
        epoch=raw.epoch,
        step=raw.step,
        bad=raw.bad,
        classes=classes,
        vocabulary=layout.vocabulary,
        strokes_spec=strokes_spec,
    )
