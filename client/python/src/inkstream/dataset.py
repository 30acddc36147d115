"""A dataset as one server described it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from inkstream._batch.batch import Batch
from inkstream._fetch.random_access import RandomAccess, copy_of, indices_of, keys_of
from inkstream._network.questions import Questions
from inkstream._network.source import describe, stats_of
from inkstream._python.cached_property import cached_property
from inkstream._request.augment import Augment
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import (
    DeliveryOptions,
    DrawOptions,
    Epochs,
    OnCorrupt,
    Sampling,
    Shuffle,
    StreamOptions,
    Tail,
)
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes
from inkstream._request.values import nearest, shown, text
from inkstream._request.view import View, as_view
from inkstream.errors import FixRequest, NotFound, PlanMismatch
from inkstream.overview import Overview
from inkstream.plan_report import PlanReport, explain
from inkstream.split import Split
from inkstream.stream import Stream
from inkstream.v1 import service_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True, eq=False)
class Dataset(Overview):
    """One dataset at one content. Immutable, picklable, hashable; equal where its content is.

    `splits`: name → drawings. `classes`: words in label order. `columns`: what `columns=` may
    name. `stats`: everything else the server says of it; "recommended_shuffle" among it is "full",
    or "window:N" where the store is too large to stay in the server's memory.
    """

    @classmethod
    def _describe(cls, client: Questions, name: str, fingerprint: str = "") -> Dataset:
        """Asks the server."""
        answer = describe(client, name, fingerprint)
        if fingerprint and fingerprint != answer.fingerprint:
            raise PlanMismatch(
                f"dataset {answer.dataset!r} has fingerprint {answer.fingerprint}, "
                f"asked for {fingerprint}"
            )
        return cls(
            client=client,
            name=answer.dataset,
            fingerprint=answer.fingerprint,
            drawings=answer.drawings,
            splits={split.name: split.drawings for split in answer.splits},
            classes=[entry.word for entry in answer.classes],
            columns=[column.name for column in answer.columns],
            stats=stats_of(answer),
        )

    def __len__(self) -> int:
        return self.drawings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and other._content == self._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[str, str]:
        return self.name, self.fingerprint

    @cached_property
    def class_to_idx(self) -> dict[str, int]:
        """Word → label, of every drawing; a view that names classes counts in its own order."""
        return {word: label for label, word in enumerate(self.classes)}

    def __getitem__(self, view: View | str) -> Split:
        """`split(view)`. NotFound for the name of a split that there is not."""
        if not isinstance(view, (View, str)):
            raise FixRequest(
                f"data[{shown(view)}]: give a split's name or a View; drawings by number are "
                'data["train"][3], of a split, or data.fetch(3), of all'
            )
        if isinstance(view, str) and view.partition("[")[0] not in self.splits:
            near = nearest(view.partition("[")[0], self.splits)
            raise NotFound(f"no split {view!r}{near}; there are {list(self.splits)}")
        return self.split(view)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.splits)

    @checked_keywords(DeliveryOptions)
    def stream(
        self,
        view: View | str = "train",
        *,
        batch_size: int = 256,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        seed: int = 0,
        epochs: Epochs = 1,
        rank: int = 0,
        world: int = 1,
        shuffle: Shuffle = "full",
        sampling: Sampling = "uniform",
        tail: Tail = "drop",
        augment: Augment | None = None,
        views: int = 1,
        start: Mapping[str, Any] | None = None,
        **delivery: Unpack[DeliveryOptions],
    ) -> Stream:
        """Batches of a view in an order that is a function of the seed.

        `view`: a View or a split's name. `batch_size`: drawings a rank and step.
        `image`: an Image, its side, or (height, width). `strokes`: Strokes, or the most points.
        `epochs`: a number, counted from epoch 0, or "forever" (None).
        `shuffle`: "full" (True), "window:N" or "none" (False). `sampling`: "uniform",
        "balanced:ALPHA", weights by word, a list of weights, one a class, a list of
        (view, weight), or `Weights(keys, weights)`, one a drawing.
        `tail`: "drop", "partial" or "pad". `start`: a cursor; its seed replaces `seed`.
        `delivery`: `ignore_index`, the label of a drawing without a word; `on_corrupt`,
        "fail" or "skip", and `max_bad`, how many damaged ones "skip" lets by; `codec`,
        with the same bytes under each: "auto" or "strokes" (batches come as strokes and are drawn
        here, where libinkstream is there, image quality fast and both raster versions the same;
        else the server draws, and stats()["codec_reason"] says why) or "none" (the server draws:
        for a trainer with few cores beside a server with many); `step_offset`, `step_stride`.
        FixRequest for a keyword that would have no effect.
        Nothing is asked of the server before the first batch.
        """
        plan = Plan.of(
            view,
            self,
            batch_size=batch_size,
            image=image,
            strokes=strokes,
            columns=columns,
            seed=seed,
            epochs=epochs,
            rank=rank,
            world=world,
            shuffle=shuffle,
            sampling=sampling,
            tail=tail,
            augment=augment,
            views=views,
            **delivery,
        )
        return Stream(self, plan, start)

    @checked_keywords(StreamOptions)
    def plan(
        self,
        view: View | str = "train",
        *,
        epoch: int = 0,
        step: int = 0,
        steps: int = 1,
        all_ranks: bool = False,
        start: Mapping[str, Any] | None = None,
        **stream: Unpack[StreamOptions],
    ) -> PlanReport:
        """What `stream(view, **stream)` would deliver: counts, and the drawings of steps.

        `step`: the first one listed, of `epoch` or, with the cursor `start`, from there on;
        `steps`: how many, fewer at the epoch's end or where an answer would be too long.
        `all_ranks`: the drawings of all ranks, rank by rank, not only this one's; ValueError where
        those of one step are more than the largest batch.
        """
        plan = Plan.of(view, self, **stream)
        return explain(self, plan, start, epoch, step, steps, all_ranks)

    @checked_keywords(DrawOptions)
    def split(
        self,
        view: View | str = "train",
        *,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        epoch: int = 0,
        first_view: int = 0,
        **draw: Unpack[DrawOptions],
    ) -> Split:
        """The drawings of a view by their number in it, in index order.

        `draw`: `seed`, `augment`, `views`, `ignore_index`, `on_corrupt`, `codec`, as for `stream`.
        With `augment`, a drawing comes as a stream with the same `seed` gives it in `epoch`;
        `views` copies of it, the first of which is number `first_view`.
        """
        plan = Plan.of(view, self, image=image, strokes=strokes, columns=columns, **draw)
        return Split(self, plan, *copy_of(epoch, first_view))

    @checked_keywords()
    def share(
        self,
        view: View | str = "train",
        *,
        image: Image | int | tuple[int, int] | None = None,
        column: str | None = None,
        path: str | os.PathLike[str] | None = None,
        budget: int | None = None,
        huge_pages: bool = True,
        progress: bool | Callable[[int, int], None] | None = None,
        ignore_index: int | None = None,
        on_corrupt: OnCorrupt = "fail",
        max_bad: int | None = None,
    ) -> NDArray[Any]:
        """The whole view as one read-only array that any process of this host's user maps.

        Give `image` for pixels, [N, C, H, W] or [N, H, W, C], or `column` for one of the
        dataset's columns, [N]. Row i is the view's i-th drawing in index order, as in `split`.

        The first caller draws it, once; who calls meanwhile waits, and builds if the first one
        dies; later callers attach in milliseconds. The array is named by what it holds
        (fingerprint, view, tensor, raster version), so a new generation of the dataset gives a
        new array and those who have the old one keep it. Its memory is freed with its last
        user, however that ends. Multiprocessing sends it by reference (`inkstream.shared`).

        `path`: a file to build it in instead, for views larger than memory, or to have it
        again tomorrow; readable as .npy. It is complete or absent; FILE.partial is gone on
        with by the next caller.
        `budget`: bytes it may take; default: what is free. NotEnoughMemory says what it takes.
        `huge_pages`: memory in pages of 2 MiB where the kernel gives them: quicker to make and
        to read, see the client's README. In small ones where it does not.
        `progress`: called with drawings done and in all; True or False for a line on stderr or
        none; default: a line on a terminal.
        `ignore_index`, `on_corrupt`, `max_bad`: as for `stream`.
        """
        from inkstream.shared.views.share import (
            share_view,  # when first used, as `inkstream.shared` is
        )

        if (image is None) == (column is None):
            raise FixRequest("give either image= or column=")
        named = None if column is None else text("column", column)
        columns = () if named in (None, "index", "valid") else (named,)
        plan = Plan.of(
            view,
            image=image,
            columns=columns,
            ignore_index=ignore_index,
            on_corrupt=on_corrupt,
            max_bad=max_bad,
        )
        return share_view(self, plan, named or "image", path, budget, huge_pages, progress)

    @checked_keywords(DrawOptions)
    def fetch(
        self,
        index: int | Sequence[int] | NDArray[Any] | None = None,
        *,
        key_id: int | Sequence[int] | NDArray[Any] | None = None,
        view: View | str | None = None,
        image: Image | int | tuple[int, int] | None = None,
        strokes: Strokes | int | None = None,
        columns: Sequence[str] = ("label",),
        epoch: int = 0,
        first_view: int = 0,
        **draw: Unpack[DrawOptions],
    ) -> Batch:
        """Drawings by their `index` in the store or by `key_id`, in the order asked.

        One number is a batch of one. However many there are, they are one batch, of at most
        4 GiB; FixRequest beyond. OutOfRange for an index that there is not.
        `view`: whose classes `label` counts; left out: those of the dataset.
        `epoch`, `first_view`, `draw`: see `split`. What was in a batch of a stream over `view`:
        `data.fetch(batch.index, view=view, epoch=batch.epoch, ...)` with the stream's `image`,
        `strokes`, `columns`, `seed`, `augment` and `views`.
        """
        if (index is None) == (key_id is None):
            raise FixRequest("give either index= or key_id=")
        seen = View() if view is None else as_view(view)
        plan = Plan.of(seen, self, image=image, strokes=strokes, columns=columns, **draw)
        access = RandomAccess(self, plan, *copy_of(epoch, first_view))
        if index is not None:
            return access.fetch("index", indices_of(index, self.drawings))
        return access.fetch("key_id", keys_of(key_id))

    @checked_keywords()
    def inspect(self, index: int | None = None, *, key_id: int | None = None) -> str:
        """One drawing for a person: its word and a preview for the terminal."""
        request = service_pb2.InspectDrawingRequest(dataset=self.name)
        if (index is None) == (key_id is None):
            raise FixRequest("give either index= or key_id=")
        if index is not None:
            request.index = int(indices_of([index], self.drawings)[0])
        else:
            request.key_id = int(keys_of([key_id])[0])
        answer = self._service.call("InspectDrawing", request, service_pb2.InspectDrawingResponse)
        return "\n".join([f"{answer.index}: {answer.word}", *answer.preview])
