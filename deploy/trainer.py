"""The smallest training job: a linear classifier in NumPy, fed by the stream.

Shows in a container, without a framework's gigabytes, that pixels, labels and
shuffling belong together: the error falls. Exits 1 if it does not. SIGTERM ends
it behind the step in hand.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

import inkstream
import numpy as np


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains a linear classifier from a stream.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="HOST:PORT of the server")
    parser.add_argument("--dataset", default="quickdraw")
    parser.add_argument("--epochs", type=int, default=3)
    flags = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    data = inkstream.connect(flags.target).dataset(flags.dataset)
    classes = len(data.classes)
    weights = np.zeros((28 * 28 + 1, classes), np.float32)
    stream = data.stream(
        "train",
        batch_size=128,
        image=inkstream.Image(28, 28),
        columns=["label"],
        epochs=flags.epochs,
    )
    steps = len(stream)
    hits = []
    for step, batch in enumerate(stream):
        pixels = batch.image.reshape(len(batch.image), -1).astype(np.float32) / 255
        pixels = np.hstack([pixels, np.ones((len(pixels), 1), np.float32)])
        scores = pixels @ weights
        hits.append(float(np.mean(scores.argmax(1) == batch.label)))
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        scores[np.arange(len(scores)), batch.label] -= 1
        weights -= 0.1 * pixels.T @ scores / len(scores)
        if step % 20 == 0:
            print(f"step {step}/{steps} correct {np.mean(hits[-20:]):.0%}", flush=True)
        if ended.is_set():
            break
    first, last = float(np.mean(hits[:5])), float(np.mean(hits[-20:]))
    print(f"trained: {len(hits)} steps, correct {first:.0%} -> {last:.0%} of {classes} classes")
    return 0 if ended.is_set() or last > max(2 * first, 3 / classes) else 1


if __name__ == "__main__":
    sys.exit(main())
