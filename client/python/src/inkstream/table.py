"""Columns of a view: arrays for a program, and what pandas and Arrow make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkstream._batch.batch import Batch
from inkstream._batch.words import numbered, words_of
from inkstream._python.extras import require
from inkstream._request.values import nearest, shown
from inkstream.errors import NotFound

if TYPE_CHECKING:
    import pandas
    import pyarrow

Array = NDArray[Any]


class Table(Mapping[str, Array]):
    """Columns of the drawings of a view, in index order: a mapping of names to arrays [rows].

    Arrays are read-only int64: `index` is always there, and whatever columns were asked for.
    `label` counts `classes`; `word` and `countrycode` count `vocabulary[name]`; `timestamp` is in
    microseconds since 1970 (UTC), `recognized` 0 or 1. -1 is a missing value, -100 a missing label.
    With strokes, `strokes` is [points of all, 3 or 5] float32, and drawing i has rows `offsets[i]`
    to `offsets[i + 1]`.
    `to_pandas` and `to_arrow` have words, times and missing values in their own types.
    """

    def __init__(self, rows: Batch, columns: Sequence[str]) -> None:
        strokes = ["strokes", "offsets"] if "offsets" in rows else []
        self._arrays = {name: rows[name] for name in dict.fromkeys(["index", *columns, *strokes])}
        self._strokes_spec = rows.strokes_spec
        self.classes = rows.classes
        self.vocabulary = rows.vocabulary

    def __getitem__(self, name: str) -> Array:
        found = self._arrays.get(name) if isinstance(name, str) else None
        if found is None:
            near = nearest(name, self._arrays) if isinstance(name, str) else ""
            raise NotFound(
                f"no column {shown(name)} in this table{near}; there are {list(self)}: others are "
                "asked for with columns=[...]"
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def rows(self) -> int:
        """Drawings; len() is of columns."""
        return int(self._arrays["index"].size)

    def strings(self, name: str) -> list[str]:
        """The words of a column that counts some, one a drawing; "" for a missing one."""
        return words_of(self, name)

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame whose index is the drawings' `index` (needs pandas).

        `word` and `countrycode` are categories, `timestamp` is a time in UTC, `recognized` a
        boolean that may be missing; `strokes` are arrays [points, 3 to 6], one a drawing.
        """
        require("to_pandas()", "pandas", ["pandas"])
        import pandas as pd

        columns: dict[str, Any] = {}
        for name, array in self._arrays.items():
            if name in ("index", "offsets"):
                continue
            missing = _missing(name, array)
            if name == "strokes":
                column = np.empty(self.rows, object)
                column[:] = np.split(array, self._arrays["offsets"][1:-1])
                columns[name] = column
            elif numbered(name) and name != "label":
                columns[name] = pd.Categorical.from_codes(array, self.vocabulary.get(name, ()))
            elif name == "timestamp":
                times = np.where(missing, np.datetime64("NaT"), array.view("datetime64[us]"))
                columns[name] = pd.DatetimeIndex(times).tz_localize("UTC")
            elif name == "recognized":
                columns[name] = pd.arrays.BooleanArray(array == 1, missing)
            elif name == "key_id" and missing.any():
                columns[name] = pd.arrays.IntegerArray(array.copy(), missing)
            else:
                columns[name] = array.copy()  # a frame's columns may be written to
        index = pd.Index(self._arrays["index"].copy(), name="index")
        return pd.DataFrame(columns, index=index)

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table (needs pyarrow).

        `word` and `countrycode` are dictionaries, `timestamp` is in microseconds UTC,
        `recognized` a boolean, what is missing null; `strokes` are lists of 3 or 5 floats.
        """
        require("to_arrow()", "arrow", ["pyarrow"])
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for name, array in self._arrays.items():
            if name == "offsets":
                continue
            if name == "strokes":
                points = pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])
                columns[name] = pa.LargeListArray.from_arrays(self._arrays["offsets"], points)
                continue
            missing = _missing(name, array)
            if numbered(name) and name != "label":
                codes = pa.array(array.astype(np.int32), mask=missing)
                words = pa.array(list(self.vocabulary.get(name, ())), pa.string())
                columns[name] = pa.DictionaryArray.from_arrays(codes, words)
            elif name == "timestamp":
                columns[name] = pa.array(array, pa.timestamp("us", tz="UTC"), mask=missing)
            elif name == "recognized":
                columns[name] = pa.array(array == 1, mask=missing)
            else:
                columns[name] = pa.array(array, mask=missing)
        return pa.table(columns)

    def __repr__(self) -> str:
        return f"Table({self.rows:,} drawings; {', '.join(self._arrays)})"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def _missing(name: str, array: Array) -> NDArray[np.bool_]:
    """Which values are none. A label is a number, whatever it is."""
    missing: NDArray[np.bool_] = (array == -1) & (name != "label")
    return missing
