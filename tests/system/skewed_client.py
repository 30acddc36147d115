"""What a client gives, as hashes: to be run with one version of the package or another.

`python skewed_client.py ADDRESS` prints one JSON object; whatever package Python finds is asked.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import inkstream
import numpy as np


def hash_of(batches: Any) -> str:
    found = hashlib.sha256()
    for batch in batches:
        for name in ("index", "label", "key_id", "image", "strokes"):
            tensor = getattr(batch, name, None)
            if tensor is not None:
                found.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
                found.update(np.ascontiguousarray(tensor).tobytes())
    return found.hexdigest()


def refusal(work: Any) -> str:
    try:
        work()
    except inkstream.InkstreamError as error:
        return type(error).__name__
    return "none"


def main() -> None:
    client = inkstream.connect(sys.argv[1])
    data = client.dataset()
    image = inkstream.Image(28)
    plain: dict[str, Any] = {"batch_size": 64, "columns": ["label", "key_id"], "seed": 3}

    def stream(**more: Any) -> Any:
        return data.stream("train", **{**plain, **more})

    answer: dict[str, Any] = {
        "splits": dict(data.splits),
        "fingerprint": data.fingerprint,
        "count": data.count("train"),
        "images": hash_of(stream(image=image)),
        "window": hash_of(stream(image=image, shuffle="window:100", epochs=2)),
        "rank": hash_of(stream(image=image, rank=1, world=3)),
        "augmented": hash_of(stream(image=image, augment=inkstream.Augment(rotation=20))),
        "strokes": hash_of(stream(strokes=inkstream.Strokes(max_len=50))),
        "fetch": hash_of([data.fetch(index=[5, 0, 5], image=image, columns=["label"])]),
        "not here": refusal(lambda: client.dataset("nowhere").splits),
        "too large": refusal(lambda: next(stream(image=inkstream.Image(100_000)))),
    }
    first = stream(image=image)
    for _ in range(3):
        next(first)
    state = first.state_dict()
    first.close()
    again = stream(image=image)
    again.load_state_dict(state)
    answer["resumed"] = hash_of(again)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
