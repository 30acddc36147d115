"""Stroke tensors that fastai can show."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from fastai.imports import dispatch
from fastai.torch_core import TensorBase
from fastai.vision.data import get_grid, get_show_batch_func
from fastai.vision.data import show_batch as _show_batch  # noqa: F401 - dispatched on below

from inkstream._batch.polylines import to_polylines
from inkstream._request.strokes import Strokes


class TensorStrokes(TensorBase):  # type: ignore[misc]
    """Strokes of a batch, [B, rows, columns], as `inkstream.Strokes` describes them."""


class Sketch:
    """The strokes of one drawing, to be looked at."""

    def __init__(self, rows: Any, strokes: Strokes) -> None:
        points = rows.detach().float().cpu().numpy()[int(strokes.starts_with_token) :]
        if strokes.format == "stroke5":
            points = points[points[:, 4] < 0.5]
        else:  # padding is zeros
            last = points.any(axis=1).nonzero()[0]
            points = points[: last[-1] + 1] if len(last) else points[:0]
        self.polylines = to_polylines(points, strokes.format)

    def show(self, ctx: Any = None, **_: Any) -> Any:
        """Draws it on the axes `ctx`, or on new ones; returns those."""
        axes = plt.subplots()[1] if ctx is None else ctx
        for line in self.polylines:
            axes.plot(line[:, 0], line[:, 1], color="black")
        axes.set_aspect("equal")
        if not axes.yaxis_inverted():
            axes.invert_yaxis()  # the canvas counts from the top
        axes.axis("off")
        return axes


def _grid(samples: Any, max_n: int, **grid: Any) -> Any:
    return get_grid(min(len(samples), max_n), **grid)


@dispatch  # type: ignore[untyped-decorator]
def show_batch(
    x: TensorStrokes,
    y: object,
    samples: object,
    ctxs: object = None,
    max_n: int = 9,
    nrows: object = None,
    ncols: object = None,
    figsize: object = None,
    **shown: object,
) -> object:
    if ctxs is None:
        ctxs = _grid(samples, max_n, nrows=nrows, ncols=ncols, figsize=figsize)
    return get_show_batch_func(object)(x, y, samples, ctxs=ctxs, max_n=max_n, **shown)


@dispatch  # type: ignore[untyped-decorator]
def show_results(
    x: TensorStrokes,
    y: object,
    samples: Any,
    outs: Any,
    ctxs: Any = None,
    max_n: int = 9,
    nrows: object = None,
    ncols: object = None,
    figsize: object = None,
    **shown: object,
) -> object:
    if ctxs is None:
        ctxs = _grid(samples, max_n, nrows=nrows, ncols=ncols, figsize=figsize)
    for axes, sample, out, _ in zip(ctxs, samples, outs, range(max_n), strict=False):
        sample[0].show(ctx=axes)
        said = [str(word) for word in (*sample[1:], *out)]
        axes.set_title("\n".join(said))
    return ctxs
