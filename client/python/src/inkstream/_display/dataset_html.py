"""A dataset in a notebook's cell: what it has, and a row of its drawings."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable
from html import escape

from inkstream._batch.batch import Batch
from inkstream._network.source import Source
from inkstream.errors import InkstreamError

_WORDS = 12  # classes that are named
_DRAWINGS = 8


def dataset_html(data: Source, sample: Callable[[int, str], Batch]) -> str:
    """A table of it, and a row of drawings where Pillow is there and they can be had.

    Names and words are whatever the store's files said, and are escaped.
    """
    splits = ", ".join(f"{escape(name)} {count:,}" for name, count in data.splits.items())
    words = ", ".join(escape(word) for word in data.classes[:_WORDS])
    more = len(data.classes) - _WORDS
    rows = {
        "drawings": f"{data.drawings:,}",
        "splits": splits,
        "classes": f"{len(data.classes):,}: {words}" + (f" and {more:,} more" if more > 0 else ""),
        "columns": ", ".join(map(escape, data.columns)),
        "fingerprint": escape(data.fingerprint[:16]),
    }
    cells = "".join(
        f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{said}</td></tr>'
        for name, said in rows.items()
    )
    return f"<b>{escape(data.name)}</b><table>{cells}</table>{_drawings(data, sample)}"


def _drawings(data: Source, sample: Callable[[int, str], Batch]) -> str:
    if data.drawings == 0 or importlib.util.find_spec("PIL") is None:
        return ""
    try:
        batch = sample(_DRAWINGS, next(iter(data.splits), ""))
    except InkstreamError as error:  # the table is worth having without a server
        return f"<i>no drawings to show: {escape(str(error))}</i>"
    png = batch.to_png(columns=_DRAWINGS)
    return f'<img alt="drawings" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
