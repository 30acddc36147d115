"""Times of raw drawings in stroke tensors, to the bit on every way."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from client_under_test import CODED, ROADS, ClientUnderTest, Way
from expectation import sha256
from inkstream import Strokes
from support.processes import Server

Words = dict[str, Any]
DRAWINGS = 90
FORMS: dict[str, Words] = {
    "stroke3": {"max_len": 20},
    "stroke5": {"max_len": 14, "format": "stroke5"},
    "points, float16": {"max_len": 20, "format": "points", "dtype": "float16"},
    "ragged": {"max_len": 20, "ragged": True, "start_token": True},
}


def drawing(number: int) -> list[tuple[list[float], list[float], list[float]]]:
    """Strokes of pixels of a screen, at uneven times that do not begin at 0."""
    draw = random.Random(number)
    now, strokes = draw.uniform(0, 1e4), []
    for _ in range(draw.randint(1, 4)):
        points = [(draw.uniform(0, 900), draw.uniform(0, 500)) for _ in range(draw.randint(1, 5))]
        times = []
        for _ in points:
            times.append(now)
            now += draw.choice([7.25, 16.0, 333.0])
        strokes.append(([x for x, _ in points], [y for _, y in points], times))
    return strokes


@pytest.fixture(scope="module")
def raw(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    home = tmp_path_factory.mktemp("raw")
    lines = [json.dumps({"word": "cat", "drawing": drawing(i)}) for i in range(DRAWINGS)]
    (home / "raw.ndjson").write_text("\n".join(lines) + "\n")
    store = home / "raw.ink"
    ingest = [binary, "ingest", home / "raw.ndjson", "--keep", "raw", "--store", store]
    subprocess.run(ingest, check=True, capture_output=True, timeout=60)
    with Server(binary, store, home) as server:
        yield store, server


def expected(plain: inkstream.Batch, words: Words) -> np.ndarray[Any, Any]:
    """Rows without times, and the times that were written down."""
    ragged, start = "ragged" in words, int(plain.strokes_spec.starts_with_token)
    dtype = plain.strokes.dtype
    seconds = np.zeros(plain.strokes.shape[:-1], dtype)
    for row, index in enumerate(plain.index.tolist()):
        millis = np.concatenate([times for _, _, times in drawing(index)])
        of_drawing = (millis - millis[0]).astype(np.float32) / np.float32(1000)
        length = int(plain.length[row])
        if ragged:
            first = int(plain.offsets[row]) + start
            seconds[first : first + length] = of_drawing[:length]
        else:
            seconds[row, start : start + length] = of_drawing[:length]
    return np.concatenate([plain.strokes, seconds[..., None]], axis=-1)


@pytest.mark.parametrize("way", [*ROADS, *CODED], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_times_are_those_that_were_written_down(
    clients: Callable[[str], ClientUnderTest], raw: tuple[Path, Server], way: Way, form: str
) -> None:
    store, server = raw
    target = {"tcp": server.tcp, "here": str(store)}.get(way.road, server.unix)
    connection = clients(way.client).connect(target, **way.options())
    words = FORMS[form]
    with connection.stream(
        batch_size=30, columns=[], strokes={**words, "times": True}, codec=way.codec
    ) as stream:
        assert stream.info["codec"] == way.codec
        batches = stream.rest()
    connection.close()
    assert len(batches) == DRAWINGS // 30
    with inkstream.open(store) as client:
        for batch in batches:
            index = batch["tensors"]["index"]["values"]
            plain = client.dataset().fetch(index=index, columns=[], strokes=Strokes(**words))
            wanted = expected(plain, words)
            assert batch["tensors"]["strokes"]["shape"] == list(wanted.shape)
            assert batch["tensors"]["strokes"]["sha256"] == sha256(wanted)
