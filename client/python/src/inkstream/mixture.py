"""Several datasets in one stream: each batch has its share of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkstream._batch.batch import Batch
from inkstream._batch.words import Classed, numbered, union_of
from inkstream._order.shares import places_behind, places_of_parts, rows_of_parts
from inkstream._python.cached_property import cached_property
from inkstream._request.cursor import State, check_state
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.mixing import Changes, Shares, classes_of, curriculum_of, weights_of
from inkstream._request.options import MixOptions
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes, as_strokes
from inkstream._request.values import sequence, shown, whole
from inkstream._request.view import View, as_view
from inkstream._stream.stream_iterator import cannot_be_pickled
from inkstream.dataset import Dataset
from inkstream.errors import Closed, FixRequest
from inkstream.split import Split
from inkstream.stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

_VERSION = 1


@checked_keywords(MixOptions)
def mix(
    parts: Sequence[tuple[Dataset, View | str, float]],
    *,
    batch_size: int = 256,
    image: Image | int | tuple[int, int] | None = None,
    strokes: Strokes | int | None = None,
    columns: Sequence[str] = ("label",),
    classes: Sequence[str] | None = None,
    curriculum: Sequence[tuple[int, Sequence[float]]] = (),
    start: Mapping[str, Any] | None = None,
    **stream: Unpack[MixOptions],
) -> Mixture:
    """One endless stream of several views, of one dataset or of several stores.

    `parts`: (dataset, view, weight) each; a batch has weight / sum of weights of each, rounded to
    whole drawings, and each part is shuffled by `seed` and gone through epoch by epoch by itself.
    `classes`: the words that `label` counts; left out, the union of the parts' classes, in the
    order in which they come. A word that is not among them has the label `ignore_index`.
    `curriculum`: (position, weights) each: the weights from the first batch on before which that
    many drawings, of all ranks, have been given. `start`: the state of a mixture of these parts,
    whose weights so far are those of that state.
    `stream`: `seed`, `rank`, `world`, `shuffle`, `augment`, `views`, `ignore_index`,
    `on_corrupt`, `max_bad`, `codec`, as for `Dataset.stream`.
    """
    return Mixture(
        parts,
        {
            "batch_size": batch_size,
            "image": image,
            "strokes": strokes,
            "columns": columns,
            **stream,
        },
        classes,
        curriculum,
        start,
    )


class Mixture(Classed):
    """Batches of several parts; see `mix`. Like a Stream, for one thread of one process.

    `batch["part"]` says which part a row is of, and `index` counts that part's dataset. Labels,
    and the words of other columns, count one vocabulary, whichever part a row is of. Arrays are
    the batch's own and may be written to. `batch.cursor` is the state behind it.

    A function of the parts, the seed and the state: what each part gives is its own stream, at
    its own cursor, so a state goes on at another `batch_size` or `world` with nothing lost or
    repeated. It carries every change of weights up to it: as `curriculum`, they draw the same
    once more from the beginning.
    """

    def __init__(
        self,
        parts: Sequence[tuple[Dataset, View | str, float]],
        keywords: dict[str, Any],
        classes: Sequence[str] | None,
        curriculum: Sequence[tuple[int, Sequence[float]]],
        start: Mapping[str, Any] | None,
    ) -> None:
        self.parts, weights = _parts_of(parts)
        self._plans = [
            Plan.of(view, data, **{**keywords, "epochs": "forever"}) for data, view in self.parts
        ]
        self._asked = parts, keywords, classes, curriculum
        self.placed = "rank" in keywords or "world" in keywords
        self._first_weights = weights
        self.plan = first = self._plans[0]
        asked = as_strokes(first.strokes)
        if asked is not None and asked.ragged:
            raise FixRequest("strokes = Strokes(ragged=True): a mixture gives padded ones")
        self.batch_size, self.world = first.batch_size, first.world
        self._columns = first.columns
        self._ignored = -100 if first.ignore_index is None else first.ignore_index
        self._given = None if classes is None else classes_of(classes)
        self._curriculum = curriculum_of(curriculum, len(self.parts))
        for _, later in self._curriculum:
            rows_of_parts(later, self.batch_size)
        self._position = self._step = 0
        self._changes: Changes = ((0, self._in_force(weights, -1, 0)),)
        self._rows = rows_of_parts(self.weights, self.batch_size)
        self._cursors: list[State | None] = [None] * len(self.parts)
        self._streams: list[Stream | None] = [None] * len(self.parts)
        self._closed = False
        if start is not None:
            self.load_state_dict(start)

    @cached_property
    def classes(self) -> list[str]:
        """The words that `label` counts."""
        if self._given is not None:
            return list(self._given)
        return union_of(plan.view.classes or data.classes for data, plan in self._with_plans())

    @cached_property
    def vocabulary(self) -> dict[str, list[str]]:
        """What the numbers of other columns mean, by column."""
        named = [name for name in self._columns if numbered(name) and name != "label"]
        return {name: union_of(own.get(name, ()) for own in self._vocabularies) for name in named}

    @cached_property
    def drawings(self) -> int:
        """Those of all parts' views together."""
        return sum(self._sizes)

    @property
    def step(self) -> int:
        """Batches that came before, from the beginning."""
        return self._step

    @property
    def weights(self) -> Shares:
        """Those in force for the next batch, one a part."""
        return self._changes[-1][1]

    @property
    def changes(self) -> Changes:
        """(position, weights) each: those that were in force from 0 on, by plan or by hand."""
        return self._changes

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self._closed:
            raise Closed("this mixture was closed; make another one with inkstream.mix(...)")
        try:
            taken = [next(self._stream(i)) if rows else None for i, rows in enumerate(self._rows)]
        except BaseException:
            # Some parts may have moved and others not: all of them go back to the last batch.
            self._drop_streams(range(len(self.parts)))
            raise
        for i, batch in enumerate(taken):
            if batch is not None:
                self._cursors[i] = dict(batch.cursor)
        before = self._position
        self._position += self.batch_size * self.world
        self._step += 1
        rows = self._rows
        self._weigh(self._in_force(self.weights, before, self._position))
        return self._joined(taken, rows)

    def remix(self, weights: Sequence[float]) -> None:
        """Other weights from the next batch on, by the trainer's own judgement.

        They are part of the state from then on, so that a resumed run goes on with them and a
        replayed one changes at the same place. On several ranks all of them have to do so behind
        the same batch.
        """
        self._weigh(weights_of("weights", weights, len(self.parts)))

    def state_dict(self) -> dict[str, Any]:
        """The place behind the last batch handed out and the weights, a JSON-able dict."""
        for i, cursor in enumerate(self._cursors):
            if cursor is None:
                self._cursors[i] = dict(self._stream(i).state_dict())
                if not self._rows[i]:
                    self._drop_streams([i])
        return {
            "version": _VERSION,
            "position": self._position,
            "step": self._step,
            "changes": self._changes,
            "parts": [dict(cursor or {}) for cursor in self._cursors],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on at a state, of this mixture or of one with another world or batch size."""
        if not isinstance(state, Mapping) or "parts" not in state:
            raise FixRequest(f"state = {shown(state)}: give a mixture's state_dict() or cursor")
        if state.get("version") != _VERSION:
            raise FixRequest(
                f"state.version = {state.get('version')!r}: this package reads {_VERSION}"
            )
        count = len(self.parts)
        if len(state["parts"]) != count:
            raise FixRequest(f"state.parts has {len(state['parts'])} entries for {count} parts")
        cursors = [check_state(cursor) for cursor in state["parts"]]
        position = whole("state.position", state["position"], 0)
        step = whole("state.step", state["step"], 0)
        changes = tuple(curriculum_of(state["changes"], count, "state.changes"))
        if not changes or changes[0][0] != 0 or changes[-1][0] > position:
            raise FixRequest(
                f"state.changes = {shown(state['changes'])}: they are from position 0 to {position}"
            )
        rows = rows_of_parts(changes[-1][1], self.batch_size)
        self._drop_streams(range(count))
        self._cursors = [*cursors]
        self._position, self._step = position, step
        self._changes, self._rows = changes, rows

    @checked_keywords()
    def seek(self, step: int = 0) -> None:
        """Moves to a batch counted from the beginning, as if nobody had called `remix`."""
        step = whole("step", step, 0)
        step_size = self.batch_size * self.world
        changed: dict[int, Shares] = {0: self._first_weights}  # by step
        for position, later in self._curriculum:
            begin = -(-position // step_size)
            if begin <= step and later != list(changed.values())[-1]:
                changed[begin] = later
        ends = [*changed, step][1:]
        spans = [(end - begin, w) for end, (begin, w) in zip(ends, changed.items(), strict=True)]
        places = places_behind(spans, self._sizes, self.batch_size, self.plan.rank, self.world)
        self._drop_streams(range(len(self.parts)))
        self._cursors = [None] * len(self.parts)
        self._position, self._step = step * step_size, step
        self._changes = tuple((begin * step_size, w) for begin, w in changed.items())
        self._rows = rows_of_parts(self.weights, self.batch_size)
        for i, (epoch, position) in enumerate(places):
            stream = self._stream(i)
            stream.seek(epoch, position=position)
            self._cursors[i] = dict(stream.state_dict())
            if not self._rows[i]:
                self._drop_streams([i])

    def for_rank(self, rank: int, world: int) -> Mixture:
        """The same at the same place for another rank, which moves by itself."""
        parts, keywords, classes, curriculum = self._asked
        placed = {**keywords, "rank": rank, "world": world}
        other = Mixture(parts, placed, classes, curriculum, None)
        other._cursors = [*self._cursors]
        other._position, other._step = self._position, self._step
        other._changes, other._rows = self._changes, self._rows
        return other

    def stats(self) -> list[dict[str, Any]]:
        """Counts of each part's stream, see `Stream.stats`; empty for one that is not open."""
        return [{} if stream is None else stream.stats() for stream in self._streams]

    def close(self) -> None:
        """Ends the parts' streams. Idempotent."""
        self._closed = True
        self._drop_streams(range(len(self.parts)))

    def __enter__(self) -> Mixture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise cannot_be_pickled("a Mixture")

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{rows} of {data.name!r} {view}"
            for (data, view), rows in zip(self.parts, self._rows, strict=True)
        )
        return f"Mixture(a batch has {parts}; position {self._position})"

    def _with_plans(self) -> Iterator[tuple[Dataset, Plan]]:
        for (data, _), plan in zip(self.parts, self._plans, strict=True):
            yield data, plan

    def _in_force(self, weights: Shares, before: int, now: int) -> Shares:
        """`weights`, or those that the curriculum brought behind `before` and up to `now`."""
        for position, later in self._curriculum:
            if before < position <= now:
                weights = later
        return weights

    def _weigh(self, weights: Shares) -> None:
        if weights == self.weights:
            return
        rows = rows_of_parts(weights, self.batch_size)
        self._drop_streams(i for i, now in enumerate(self._rows) if now != rows[i])
        before = tuple(change for change in self._changes if change[0] < self._position)
        self._changes, self._rows = (*before, (self._position, weights)), rows

    def _stream(self, i: int) -> Stream:
        """That of part `i`, opened where the part stands."""
        stream = self._streams[i]
        if stream is None:
            plan = replace(self._plans[i], batch_size=max(1, self._rows[i]))
            stream = self._streams[i] = Stream(self.parts[i][0], plan, self._cursors[i])
        return stream

    def _drop_streams(self, which: Iterable[int]) -> None:
        for i in which:
            stream, self._streams[i] = self._streams[i], None
            if stream is not None:
                stream.close()

    def _joined(self, taken: Sequence[Batch | None], rows: Sequence[int]) -> Batch:
        present = [(i, batch) for i, batch in enumerate(taken) if batch is not None]
        first = present[0][1]
        places = places_of_parts(rows)
        arrays: dict[str, NDArray[Any]] = {"part": np.empty(self.batch_size, np.int64)}
        for name, array in first.items():
            arrays[name] = np.empty((self.batch_size, *array.shape[1:]), array.dtype)
        for i, batch in present:
            arrays["part"][places[i]] = i
            for name, array in batch.items():
                arrays[name][places[i]] = self._renumbered(i, name, array)
        return Batch(
            arrays,
            self.state_dict(),
            step=self._step - 1,
            bad=sum(batch.bad for _, batch in present),
            classes=self.classes,
            vocabulary=self.vocabulary,
            strokes_spec=first.strokes_spec,
        )

    def _renumbered(self, i: int, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """A column of words of part `i`, as the mixture numbers them."""
        if not numbered(name):
            return array
        table = self._tables[name][i]
        # What is no word is below 0, and stays what it is.
        return np.where(array < 0, array, table[np.maximum(array, 0)])

    @cached_property
    def _vocabularies(self) -> list[Mapping[str, Sequence[str]]]:
        """What the numbers of each part's columns mean, by column."""
        named = [name for name in self._columns if numbered(name) and name != "label"]
        found: list[Mapping[str, Sequence[str]]] = []
        for data, plan in self._with_plans():
            # Of the view: one that names classes counts its words in its own order.
            columns = Plan.of(plan.view, columns=named)
            others = Split(data, columns)[[0]].vocabulary if named else {}
            found.append({**others, "label": plan.view.classes or data.classes})
        return found

    @cached_property
    def _sizes(self) -> list[int]:
        """Drawings of each part's view."""
        return [data.count(plan.view) for data, plan in self._with_plans()]

    @cached_property
    def _tables(self) -> dict[str, list[NDArray[np.int64]]]:
        """Column → for each part, its number of a word → the mixture's."""
        tables: dict[str, list[NDArray[np.int64]]] = {}
        for name in filter(numbered, self._columns):
            words = self.classes if name == "label" else self.vocabulary[name]
            known = {word: number for number, word in enumerate(words)}
            tables[name] = [
                np.array([known.get(word, self._ignored) for word in own.get(name) or [""]])
                for own in self._vocabularies
            ]
        return tables


def _parts_of(given: Any) -> tuple[list[tuple[Dataset, View]], Shares]:
    parts = sequence("parts", given, "(dataset, view, weight)")
    if not parts:
        raise FixRequest("parts is empty: give at least one (dataset, view, weight)")
    found = []
    for i, part in enumerate(parts):
        if not isinstance(part, (tuple, list)) or len(part) != 3:
            raise FixRequest(f"parts[{i}] = {shown(part)}: give (dataset, view, weight)")
        if not isinstance(part[0], Dataset):
            raise FixRequest(
                f"parts[{i}][0] = {shown(part[0])}: give a dataset, such as client.dataset()"
            )
        found.append((part[0], as_view(part[1])))
    return found, weights_of("weights", [part[2] for part in parts], len(parts))
