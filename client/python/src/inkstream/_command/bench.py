"""`bench`: how fast batches arrive, in the process that would train."""

from __future__ import annotations

import argparse
import re
import time

from inkstream._command.asking import dataset_of, say_fields, say_json, view_of
from inkstream._request.image import Image
from inkstream._request.values import real, whole
from inkstream.errors import FixRequest


def bench(flags: argparse.Namespace) -> int:
    """Streams for a while, and says what came and who waited for whom."""
    size = re.fullmatch(r"(\d+)(?:x(\d+))?", flags.image)
    if size is None:
        raise FixRequest(f"--image {flags.image!r}: give HEIGHTxWIDTH in pixels, such as 28x28")
    image = Image(int(size[1]), None if size[2] is None else int(size[2]))
    seconds = real("--seconds", flags.seconds)
    data, view = dataset_of(flags), view_of(flags)
    batch_size = whole("--batch", flags.batch, 1)
    with data.stream(view, batch_size=batch_size, image=image, epochs="forever") as stream:
        next(stream)  # opening it is not what is measured
        began, cpu = time.monotonic(), time.process_time()
        batches = drawings = size_in_bytes = 0
        while (wall := time.monotonic() - began) < seconds:
            batch = next(stream)
            batches += 1
            drawings += batch.rows
            size_in_bytes += sum(array.nbytes for array in batch.values())
        cpu = time.process_time() - cpu
        stats = stream.stats()
    batches = max(batches, 1)
    if flags.json:
        figures = {
            "drawings_per_second": drawings / wall,
            "bytes_per_second": size_in_bytes / wall,
            "batches": batches,
            "seconds": wall,
            "cpu_seconds_per_batch": cpu / batches,
            "transport": stats["transport"],
            "bottleneck": stats["bottleneck"],
        }
        say_json(figures)
        return 0
    say_fields(
        {
            "drawings/s": f"{drawings / wall:,.0f}",
            "MB/s": f"{size_in_bytes / wall / 1e6:,.0f}",
            "CPU a batch": f"{cpu / batches * 1e6:,.0f} µs, all threads of this process",
            "transport": stats["transport"],
            "read by": data.client.transport,
            "bottleneck": stats["bottleneck"],
        }
    )
    return 0
