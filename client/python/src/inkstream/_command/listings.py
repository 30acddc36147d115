"""`ls`, `describe` and `head`."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from inkstream._batch.words import stored, values_of
from inkstream._command.asking import (
    client_of,
    dataset_of,
    printable,
    say_fields,
    say_json,
    say_rows,
    view_of,
)
from inkstream._request.values import whole
from inkstream.errors import FixRequest

_CLASSES = 20  # that are listed to a person


def listing(flags: argparse.Namespace) -> int:
    """The datasets that there are."""
    if flags.dataset is not None:
        raise FixRequest("--dataset has no effect: ls lists all of them")
    client = client_of(flags)
    found = [client.dataset(name) for name in client.datasets()]
    if flags.json:
        say_json(
            [
                {
                    "dataset": data.name,
                    "drawings": data.drawings,
                    "classes": len(data.classes),
                    "splits": data.splits,
                    "fingerprint": data.fingerprint,
                }
                for data in found
            ]
        )
        return 0
    say_rows(
        ("dataset", "drawings", "classes", "splits", "fingerprint"),
        [
            (
                data.name,
                data.drawings,
                len(data.classes),
                ", ".join(f"{name} {count:,}" for name, count in data.splits.items()),
                # Its end is not a number, and it is no quantity.
                f"{data.fingerprint[:12]}…",
            )
            for data in found
        ],
    )
    return 0


def describe(flags: argparse.Namespace) -> int:
    """What a dataset has."""
    data = dataset_of(flags)
    if flags.json:
        about = {"dataset": data.name, "fingerprint": data.fingerprint, "splits": data.splits}
        say_json({**about, **data.stats})
        return 0
    stats = data.stats
    present = stats["columns"]
    say_fields(
        {
            "dataset": printable(data.name),
            "fingerprint": f"{data.fingerprint} (generation {stats['generation']})",
            "drawings": f"{data.drawings:,}",
            "splits": ", ".join(f"{printable(n)} {c:,}" for n, c in data.splits.items()),
            "columns": ", ".join(
                name if present[name] == data.drawings else f"{name} (of {present[name]:,})"
                for name in stored(data.columns)
            ),
            "channels": ", ".join(stats["channels"]),
            "shuffle": f"{stats['recommended_shuffle']} is recommended",
            "version": f"{stats['server_version']}, raster version {stats['raster_version']}",
            "classes": f"{len(data.classes):,}",
        }
    )
    counts = sorted(stats["classes"].items(), key=lambda entry: -entry[1])
    print()
    say_rows(("class", "drawings"), counts[:_CLASSES])
    if len(counts) > _CLASSES:
        print(f"and {len(counts) - _CLASSES:,} more; --json lists all, in label order")
    return 0


def head(flags: argparse.Namespace) -> int:
    """The columns of the first drawings of a view."""
    data = dataset_of(flags)
    split = data.split(view_of(flags), columns=stored(data.columns))
    rows = split[: whole("-n", flags.n, 1)]
    columns: dict[str, list[Any]] = {"index": rows.index.tolist()}
    for name in stored(data.columns):
        values = values_of(rows, name)
        if name == "timestamp":
            values = [None if time is None else _time(time) for time in values]
        columns[name] = values
    if flags.json:
        say_json(
            [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        )
        return 0
    # Keys and numbers of drawings name something: they are no quantities.
    shown = [
        map(str, column) if name in ("index", "key_id") else column
        for name, column in columns.items()
    ]
    say_rows(list(columns), zip(*shown, strict=True))
    return 0


def _time(microseconds: int) -> str:
    return f"{np.datetime_as_string(np.datetime64(microseconds, 'us'), unit='ms')}Z"
