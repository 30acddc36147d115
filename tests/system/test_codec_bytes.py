"""Codecs from server to client as a user starts them: fewer bytes on the wire."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from serving import RunningServer

RAW_BYTES = 128 * 128


def bench(binary: Path, target: str, codec: str) -> dict[str, float]:
    done = subprocess.run(
        [
            *(str(binary), "bench", "--target", target, "--image", "128x128"),
            *("--codec", codec, "--seconds", "1", "--json"),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize(("codec", "times_fewer"), [("strokes", 100), ("auto", 100)])
def test_a_codec_sends_so_many_times_fewer_bytes(
    binary: Path, store: Path, tmp_path: Path, codec: str, times_fewer: int
) -> None:
    with RunningServer(binary, [str(store)], tmp_path / "log") as server:
        figures = bench(binary, server.address, codec)
    assert figures["wire_bytes_per_drawing"] * times_fewer <= RAW_BYTES
