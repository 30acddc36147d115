"""The Hugging Face Trainer with each of our sources; where transformers is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Image
from inkstream.torch import BatchSampler, IterableDataset, Loader, MapDataset, collate, loader
from support.processes import Server
from support.ranks import run_ranks
from torch import nn
from torch.utils.data import DataLoader

pytest.importorskip("accelerate")
transformers = pytest.importorskip("transformers")

BATCH = 100
IMAGE = Image(8)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 1)
        self.seen: list[list[int]] = []
        self.evaluated: list[int] = []

    def forward(self, image: Any, index: Any, labels: Any = None, **_: Any) -> dict[str, Any]:
        if self.training:
            self.seen.append(index.tolist())
        else:
            self.evaluated += index.tolist()
        scores = self.linear(image.float().flatten(1))
        return {"loss": scores.square().mean(), "logits": scores}


def from_loader(data: inkstream.Dataset) -> Loader:
    return loader(data, "train", batch_size=BATCH, image=IMAGE)


def from_iterable(data: inkstream.Dataset) -> DataLoader[Any]:
    return DataLoader(
        IterableDataset(data, "train", batch_size=BATCH, image=IMAGE), batch_size=None
    )


def from_sampler(data: inkstream.Dataset) -> DataLoader[Any]:
    dataset = MapDataset(data, "train", image=IMAGE)
    return DataLoader(dataset, batch_sampler=BatchSampler(dataset, batch_size=BATCH))


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    yield
    from accelerate.state import AcceleratorState, PartialState

    AcceleratorState._reset_state(True)
    PartialState._reset_state()


def trained(
    where: Path,
    train: Any,
    *,
    resume: Path | None = None,
    valid: Any = None,
    **arguments: Any,
) -> list[list[int]]:
    class Trainer(transformers.Trainer):
        def get_train_dataloader(self) -> Any:
            return self.accelerator.prepare(train)

    network = Network()
    trainer = Trainer(
        network,
        transformers.TrainingArguments(
            str(where), report_to=[], use_cpu=True, disable_tqdm=True, **arguments
        ),
        train_dataset=[],
        eval_dataset=valid,
    )
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    return network.seen


@pytest.mark.parametrize("make", [from_loader, from_iterable, from_sampler])
@pytest.mark.parametrize("at", [5, 15, 20], ids=["in epoch 0", "at its end", "in epoch 1"])
def test_it_resumes_where_its_checkpoint_was(
    data: inkstream.Dataset, tmp_path: Path, make: Callable[..., Any], at: int
) -> None:
    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH, epochs=3)]
    steps = len(wanted) // 3
    assert steps == 15
    shared = {"save_steps": at, "num_train_epochs": 3}
    assert trained(tmp_path, make(data), **shared) == wanted
    checkpoint = tmp_path / f"checkpoint-{at}"
    assert trained(tmp_path / "again", make(data), resume=checkpoint, **shared) == wanted[at:]


def test_a_loader_that_has_been_looked_at_resumes_in_the_checkpoints_epoch(
    data: inkstream.Dataset, tmp_path: Path
) -> None:
    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH, epochs=2)]
    shared = {"save_steps": 20, "num_train_epochs": 2}
    trained(tmp_path, from_loader(data), **shared)
    looked_at = from_loader(data)
    next(iter(looked_at))
    found = trained(tmp_path, looked_at, resume=tmp_path / "checkpoint-20", **shared)
    assert found == wanted[20:]
    assert looked_at.state_dict()["epoch"] == 2


def test_the_trainers_own_loader_of_a_map_dataset(data: inkstream.Dataset, tmp_path: Path) -> None:
    """Its collator, its columns, its sampler: ours is the dataset alone."""
    network = Network()
    trainer = transformers.Trainer(
        network,
        transformers.TrainingArguments(
            str(tmp_path),
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            max_steps=3,
            per_device_train_batch_size=20,
        ),
        train_dataset=MapDataset(data, "train", image=IMAGE),
        eval_dataset=MapDataset(data, "valid", image=IMAGE),
    )
    trainer.train()
    assert [len(batch) for batch in network.seen] == [20] * 3
    labels = trainer.predict(MapDataset(data, "valid", image=IMAGE)).label_ids
    assert labels.tolist() == data["valid"][:].label.tolist()
    trainer.data_collator = lambda rows: {"labels": collate(rows)["label"], **collate(rows)}
    trainer.train()
    assert len(network.seen) == 6


def test_an_iterable_dataset_as_its_train_dataset(data: inkstream.Dataset, tmp_path: Path) -> None:
    def train(per_device: int) -> list[list[int]]:
        network = Network()
        trainer = transformers.Trainer(
            network,
            transformers.TrainingArguments(
                str(tmp_path),
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
                max_steps=3,
                per_device_train_batch_size=per_device,
            ),
            data_collator=collate,
            train_dataset=IterableDataset(data, "train", batch_size=BATCH, image=IMAGE),
        )
        trainer.train()
        return network.seen

    wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=BATCH)]
    assert train(1) == wanted[:3]
    with pytest.raises(inkstream.FixRequest, match="per_device_train_batch_size=1"):
        train(8)


def test_evaluation_with_a_loader(data: inkstream.Dataset, tmp_path: Path) -> None:
    class Trainer(transformers.Trainer):
        def get_eval_dataloader(self, *_: Any) -> Any:
            return loader(data, "valid", batch_size=64, image=IMAGE, train=False)

    trainer = Trainer(
        Network(),
        transformers.TrainingArguments(
            str(tmp_path), report_to=[], use_cpu=True, label_names=["label"]
        ),
    )
    assert "eval_loss" in trainer.evaluate()
    assert sorted(trainer.model.evaluated) == sorted(data["valid"][:].index.tolist())


RANK = """
import json, sys, tempfile
import torch, transformers
import inkstream, inkstream.torch as T

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(64, 1)
        self.seen = []

    def forward(self, image, index, **_):
        self.seen += index.reshape(-1).tolist()
        scores = self.linear(image.reshape(-1, 64).float())
        return {"loss": scores.square().mean(), "logits": scores}

def arguments(**more):
    return transformers.TrainingArguments(
        tempfile.mkdtemp(), use_cpu=True, report_to=[], disable_tqdm=True, num_train_epochs=1,
        save_strategy="no", **more,
    )

def train(dataset, loader=None):
    class Trainer(transformers.Trainer):
        def get_train_dataloader(self):
            return super().get_train_dataloader() if loader is None else loader
    network = Network()
    ready = isinstance(dataset, T.IterableDataset)
    Trainer(
        network, arguments(per_device_train_batch_size=1 if ready else 50),
        train_dataset=dataset, data_collator=T.collate if ready else None,
    ).train()
    return network.seen

arguments().device  # what lets torch.distributed know of its ranks
data = inkstream.connect(sys.argv[1]).dataset()
shared = {"batch_size": 50, "image": 8}
seen = {
    "Loader": train([], T.loader(data, "train", **shared)),
    "IterableDataset": train(T.IterableDataset(data, "train", **shared, rank=0, world=1)),
    "MapDataset": train(T.MapDataset(data, "train", image=8)),
}
try:
    train(T.IterableDataset(data, "train", **shared))
except inkstream.FixRequest as error:
    seen["refused"] = str(error)
print(json.dumps(seen))
"""


def test_two_ranks_see_each_drawing_or_an_error(server: Server, data: inkstream.Dataset) -> None:
    one, two = run_ranks(2, RANK, server.tcp)
    size = len(data["train"])
    for name in ("Loader", "IterableDataset", "MapDataset"):
        # All whole steps of two ranks, whatever else the Trainer fills up with.
        assert len({*one[name], *two[name]}) >= size - size % 100, name
    assert "rank=0, world=1" in one["refused"]
    assert "rank=0, world=1" in two["refused"]
