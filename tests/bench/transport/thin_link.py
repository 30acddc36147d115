"""Codecs over a thin link: drawings a second, as ratios to raw pixels in the same run.

    tests/bench/transport/thin_link.py --store STORE [--rate 1gbit] [--link WAY]
                                       [--image 128x128] [--json]

Server and client each run in a network namespace of their own, and a token bucket shapes what
the server sends (root, iproute2). Where that cannot be had, or with --link proxy, a proxy in
this process does, whose CPU time is missing on both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from link_choice import WAYS, link_by  # noqa: E402
from serving import RunningServer  # noqa: E402
from shaped_link import ShapedLink  # noqa: E402
from shaping_proxy import ProxiedLink  # noqa: E402

CODECS = ("none", "strokes")


def measure(
    binary: Path,
    store: Path,
    over: ShapedLink | ProxiedLink,
    image: str,
    seconds: float,
    streams: int = 1,
) -> dict[str, dict[str, float]]:
    """What `inkstream bench --json` says of each codec, over one link to one server."""
    found: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        over as link,
        RunningServer(
            binary, [str(store)], Path(folder) / "log", *link.serve, before=link.on_server
        ) as server,
    ):
        target = link.target(server.address)
        for codec in CODECS:
            bench = [
                *(str(binary), "bench", "--target", target, "--image", image),
                *("--codec", codec, "--seconds", str(seconds), "--json"),
                *("--streams", str(streams)),
            ]
            done = subprocess.run(
                [*link.on_client, *bench],
                check=True,
                capture_output=True,
                text=True,
                timeout=seconds + 60,
            )
            found[codec] = json.loads(done.stdout)
    return found


def table(found: dict[str, dict[str, float]], title: str) -> str:
    raw = found["none"]["drawings_per_second"]
    lines = [
        title,
        "",
        "| codec | drawings/s | times raw | bytes a drawing on the wire | wire MB/s "
        "| client CPU ms per 1,000 |",
        "|---|---|---|---|---|---|",
    ]
    for codec, figures in found.items():
        rate = figures["drawings_per_second"]
        lines.append(
            f"| {codec} | {rate:,.0f} | {rate / raw:.1f} "
            f"| {figures['wire_bytes_per_drawing']:,.0f} "
            f"| {figures['wire_megabytes_per_second']:.0f} "
            f"| {figures['client_cpu_ms_per_1000_drawings']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rate", default="1gbit", help="in tc's words (default 1gbit)")
    parser.add_argument("--link", choices=WAYS, default="", help="default: what there is")
    parser.add_argument("--image", default="128x128")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        over = link_by(arguments.link, arguments.rate)
    except (RuntimeError, ValueError) as error:
        raise SystemExit(f"thin_link: {error}") from None
    binary = Path(os.environ.get("INKSTREAM_BINARY") or ROOT / "build" / "inkstream")
    found = measure(
        binary,
        arguments.store.resolve(),
        over,
        arguments.image,
        arguments.seconds,
        arguments.streams,
    )
    if arguments.json:
        print(json.dumps(found))
    else:
        print(table(found, f"{arguments.image} over a link of {arguments.rate}"))


if __name__ == "__main__":
    main()
