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
    elif adapter == "torch":
        made = inkstream.torch.loader(data, "train", **asked)
    elif adapter == "torch, a DataLoader":
        from torch.utils.data import DataLoader

        dataset = inkstream.torch.IterableDataset(data, "train", **asked)
        made = DataLoader(dataset, batch_size=None)
    elif adapter == "torch, a mixture":
        made = inkstream.torch.loader(inkstream.mix([(data, "train", 1)], **asked))
    elif adapter == "ray":
        made = _RayEpochs(data, asked)
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


class _RayEpochs:
    """An epoch is a Dataset of its own, read in full."""

    def __init__(self, data: inkstream.Dataset, asked: dict[str, Any]) -> None:
        self._data, self._asked, self._epoch = data, asked, 0

    def __iter__(self) -> Iterator[Any]:
        epoch, self._epoch = self._epoch, self._epoch + 1
        made = inkstream.ray.dataset(
            self._data, "train", image=self._asked["image"], epoch=epoch, blocks=2
        )
        return iter(made.iter_batches(batch_size=self._asked["batch_size"]))


def resident() -> int:
    """Bytes of this process alone: the store of Ray's objects has a size of its own."""
    with open("/proc/self/statm") as told:
        _, every, shared, *_ = map(int, told.read().split())
    return (every - shared) * os.sysconf("SC_PAGESIZE")


def grown(data: inkstream.Dataset, adapter: str) -> tuple[int, int]:
    """Bytes and descriptors that came between the third epoch and the tenth."""
    epochs = epochs_of(data, adapter)
    for _ in range(3):
        next(epochs)
    memory, opened = resident(), descriptors()
    for _ in range(7):
        next(epochs)
    return resident() - memory, descriptors() - opened


ADAPTERS = [
    *("torch", "torch, a DataLoader", "torch, a mixture"),
    *("fastai", "lightning", "jax", "grain", "tensorflow", "ray"),
]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_stays(server: Server, adapter: str) -> None:
    framework = adapter.partition(",")[0]
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    here = os.path.dirname(__file__)
    python = os.path.join(os.path.dirname(here), "python")
    system = os.path.join(os.path.dirname(here), "system")
    folders = json.dumps([here, python, system])
    done = run_python(PROGRAM, server.unix, adapter, folders, timeout=900)
    assert done.returncode == 0, done.stderr
    memory, opened = json.loads(done.stdout.splitlines()[-1])
    print(f"{adapter}: {memory / 2**20:+.1f} MiB, {opened:+d} descriptors")  # shown by -rP
    assert memory < MOST
    assert opened <= 2
