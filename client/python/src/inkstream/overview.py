"""What a person asks of a dataset before training on it: counts, looks, columns, folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from inkstream._batch.batch import Batch
from inkstream._batch.words import stored
from inkstream._display.dataset_html import dataset_html
from inkstream._display.progress_bar import Progress, progress_of
from inkstream._export.hugging_face import check_image, to_hugging_face
from inkstream._fetch.random_access import joined
from inkstream._network.source import Source, describe
from inkstream._order.permutation import Permutation
from inkstream._python.cached_property import cached_property
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import DrawOptions
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes, as_strokes
from inkstream._request.values import sequence, whole
from inkstream._request.view import View, as_view
from inkstream.errors import FixRequest
from inkstream.folds import Fold, stratified
from inkstream.split import Split
from inkstream.stream import Stream
from inkstream.table import Table

if TYPE_CHECKING:
    import datasets
    from PIL.Image import Image as PilImage
    from typing_extensions import Unpack

# How a stream gives every drawing of a view once.
_IN_ORDER: dict[str, Any] = {"batch_size": 4096, "shuffle": "none", "tail": "partial"}


class Overview(Source):
    """A dataset to look at. `inkstream.Dataset` is one."""

    @cached_property
    def vocabulary(self) -> Mapping[str, Sequence[str]]:
        """What the numbers of the columns `word` and `countrycode` mean, by column.

        Of every drawing; a view that names classes counts words in its own order, as its
        batches' `vocabulary` says.
        """
        columns = tuple(name for name in ("word", "countrycode") if name in self.columns)
        if not columns or self.drawings == 0:
            return {}
        return Split(self, Plan.of("", columns=columns))[[0]].vocabulary

    @checked_keywords()
    def counts(self, view: View | str = "train") -> dict[str, int]:
        """Drawings of each class in a view: word → drawings, in label order; 0 where none is.

        Without those that have no word, which `count` counts too.
        """
        seen = as_view(view)
        described = describe(self.client, self.name, self.fingerprint, seen)
        counted = {entry.word: entry.drawings for entry in described.classes}
        return {word: counted.get(word, 0) for word in seen.classes or self.classes}

    @checked_keywords(DrawOptions)
    def sample(
        self,
        n: int = 16,
        view: View | str = "train",
        *,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        epoch: int = 0,
        **draw: Unpack[DrawOptions],
    ) -> Batch:
        """`n` drawings of a view by chance, fewer where it has fewer: one batch, without a cursor.

        The same for the same `seed` and `epoch`: those that `stream(view, seed=seed)` begins the
        epoch with. `image`: left out, with no strokes either, `Image(64)`.
        `draw`: see `Dataset.split`.
        """
        n, epoch = whole("n", n, 1), whole("epoch", epoch, 0, 2**64 - 1)
        if image is None and strokes is None:
            image = Image(64)
        plan = Plan.of(view, self, image=image, strokes=strokes, columns=columns, **draw)
        split = Split(self, plan, epoch)
        size = len(split)
        if size == 0:
            raise FixRequest(f"{plan.view} has no drawings to take a sample of")
        return split[Permutation(size, plan.seed, epoch)(np.arange(min(n, size)))]

    @checked_keywords(DrawOptions)
    def show(
        self,
        view: View | str = "train",
        n: int = 64,
        *,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        epoch: int = 0,
        **draw: Unpack[DrawOptions],
    ) -> PilImage:
        """A contact sheet of `n` drawings by chance, see `sample` (needs Pillow)."""
        batch = self.sample(n, view, image=image, strokes=strokes, epoch=epoch, **draw)
        return batch.show(limit=batch.rows)

    @checked_keywords()
    def table(
        self,
        view: View | str = "train",
        *,
        columns: Sequence[str] | None = None,
        strokes: Strokes | int | None = None,
        progress: bool | Callable[[int, int], None] | None = None,
    ) -> Table:
        """The columns of every drawing of a view, in index order.

        `columns`: left out, all that the dataset has. `strokes`: Strokes, or the most points of
        a drawing; they come without padding. At most 4 GiB; FixRequest beyond.
        `progress`: called with drawings done and in all; True or False for a line on stderr or
        none; left out: a line on a terminal or in a notebook.
        """
        if columns is None:
            named = list(stored(self.columns))
        else:
            named = sequence("columns", columns, "names")
        asked = as_strokes(strokes)
        plan = Plan.of(
            view,
            self,
            columns=[name for name in named if name != "index"],
            strokes=None if asked is None else replace(asked, ragged=True),
            **_IN_ORDER,
        )
        tell = progress_of(progress, f"reading {plan.view.split or self.name}")
        rows = self.count(plan.view)
        if rows == 0:
            return Table(Split(self, plan)[[]], plan.columns)
        with Stream(self, plan) as stream:
            return Table(joined(_told(stream, rows, tell), rows), plan.columns)

    @checked_keywords()
    def to_hf(
        self,
        view: View | str = "train",
        *,
        image: Image | int | tuple[int, int] | None = None,
        columns: Sequence[str] = ("label",),
        progress: bool | Callable[[int, int], None] | None = None,
    ) -> datasets.Dataset:
        """A view as a Dataset of Hugging Face's, in memory (needs `inkstream[hf]`).

        `image`, uint8 of 1 or 3 channels, is an Image feature (PNG files), `label` a ClassLabel
        with the view's words; other columns are strings, times, booleans and integers, None where
        a drawing has no value. `index` is always there. For training take the stream: this is a
        copy, for what wants such a dataset. `progress`: see `table`.
        """
        plan = Plan.of(
            view,
            image=image,
            columns=[name for name in sequence("columns", columns, "names") if name != "index"],
            **_IN_ORDER,
        )
        if plan.image is not None:
            check_image(plan.image)
        tell = progress_of(progress, f"copying {plan.view.split or self.name}")
        rows = self.count(plan.view)
        classes = plan.view.classes or self.classes
        with Stream(self, plan) as stream:
            batches = _told(stream, rows, tell) if rows else iter(())
            return to_hugging_face(batches, plan.image, classes, plan.columns)

    @checked_keywords()
    def sketchrnn_scale(self, max_len: int) -> float:
        """The figure that Magenta's sketch-rnn divides offsets by.

        The standard deviation of all dx and dy of the drawings of split "train" with at most
        `max_len` points, the first offset of each included. `stats["delta_std"]["train"]`, of
        every drawing and without the first offsets, is some percent less. Read once a process.
        """
        return offset_deviation(self, whole("max_len", max_len, 1))

    @checked_keywords()
    def folds(self, count: int, view: View | str = "train", *, seed: int = 0) -> list[Fold]:
        """`count` folds of a view for cross-validation, `(train, valid)` views each.

        Every class has the same share of each fold, but for one drawing; `View(fold=...)`, which
        asks nothing and needs no keys, splits by chance. Reads the view's labels and keys; the
        folds are sets of keys. FixRequest where drawings have no `key_id`, or several the same.
        """
        return stratified(self.table, count, view, seed)

    def _repr_html_(self) -> str:
        return dataset_html(self, self.sample)


@lru_cache(maxsize=64)
def offset_deviation(data: Overview, max_len: int) -> float:
    """See `Overview.sketchrnn_scale`; of what equals `data`, read once."""
    strokes = Strokes(max_len, too_long="drop", ragged=True)
    plan = Plan.of("train", strokes=strokes, columns=(), **_IN_ORDER)
    count, total, squares = 0, 0.0, 0.0
    tell = progress_of(None, "reading the offsets of train")
    with Stream(data, plan) as stream:
        for batch in _told(stream, data.splits.get("train", 0), tell):
            offsets = batch.strokes[:, :2].astype(np.float64)
            count += offsets.size
            total += float(offsets.sum())
            squares += float(np.square(offsets).sum())
    if count == 0:
        raise FixRequest(f"split 'train' has no drawing of at most {max_len} points to scale by")
    return float(np.sqrt(squares / count - (total / count) ** 2))


def _told(batches: Iterator[Batch], rows: int, tell: Progress) -> Iterator[Batch]:
    done = 0
    for batch in batches:
        yield batch
        done += batch.rows
        tell(done, rows)
