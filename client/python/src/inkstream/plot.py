"""Plots of a dataset and of drawings, with Matplotlib: `pip install 'inkstream[plot]'`.

    inkstream.plot.classes(data, "train")
    inkstream.plot.strokes(data.sample(1, strokes=250))

Each draws on `ax`, or on a figure of its own, and returns the Axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inkstream._batch.batch import Batch
from inkstream._python.extras import require
from inkstream._request.keywords import checked_keywords
from inkstream._request.values import whole
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

require("inkstream.plot", "plot", ["matplotlib"])
from matplotlib import pyplot  # noqa: E402 - once it is known to be there

_COLOURS = "viridis"  # from the first stroke to the last
_LINE = 2.5  # points


@checked_keywords()
def classes(
    data: Dataset, view: View | str = "train", *, limit: int = 40, ax: Axes | None = None
) -> Axes:
    """How many drawings of a view each class has: bars, the largest class above.

    `limit`: classes that are shown; below the bars stands what the others have.
    """
    limit = whole("limit", limit, 1)
    counts = sorted(data.counts(view).items(), key=lambda entry: -entry[1])
    if not counts:
        raise FixRequest(f"{view!r} has no classes to count")
    shown, others = counts[:limit], counts[limit:]
    if ax is None:
        _, ax = pyplot.subplots(figsize=(6, 1 + 0.22 * len(shown)), layout="constrained")
    assert ax is not None
    places = np.arange(len(shown))
    # As words stand in the store: a dollar sign does not begin a formula.
    words = [word.replace("$", r"\$") for word, _ in shown]
    bars = ax.barh(places, [drawings for _, drawings in shown])
    ax.bar_label(bars, [f"{drawings:,}" for _, drawings in shown], padding=2, fontsize="small")
    ax.set_yticks(places, words, fontsize="small")
    ax.invert_yaxis()
    ax.margins(x=0.12, y=0.01)
    rest = sum(drawings for _, drawings in others)
    ax.set_xlabel("drawings" + (f"; {len(others):,} more classes have {rest:,}" if others else ""))
    ax.set_title(f"{data.name}: {sum(d for _, d in counts):,} drawings of {len(counts):,} classes")
    return ax


@checked_keywords()
def strokes(batch: Batch, i: int = 0, *, view: int = 0, ax: Axes | None = None) -> Axes:
    """The strokes of drawing `i` in their order: dark first, a number where each begins.

    `view`: which augmented copy. FixRequest where the batch has no strokes.
    """
    lines = batch.polylines(i, view)
    if ax is None:
        _, ax = pyplot.subplots(figsize=(4, 4), layout="constrained")
    assert ax is not None
    colours = pyplot.get_cmap(_COLOURS)(np.linspace(0, 0.9, max(len(lines), 1)))
    for number, (line, colour) in enumerate(zip(lines, colours, strict=False), 1):
        # A stroke of one point is a dot, which a line would not show.
        ax.plot(line[:, 0], line[:, 1], color=colour, lw=_LINE, marker="o" if len(line) < 2 else "")
        ax.annotate(
            str(number),
            (float(line[0, 0]), float(line[0, 1])),
            xytext=(4, 4),
            textcoords="offset points",
            color=colour,
            fontsize="small",
        )
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.axis("off")
    if "label" in batch or "word" in batch:
        ax.set_title(batch.words()[i].replace("$", r"\$"))
    return ax
