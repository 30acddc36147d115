"""One client of the chaos test: reads its epochs again and again, and checks every batch.

Arguments: a JSON file {addresses, rank, world, epochs, wanted, seconds}. `wanted` lists the
hash of each batch of an undisturbed run; without it, one pass is read and the hashes printed.
Prints one line of JSON: {"passes", "reopened", "hashes" or "wrong"}.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import inkstream


def hash_of(batch: inkstream.Batch) -> str:
    every = hashlib.sha256(json.dumps(batch.cursor, sort_keys=True).encode())
    for name in sorted(batch):
        every.update(name.encode() + batch[name].tobytes())
    return every.hexdigest()


def main() -> None:
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    client = inkstream.connect(given["addresses"], stall=1.0, retry_for=120, timeout=60)
    keywords = {"image": inkstream.Image(48), "columns": ["label", "key_id"], "tail": "partial"}
    data = client.dataset()
    until = time.monotonic() + given.get("seconds", 0)
    passes = reopened = 0
    while True:
        stream = data.stream(
            "train",
            batch_size=16,
            rank=given["rank"],
            world=given["world"],
            epochs=given["epochs"],
            codec="none",  # as rows all of it would be ahead, and no server missed
            **keywords,
        )
        hashes = []
        for batch in stream:
            hashes.append(hash_of(batch))
            if given.get("seconds"):
                time.sleep(0.01)
        reopened += stream.stats()["reopened"]
        passes += 1
        if "wanted" not in given:
            print(json.dumps({"hashes": hashes}))
            return
        if hashes != given["wanted"]:
            differ = [a != b for a, b in zip(hashes, given["wanted"], strict=False)]
            first = differ.index(True) if True in differ else min(len(hashes), len(differ))
            print(json.dumps({"wrong": f"batch {first} of {len(hashes)}, pass {passes}"}))
            return
        if time.monotonic() >= until:
            print(json.dumps({"passes": passes, "reopened": reopened}))
            return


if __name__ == "__main__":
    main()
