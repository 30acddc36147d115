"""Codecs from server to client as a user starts them: fewer bytes, and the way `auto` takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from serving import RunningServer
from shaped_link import SERVER, ShapedLink, missing

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


def test_auto_packs_over_a_thin_link(binary: Path, store: Path, tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    with ShapedLink("100mbit") as link:
        command = [
            *(*link.on_server, str(binary), "serve", "--store", str(store)),
            *("--listen", f"{SERVER}:50051", "--insecure-network"),
        ]
        with (tmp_path / "log").open("w") as log:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("inkstream ready")
            figures = bench(binary, f"{SERVER}:50051", "auto", *link.on_client, seconds=8)
        finally:
            server.terminate()
            server.wait(30)
    assert figures["wire_bytes_per_drawing"] * 2 <= RAW_BYTES
