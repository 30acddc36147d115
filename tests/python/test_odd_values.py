"""Every keyword with every odd value: taken, or refused in the package's own words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import inkstream
import numpy as np
import pytest
import torch
from inkstream import Augment, Image, InkstreamError, KeySet, Strokes, View
from inkstream._request.options import DrawOptions, StreamOptions

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**32, 2**63, 2**64, 2**200, -(2**63) - 1, 1.5, 1e300,
    float("nan"), float("inf"), -0.0, 1j, "", "x", "train", "128", "\0", "\ud800", b"x", [], [1],
    [0], [None], ["x"], [[1]], [True], (), (1, 2), (1, 2, 3), ("x", 1), (1, "x"), {}, {"x": 1},
    {1: 2}, {1: 2, "x": 3}, {"car"}, set(), frozenset([1]), range(3), iter([1]), object(),
    object, int, Image,
    Strokes, lambda: 1, np, np.int8(3), np.float32(0.5), np.bool_(True), np.array(3), np.array([]),
    np.array([1, 2]), np.array([[1, 2]]), np.array(["x"]), np.array([object()]), np.float32,
    np.dtype("int64"), np.datetime64("2017-03-01"), torch.tensor(3), torch.tensor(0.5),
    torch.tensor(True), torch.tensor([1, 2]), torch.tensor([]), torch.tensor([True]),
    torch.float32, torch.device("cpu"), Image(28), Strokes(9), Augment(), View("train"),
    KeySet([1]), inkstream,
]  # fmt: skip


def name_of(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:60]


def fields_of(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind in kinds and p.name != "self"]


def check(ask: Callable[[], object], field: str, value: Any) -> None:
    try:
        ask()
    except InkstreamError as error:
        assert len(str(error)) < 600, "an error that nobody reads"
    except Exception as error:
        raise AssertionError(f"{field} = {name_of(value)}: {error!r}") from error


@pytest.mark.parametrize("spec", [Image, Strokes, Augment, View])
def test_specs(spec: type, data: inkstream.Dataset) -> None:
    for field in fields_of(spec):
        for value in ODD:
            needed = {"height": 28} if spec is Image else {}
            check(lambda f=field, v=value, n=needed: spec(**{**n, f: v}), field, value)  # type: ignore[misc]


@pytest.mark.parametrize(
    "field", sorted({*StreamOptions.__annotations__, "view", "start"} - {"image", "strokes"})
)
def test_streams(data: inkstream.Dataset, field: str) -> None:
    for value in ODD:

        def ask(value: Any = value) -> None:
            keywords = {"image": 28, "columns": [], field: value}
            with data.stream(**keywords) as stream:
                if field not in ("view", "sampling") or not isinstance(value, str):
                    next(stream, None)

        check(ask, field, value)


@pytest.mark.parametrize("field", ["image", "strokes"])
def test_what_is_drawn(data: inkstream.Dataset, field: str) -> None:
    for value in ODD:
        check(lambda v=value: data.fetch([1], **{field: v}), field, value)  # type: ignore[misc]


@pytest.mark.parametrize("field", ["epoch", "step", "steps", "all_ranks", "start"])
def test_plans(data: inkstream.Dataset, field: str) -> None:
    for value in ODD:
        check(lambda v=value: data.plan("train", **{field: v}), field, value)  # type: ignore[misc]


@pytest.mark.parametrize(
    "field",
    [*DrawOptions.__annotations__, "key_id", "index", "view", "columns", "epoch", "first_view"],
)
def test_fetches(data: inkstream.Dataset, field: str) -> None:
    index = {} if field in ("key_id", "index") else {"index": [1]}
    for value in ODD:
        keywords = {"image": 28, **index, field: value}
        check(lambda k=keywords: data.fetch(**k), field, value)  # type: ignore[misc]


def test_rows(data: inkstream.Dataset) -> None:
    split = data.split("valid")
    for value in ODD:
        check(lambda v=value: split[v], "split[...]", value)  # type: ignore[misc]
        check(lambda v=value: split[v:], "split[...:]", value)  # type: ignore[misc]
        check(lambda v=value: data[v], "data[...]", value)  # type: ignore[misc]
        check(lambda v=value: data.inspect(v), "inspect", value)  # type: ignore[misc]
        check(lambda v=value: data.count(v), "count", value)  # type: ignore[misc]
        check(lambda v=value: KeySet(v), "KeySet", value)  # type: ignore[misc]
        check(lambda v=value: View(where={"label": v}), "where", value)  # type: ignore[misc]
        check(lambda v=value: View(where={"label": ("==", v)}), "where", value)  # type: ignore[misc]
        check(lambda v=value: View(where={"label": ("in", v)}), "where", value)  # type: ignore[misc]


@pytest.mark.parametrize("field", ["epoch", "step", "position"])
def test_places(data: inkstream.Dataset, field: str) -> None:
    stream = data.stream("train")
    for value in ODD:
        check(lambda v=value: stream.seek(**{field: v}), field, value)  # type: ignore[misc]
        check(lambda v=value: stream.load_state_dict(v), field, value)  # type: ignore[misc]
        check(lambda v=value: stream.load_state_dict({field: v}), field, value)  # type: ignore[misc]
    stream.close()


@pytest.mark.parametrize("field", ["image", "column", "path", "budget", "max_bad", "on_corrupt"])
def test_shares(data: inkstream.Dataset, field: str) -> None:
    needed: dict[str, Any] = {} if field in ("image", "column") else {"image": 8}
    for value in ODD:
        if isinstance(value, (str, bytes)) and field == "path":
            continue  # that is a file's name
        keywords = {**needed, field: value}
        check(lambda k=keywords: data.share("valid[:5%]", **k), field, value)  # type: ignore[misc]


def test_batches(data: inkstream.Dataset) -> None:
    batch = data.fetch(range(5), image=28, strokes=20)
    none, bare = data.fetch([], image=28), data.fetch(range(5))
    for value in ODD:
        for one in (batch, none, bare, batch.row(0)):
            check(lambda b=one, v=value: b[v], "batch[...]", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.row(v), "row", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.polylines(v), "polylines", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.polylines(0, v), "view", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.float32(v), "float32", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.show(v), "limit", value)  # type: ignore[misc]
            check(lambda b=one, v=value: b.show(4, v), "columns", value)  # type: ignore[misc]


def test_orders() -> None:
    for value in ODD:
        check(lambda v=value: inkstream.Permutation(v), "size", value)  # type: ignore[misc]
        check(lambda v=value: inkstream.Permutation(9, v), "seed", value)  # type: ignore[misc]
        check(lambda v=value: inkstream.Permutation(9, 0, v), "epoch", value)  # type: ignore[misc]
        check(lambda v=value: inkstream.Permutation(9)(v), "positions", value)  # type: ignore[misc]


@pytest.mark.parametrize("field", ["target", "tls", "token", "timeout", "retry_for", "stall"])
def test_connecting(field: str) -> None:
    for value in ODD:
        keywords = {"target": "127.0.0.1:1", field: value}
        check(lambda k=keywords: inkstream.connect(**k).close(), field, value)  # type: ignore[misc]


def test_clients(client: inkstream.Client) -> None:
    for value in ODD:
        check(lambda v=value: inkstream.open(v), "path", value)  # type: ignore[misc]
        check(lambda v=value: client.status(v), "status", value)  # type: ignore[misc]
        check(lambda v=value: client.dataset(v), "dataset", value)  # type: ignore[misc]
        check(
            lambda v=value: client.dataset(fingerprint=v),  # type: ignore[misc]
            "fingerprint",
            value,
        )
