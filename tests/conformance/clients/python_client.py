"""The Python client under test: one command a line on standard input, one answer on output.

README.md has the words. INKSTREAM_LIBRARY=none in the environment makes it read by grpcio.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
from inkstream import Augment, Image, Strokes, View

Words = dict[str, Any]

# What an error without a server's code would have been called by one.
CODES: list[tuple[type[inkstream.InkstreamError], str]] = [
    (inkstream.NotFound, "NOT_FOUND"),
    (inkstream.OutOfRange, "OUT_OF_RANGE"),
    (inkstream.FixRequest, "INVALID_ARGUMENT"),
    (inkstream.PlanMismatch, "FAILED_PRECONDITION"),
    (inkstream.QuotaExceeded, "RESOURCE_EXHAUSTED"),
    (inkstream.Unavailable, "UNAVAILABLE"),
    (inkstream.DataLoss, "DATA_LOSS"),
    (inkstream.Closed, "CANCELLED"),
]
DELIVERY = (
    "batch_size",
    "rank",
    "world",
    "tail",
    "epochs",
    "views",
    "ignore_index",
    "codec",
    "on_corrupt",
    "max_bad",
    "step_offset",
    "step_stride",
)

held: dict[str, Any] = {}  # sets by hash, for as long as this process lives


def view_of(words: Words) -> View:
    given = dict(words)
    where: dict[str, list[tuple[str, Any]]] = {}
    for column, operator, values in given.pop("where", []):
        value = values if operator in ("in", "not in") else values[0]
        where.setdefault(column, []).append((operator, value))
    if fold := given.pop("fold", None):
        given["fold"] = (fold["index"], fold["count"], fold.get("held_out", False))
    return View(**given, where=where or None)


def order_of(words: Words) -> Words:
    order: Words = {"seed": words.get("seed", 0)}
    shuffle = words.get("shuffle", "full")
    order["shuffle"] = f"window:{words['window']}" if shuffle == "window" else shuffle
    sampling = words.get("sampling") or {}
    if "balanced" in sampling:
        order["sampling"] = f"balanced:{sampling['balanced']}"
    elif "mix" in sampling:
        views = [view_of(view) for view in sampling["mix"]]
        order["sampling"] = list(zip(views, sampling["weights"], strict=True))
    elif "weights" in sampling:
        order["sampling"] = sampling["weights"]
    elif "drawings" in sampling:
        order["sampling"] = held[sampling["drawings"]]
    return order


def tensors_of(words: Words) -> Words:
    tensors: Words = {"columns": words.get("columns", [])}
    if image := words.get("image"):
        tensors["image"] = Image(**image)
    if strokes := words.get("strokes"):
        given = dict(strokes)
        if value := given.pop("scale_value", None):
            given["scale"] = value
        tensors["strokes"] = Strokes(**given)
    if augment := words.get("augment"):
        ranges = {n: tuple(v) if isinstance(v, list) else v for n, v in augment.items()}
        tensors["augment"] = Augment(**ranges)
    return tensors


def keywords_of(words: Words) -> Words:
    delivery = {name: words[name] for name in DELIVERY if name in words}
    return {**order_of(words), **tensors_of(words), **delivery}


def answer_of(batch: inkstream.Batch, words: Words, cursor: Words | None = None) -> Words:
    tensors = {}
    for name in batch:
        array = batch[name]
        dtype = array.dtype.name
        # NumPy has no bfloat16; see the README's table.
        if name == "image" and words.get("image", {}).get("dtype") == "bfloat16":
            dtype = {"uint16": "bfloat16"}.get(dtype, dtype)
        shown: Words = {
            "dtype": dtype,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(np.ascontiguousarray(array)).hexdigest(),
        }
        if array.ndim == 1 and dtype in ("int64", "bool"):
            shown["values"] = array.astype(np.int64).tolist()
        if vocabulary := batch.vocabulary.get(name):
            shown["vocabulary"] = list(vocabulary)
        tensors[name] = shown
    return {
        "epoch": batch.epoch,
        "step": batch.step,
        "bad": batch.bad,
        **({} if cursor is None else {"cursor": cursor}),
        "tensors": tensors,
    }


@dataclass
class Connection:
    """A client, its dataset, and what it says of read-ahead."""

    client: inkstream.Client
    data: inkstream.Dataset
    ahead: int | None


@dataclass
class Opened:
    """A stream and the words it was opened by."""

    stream: inkstream.Stream
    words: Words


class PythonClient:
    """What the commands act on."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.streams: dict[str, Opened] = {}

    def connect(self, words: Words) -> Words:
        limits = {n: words[n] for n in ("timeout", "retry_for", "stall") if n in words}
        target = words["targets"][0]
        client = (
            inkstream.open(target)
            if Path(target).is_dir()
            else inkstream.connect(words["targets"], **limits)
        )
        pinned = words.get("fingerprint", "")
        data = client.dataset(words.get("dataset") or None, fingerprint=pinned)
        made = Connection(client, data, words.get("ahead"))
        self.connections[words["as"]] = made
        return self._described(data, data.drawings)

    def describe(self, words: Words) -> Words:
        connection = self.connections[words["on"]]
        data = connection.client.dataset(words.get("dataset") or None)
        count = data.count(view_of(words["view"])) if "view" in words else data.drawings
        return self._described(data, count)

    def open(self, words: Words) -> Words:
        connection = self.connections[words["on"]]
        stream = connection.data.stream(
            view_of(words.get("view", {})),
            start=words.get("start"),
            **keywords_of(words),
        )
        if connection.ahead is not None:
            stream._iterator._ahead = connection.ahead  # not for users to set
        try:
            info = stream._iterator.info()
        except inkstream.InkstreamError:
            stream.close()
            raise
        self.streams[words["as"]] = Opened(stream, words)
        return {
            "start": stream.state_dict(),
            "view_drawings": info.view_size,
            "steps_per_epoch": info.steps_per_epoch,
            "raster_version": info.raster_version,
            "classes": list(info.classes),
            "codec": info.codec,
            "codec_reason": info.codec_reason,
        }

    def next(self, words: Words) -> Words:
        opened = self.streams[words["stream"]]
        batches = []
        for _ in range(words["count"]):
            batch = next(opened.stream, None)
            if batch is None:
                return {"batches": batches, "end": True}
            batches.append(answer_of(batch, opened.words, batch.cursor))
        return {"batches": batches, "end": False}

    def state(self, words: Words) -> Words:
        return self.streams[words["stream"]].stream.state_dict()

    def seek(self, words: Words) -> Words:
        stream = self.streams[words["stream"]].stream
        stream.seek(words["epoch"], words.get("step", 0), words.get("position"))
        return stream.state_dict()

    def stats(self, words: Words) -> Words:
        stats = self.streams[words["stream"]].stream.stats()
        names = {"batches": "received", "target": "endpoint"}
        wanted = ("batches", "bytes", "wire_bytes", "reopened", "target", "waited", "bottleneck")
        return {name: stats[names.get(name, name)] for name in wanted}

    def close(self, words: Words) -> Words:
        if opened := self.streams.pop(words.get("stream", ""), None):
            opened.stream.close()
        if connection := self.connections.pop(words.get("on", ""), None):
            connection.client.close()
        return {}

    def fetch(self, words: Words) -> Words:
        data = self.connections[words["on"]].data
        keywords = {**tensors_of(words), "seed": words.get("seed", 0)}
        keywords |= {n: words[n] for n in ("views", "ignore_index", "epoch", "first_view", "codec")
                     if n in words}  # fmt: skip
        if "ranks" in words:
            split = data.split(view_of(words.get("view", {})), **keywords)
            return answer_of(split[words["ranks"]], words)
        given = {"index": words["indices"]} if "indices" in words else {"key_id": words["keys"]}
        return answer_of(data.fetch(**given, **keywords), words)

    def plan(self, words: Words) -> Words:
        data = self.connections[words["on"]].data
        report = data.plan(
            view_of(words.get("view", {})),
            epoch=words.get("epoch", 0),
            step=words.get("first", 0),
            steps=words.get("count", 0),
            all_ranks=words.get("all_ranks", False),
            start=words.get("start"),
            **keywords_of(words),
        )
        names = ("start", "view_drawings", "epoch_drawings", "steps_per_epoch", "steps_left")
        counts = {n: getattr(report, n) for n in (*names, "step_drawings", "batch_bytes")}
        steps = [
            {
                "epoch": step.epoch,
                "step": step.step,
                "position": step.position,
                "valid_rows": step.valid_rows,
                "bytes": step.bytes,
                "indices": step.index.tolist(),
                "occurrences": step.occurrence.tolist(),
                "cursor": step.cursor,
            }
            for step in report.steps
        ]
        components = {name: list(counts) for name, counts in report.components.items()}
        return {**counts, "components": components, "steps": steps}

    def keys(self, words: Words) -> Words:
        # Python sends a set when a server asks for it; the set lives with who holds it.
        keys = inkstream.KeySet(words["keys"])
        held[keys.hash] = keys
        return {"hash": keys.hash, "keys": len(keys)}

    def weights(self, words: Words) -> Words:
        weights = inkstream.Weights(words.get("keys"), words["weights"], index=words.get("indices"))
        held[weights.hash] = weights
        return {"hash": weights.hash, "keys": len(weights)}

    def _described(self, data: inkstream.Dataset, view_drawings: int) -> Words:
        stats = data.stats
        shuffle, _, window = stats["recommended_shuffle"].partition(":")
        return {
            "dataset": data.name,
            "fingerprint": data.fingerprint,
            "drawings": data.drawings,
            "view_drawings": view_drawings,
            "raster_version": stats["raster_version"],
            "recommended_window": int(window) if shuffle == "window" else 0,
            "splits": data.splits,
            "classes": stats["classes"],
            "columns": stats["columns"],
            "tensors": stats["tensors"],
            "channels": stats["channels"],
            "image_dtypes": stats["image_dtypes"],
            "limits": stats["limits"],
        }


def error_of(error: inkstream.InkstreamError) -> Words:
    code = error.code or next((c for kind, c in CODES if isinstance(error, kind)), "UNKNOWN")
    said: Words = {"code": code, "reason": error.reason, "message": error.message}
    if error.retry_delay is not None:
        said["retry_delay"] = error.retry_delay
    return said


def main() -> None:
    client = PythonClient()
    for line in sys.stdin:
        words = json.loads(line)
        command: Callable[[Words], Words] = getattr(client, words["do"])
        try:
            answer: Words = {"ok": command(words)}
        except inkstream.InkstreamError as error:
            answer = {"error": error_of(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
