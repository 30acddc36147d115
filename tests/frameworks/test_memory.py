"""Ten epochs through an adapter take no more memory than three."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import inkstream
import pytest
from support.leaks import descriptors
from support.processes import Server, run_python

PROGRAM = """
import json, sys
sys.path[:0] = json.loads(sys.argv[3])
import inkstream, test_memory
data = inkstream.connect(sys.argv[1]).dataset()
print(json.dumps(test_memory.grown(data, sys.argv[2])))
"""
# An epoch, 1,575 drawings of 128x128, is 25 MB: if they were kept, seven would be 175 MB.
MOST = 32 << 20


def epochs_of(data: inkstream.Dataset, adapter: str) -> Iterator[Any]:
    """Endless: a whole epoch, read, each."""
    asked: dict[str, Any] = {"batch_size": 64, "image": 128}
    if adapter == "fastai":
        made = inkstream.fastai.dataloaders(data, device="cpu", **asked).train
    elif adapter == "lightning":
        made = inkstream.lightning.InkstreamDataModule(data, **asked).train_dataloader()
    elif adapter == "tensorflow":
        made = inkstream.tf.dataset(data, "train", **asked)
    else:
        stream = data.stream("train", epochs="forever", **asked)
        if adapter == "jax":
            made = inkstream.jax.batches(stream)
        else:
            made = iter(inkstream.grain.IterDataset(data, "train", epochs="forever", **asked))
    steps = len(data["train"]) // 64
    while True:
        batches = iter(made)
        for _ in range(steps):
            next(batches)
        yield None


def resident() -> int:
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def grown(data: inkstream.Dataset, adapter: str) -> tuple[int, int]:
    """Bytes and descriptors that came between the third epoch and the tenth."""
    epochs = epochs_of(data, adapter)
    for _ in range(3):
        next(epochs)
    memory, opened = resident(), descriptors()
    for _ in range(7):
        next(epochs)
    return resident() - memory, descriptors() - opened


@pytest.mark.parametrize("adapter", ["fastai", "lightning", "jax", "grain", "tensorflow"])
def test_it_stays(server: Server, adapter: str) -> None:
    if find_spec(adapter) is None:
        pytest.skip(f"{adapter} is not installed")
    here = os.path.dirname(__file__)
    python = os.path.join(os.path.dirname(here), "python")
    system = os.path.join(os.path.dirname(here), "system")
    done = run_python(PROGRAM, server.unix, adapter, json.dumps([here, python, system]))
    assert done.returncode == 0, done.stderr
    memory, opened = json.loads(done.stdout.splitlines()[-1])
    assert memory < MOST
    assert opened <= 2
