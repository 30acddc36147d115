"""Ready batches of 4 MiB: Inkstream beside Arrow Flight, in one run.

    python tests/bench/transport/ready.py [--seconds S] [--rounds N] [--json FILE]

"ready": one batch is sent again and again, by Flight's server and by ours (`ready_server`, the
real transport behind an engine that draws nothing). "made": a page is cleared for each batch, by
Flight's server with numpy, by ours with drawings of a single dot, whose cost is that of the page.
All are read by Python, which looks at one byte of each batch; ours also by C++ (`inkstream
bench`). Ways take turns; the table has medians. CPU is seconds a GB. Needs pyarrow.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from serving import Served, bench, cpu_of, ingest, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "client/python/src"))

BATCH = 256
SIDE = 128  # 4 MiB a batch
Figures = tuple[float, float, float]  # GB/s, CPU seconds a GB: client, server
Way = Callable[[float], Figures]


def own_cpu() -> float:
    """User and system seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def drain(batches: Iterator[Any], server: int, seconds: float) -> Figures:
    """Reads for so long."""
    for _ in range(8):
        next(batches)
    size, theirs, mine = 0, cpu_of(server), own_cpu()
    started = time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        batch = next(batches)
        size += batch.nbytes
        assert batch.reshape(-1)[-1] <= 255
    gigabytes = size / 1e9
    return (
        gigabytes / took,
        (own_cpu() - mine) / gigabytes,
        (cpu_of(server) - theirs) / gigabytes,
    )


@contextmanager
def flight_server(location: str, made: bool) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: its address and its number."""
    mine, theirs = mp.Pipe()
    process = mp.get_context("fork").Process(target=serve_flight, args=(location, made, theirs))
    process.start()
    try:
        yield mine.recv(), process.pid or 0
    finally:
        process.kill()
        process.join(10)


def serve_flight(location: str, made: bool, ready: Any) -> None:
    """For ever; `made`: each batch in pages cleared for it."""
    import pyarrow as pa
    from pyarrow import flight

    width = SIDE * SIDE
    schema = pa.schema([("image", pa.binary(width)), ("label", pa.int64())])
    labels = pa.array(np.zeros(BATCH, np.int64))

    def new_batch() -> Any:
        pixels = pa.py_buffer(np.full(BATCH * width, 0, np.uint8))
        images = pa.Array.from_buffers(pa.binary(width), BATCH, [None, pixels])
        return pa.record_batch([images, labels], schema)

    batch = new_batch()

    class Server(flight.FlightServerBase):  # type: ignore[misc]
        def do_get(self, context: Any, ticket: Any) -> Any:
            def again() -> Iterator[Any]:
                while True:
                    yield new_batch() if made else batch

            return flight.GeneratorStream(schema, again())

    server = Server(location)
    ready.send(location if "unix" in location else f"grpc://127.0.0.1:{server.port}")
    server.serve()


def by_flight(address: str, server: int) -> Way:
    """Python's client of Arrow Flight."""

    def run(seconds: float) -> Figures:
        from pyarrow import flight

        client = flight.connect(address)
        reader = client.do_get(flight.Ticket(b""))
        batches = (np.frombuffer(chunk.data.column(0).buffers()[1], np.uint8) for chunk in reader)
        figures = drain(batches, server, seconds)
        reader.cancel()
        client.close()
        return figures

    return run


def by_python(address: str, served: Served) -> Way:
    """Our Python client."""

    def run(seconds: float) -> Figures:
        import inkstream

        client = inkstream.connect(address)
        image = inkstream.Image(SIDE)
        with client.dataset().stream(
            "train", batch_size=BATCH, image=image, epochs="forever", codec="none"
        ) as stream:
            figures = drain((b.image for b in stream), served.process.pid, seconds)
        client.close()
        return figures

    return run


def by_cpp(address: str) -> Way:
    """Our C++ client."""

    def run(seconds: float) -> Figures:
        figures = bench(
            address,
            *("--image", f"{SIDE}x{SIDE}", "--codec", "none", "--seconds", str(seconds)),
        )
        thousands = figures["drawings"] / 1000
        per_gigabyte = thousands / 1000 / (figures["bytes"] / 1e9)  # ms to s
        return (
            figures["megabytes_per_second"] / 1000,
            figures["client_cpu_ms_per_1000_drawings"] * per_gigabyte,
            figures.get("server_cpu_ms_per_1000_drawings", float("nan")) * per_gigabyte,
        )

    return run


def dots(folder: Path) -> Path:
    """A store of drawings of one dot."""
    lines = folder / "dots.ndjson"
    drawing = {"word": "dot", "drawing": [[[0], [0]]], "recognized": True, "countrycode": "XX"}
    with lines.open("w") as file:
        for i in range(20_000):
            file.write(json.dumps({**drawing, "key_id": str(i + 1)}) + "\n")
    ingest(lines, folder / "dots.ink")
    return folder / "dots.ink"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    flags = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ink-bench-")))
        store = dots(folder)
        ways: dict[str, Way] = {}
        for kind in ("ready", "made"):
            made = kind == "made"
            tcp = stack.enter_context(flight_server("grpc://127.0.0.1:0", made))
            unix = stack.enter_context(flight_server(f"grpc+unix://{folder}/{kind}", made))
            served = stack.enter_context(Served(store, ready=not made))
            ways |= {
                f"{kind}: Arrow Flight, TCP": by_flight(*tcp),
                f"{kind}: inkstream to Python, TCP": by_python(served.tcp, served),
                f"{kind}: inkstream to C++, TCP": by_cpp(served.tcp),
                f"{kind}: Arrow Flight, Unix socket": by_flight(*unix),
                f"{kind}: inkstream to Python, Unix socket": by_python(served.unix, served),
                f"{kind}: inkstream to C++, Unix socket": by_cpp(served.unix),
            }
        found: dict[str, list[Figures]] = {name: [] for name in ways}
        for _ in range(flags.rounds):
            for name, way in ways.items():
                found[name].append(way(flags.seconds))
    print(f"{machine()}; ready batches of 4 MiB\n")
    print("| | GB/s | client CPU s/GB | server CPU s/GB |\n|---|---|---|---|")
    medians = {}
    for name, runs in found.items():
        speed, mine, theirs = (statistics.median(column) for column in zip(*runs, strict=True))
        medians[name] = {"gb_per_s": speed, "client_cpu_s": mine, "server_cpu_s": theirs}
        print(f"| {name} | {speed:.2f} | {mine:.2f} | {theirs:.2f} |")
    if flags.json:
        flags.json.write_text(json.dumps({"machine": machine(), "ways": medians}, indent=1) + "\n")


if __name__ == "__main__":
    main()
