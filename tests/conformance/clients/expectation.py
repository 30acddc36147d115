"""What a stream must give, worked out apart from whatever streams.

Columns and stroke tensors come from what `inkstream export` writes, orders from the published
functions, sampled orders from `inkstream plan`, pixels one drawing at a time from a private
server over another store of the same drawings.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
from inkstream._order.schedule import Schedule
from inkstream._order.window_shuffle import WindowShuffle
from python_client import tensors_of

Words = dict[str, Any]
IGNORED = -100


def sha256(array: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


class Expectation:
    """A store's drawings, and what plans make of them."""

    def __init__(self, binary: Path, store: Path, target: str) -> None:
        self.store, self._binary = store, binary
        lines = self._run("export", store, "-o", "-").splitlines()
        self.drawings: list[Words] = [json.loads(line) for line in lines]
        self.words = sorted({drawing["word"] for drawing in self.drawings})
        self._data = inkstream.connect(target).dataset()
        self.splits = {name: self._index_order(name) for name in ("train", "valid")}
        self._pixels: dict[tuple[str, int], dict[str, np.ndarray[Any, Any]]] = {}

    def close(self) -> None:
        self._data.client.close()

    def _run(self, *arguments: Any) -> str:
        command = [str(self._binary), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def _index_order(self, split: str) -> list[int]:
        plan = self._data.plan(split, batch_size=len(self.drawings), tail="partial",
                               shuffle="none", columns=[])  # fmt: skip
        return [int(i) for i in plan.steps[0].index]

    def members(self, split: str, keep: Callable[[Words], bool] = lambda _: True) -> list[int]:
        """Indices of a split's drawings that `keep` holds for, ascending."""
        every = self.splits.get(split) or range(len(self.drawings))
        return [index for index in every if keep(self.drawings[index])]

    def order(self, members: Sequence[int], plan: Words, epoch: int) -> list[int]:
        """The epoch's drawings, by position."""
        positions, seed = np.arange(len(members)), plan.get("seed", 0)
        shuffle = plan.get("shuffle", "full")
        if shuffle == "none":
            return list(members)
        if shuffle == "window":
            ranks = WindowShuffle(len(members), plan["window"], seed, epoch)(positions)
        else:
            ranks = inkstream.Permutation(len(members), seed, epoch)(positions)
        return [members[rank] for rank in ranks.tolist()]

    def steps(self, members: Sequence[int], plan: Words) -> list[Words]:
        """Every batch of a rank: epoch, rows, valid, place."""
        schedule = Schedule(
            len(members),
            plan.get("batch_size", 256),
            plan.get("rank", 0),
            plan.get("world", 1),
            plan.get("tail", "drop"),
        )
        start = plan.get("start", {})
        first, position = start.get("epoch", 0), start.get("position", 0)
        steps = []
        for epoch in range(first, plan.get("epochs", 1)):
            order = self.order(members, plan, epoch)
            for number in range(schedule.steps_from(position)):
                step = schedule.step_at(epoch, position, number)
                rows = [order[(step.first + i) % len(order)] for i in range(step.rows)]
                valid = [i < step.valid_rows for i in range(step.rows)]
                steps.append({"epoch": epoch, "rows": rows, "valid": valid, "after": step.after})
            position = 0
        return steps

    def check(self, batches: Sequence[Words], members: Sequence[int], plan: Words) -> None:
        """Every batch of a stream of `plan` is what it must be, to the byte."""
        wanted = self.steps(members, plan)
        assert len(batches) == len(wanted)
        for batch, step in zip(batches, wanted, strict=True):
            tensors = batch["tensors"]
            place = (batch["cursor"]["epoch"], batch["cursor"]["position"])
            assert (batch["epoch"], place) == (step["epoch"], step["after"])
            assert tensors["index"]["values"] == step["rows"]
            assert tensors["valid"]["values"] == step["valid"]
            assert set(tensors) == self._names(plan)
            for column in plan.get("columns", []):
                self._check_column(column, tensors[column], step["rows"], plan)
            for name, array in self._drawn(plan, step).items():
                assert tensors[name]["shape"] == list(array.shape), name
                assert tensors[name]["sha256"] == sha256(array), f"{name} of {step}"

    def _names(self, plan: Words) -> set[str]:
        names = {"index", "valid", *plan.get("columns", [])}
        if "image" in plan:
            names.add("image")
        if "strokes" in plan:
            names |= {"strokes", "length"}
            if plan["strokes"].get("ragged"):
                names.add("offsets")
        return names

    def _check_column(self, name: str, got: Words, rows: list[int], plan: Words) -> None:
        drawings = [self.drawings[row] for row in rows]
        if name in ("word", "countrycode"):
            said = [got["vocabulary"][i] for i in got["values"]]
            assert said == [drawing[name] for drawing in drawings]
            return
        classes = plan.get("view", {}).get("classes") or self.words
        ignored = plan.get("ignore_index", IGNORED)
        value: Callable[[Words], int] = {
            "label": lambda d: classes.index(d["word"]) if d["word"] in classes else ignored,
            "recognized": lambda d: int(d["recognized"]),
            "key_id": lambda d: int(d["key_id"]),
            "timestamp": lambda d: microseconds(d["timestamp"]),
        }[name]
        assert got["values"] == [value(drawing) for drawing in drawings], name

    def _drawn(self, plan: Words, step: Words) -> dict[str, np.ndarray[Any, Any]]:
        """The tensors that are drawn, put together drawing by drawing."""
        rows = [self._row(plan, row, step["epoch"]) for row in step["rows"]]
        joined = {}
        for name in self._names(plan) & {"image", "length", "strokes"}:
            joined[name] = np.concatenate([row[name] for row in rows])
        if "strokes" in plan and plan["strokes"].get("ragged"):
            lengths = [np.diff(row["offsets"]) for row in rows]
            joined["offsets"] = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        return joined

    def _row(self, plan: Words, index: int, epoch: int) -> dict[str, np.ndarray[Any, Any]]:
        words = {n: plan[n] for n in ("image", "strokes", "augment", "views", "seed") if n in plan}
        if "augment" not in words:
            epoch = 0
        key = (json.dumps([words, epoch], sort_keys=True), index)
        if key not in self._pixels:
            keywords = tensors_of(words) | {n: words[n] for n in ("views", "seed") if n in words}
            drawn = self._data.fetch(index=[index], epoch=epoch, codec="none", **keywords)
            self._pixels[key] = dict(drawn)
        return self._pixels[key]

    def strokes(self, index: int, form: str, max_len: int) -> np.ndarray[Any, Any]:
        """A padded stroke tensor's row, straight from the exported drawing."""
        points = [
            (x, y, i + 1 == len(xs))
            for xs, ys, *_ in self.drawings[index]["drawing"]
            for i, (x, y) in enumerate(zip(xs, ys, strict=True))
        ][:max_len]
        width = 5 if form == "stroke5" else 3
        rows = np.zeros((max_len + (form == "stroke5"), width), np.float32)
        if form == "stroke5":
            rows[:, 4] = 1
            rows[0] = 0, 0, 1, 0, 0
        at = (0.0, 0.0)
        for i, (x, y, lifted) in enumerate(points):
            if form == "points":
                rows[i] = x, y, lifted
            elif form == "stroke3":
                rows[i] = x - at[0], y - at[1], lifted
            else:
                rows[i + 1] = x - at[0], y - at[1], not lifted, lifted, 0
            at = (x, y)
        return rows

    @lru_cache(maxsize=64)  # noqa: B019  (one for the whole session)
    def planned(self, *flags: str) -> Words:
        """What `inkstream plan` says."""
        said: Words = json.loads(self._run("plan", self.store, *flags, "--json"))
        return said


def microseconds(text: str) -> int:
    """A Quick, Draw! timestamp, "2017-02-26 12:55:51.81725 UTC"."""
    whole, _, part = text.removesuffix(" UTC").partition(".")
    second = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(second.timestamp()) * 1_000_000 + int(part.ljust(6, "0")[:6])
