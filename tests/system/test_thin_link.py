"""Codecs from server to client as a user starts them: fewer bytes, and the way `auto` takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from link_choice import WAYS, link_by
from serving import RunningServer

RAW_BYTES = 128 * 128


def bench(
    binary: Path, target: str, codec: str, *before: str, seconds: float = 1
) -> dict[str, float]:
    done = subprocess.run(
        [
            *before,
            *(str(binary), "bench", "--target", target, "--image", "128x128"),
            *("--codec", codec, "--seconds", str(seconds), "--json"),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize(("codec", "times_fewer"), [("zstd", 8), ("strokes", 100)])
def test_a_codec_sends_so_many_times_fewer_bytes(
    binary: Path, store: Path, tmp_path: Path, codec: str, times_fewer: int
) -> None:
    with RunningServer(binary, [str(store)], tmp_path / "log") as server:
        figures = bench(binary, server.address, codec)
    assert figures["wire_bytes_per_drawing"] * times_fewer <= RAW_BYTES


@pytest.mark.parametrize("way", WAYS)
def test_auto_packs_over_a_thin_link(binary: Path, store: Path, tmp_path: Path, way: str) -> None:
    try:
        chosen = link_by(way, "100mbit")
    except RuntimeError as reason:
        pytest.skip(str(reason))
    with (
        chosen as link,
        RunningServer(
            binary, [str(store)], tmp_path / "log", *link.serve, before=link.on_server
        ) as server,
    ):
        target = link.target(server.address)
        figures = bench(binary, target, "auto", *link.on_client, seconds=8)
    assert figures["wire_bytes_per_drawing"] * 2 <= RAW_BYTES
    # That the link was thin: it carries 12.5, and bench begins with some batches in hand.
    assert figures["wire_megabytes_per_second"] <= 20
