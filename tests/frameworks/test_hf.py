"""Hugging Face's Trainer with a loader's state in its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Image
from inkstream.torch import IterableDataset, Loader, MapDataset, loader
from torch import nn

transformers = pytest.importorskip("transformers")
from inkstream.hf import StateCallback, collate  # noqa: E402


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.seen: list[list[int]] = []

    def forward(self, image: Any, index: Any, **_: Any) -> dict[str, Any]:
        self.seen.append(index.tolist())
        return {"loss": self.linear(image.float().flatten(1)).square().mean()}


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    yield
    from accelerate.state import AcceleratorState, PartialState

    AcceleratorState._reset_state(True)
    PartialState._reset_state()


def arguments(where: Path, **more: Any) -> Any:
    return transformers.TrainingArguments(
        str(where), report_to=[], use_cpu=True, disable_tqdm=True, **more
    )


def train(made: Loader, where: Path, resume: Any = None, **more: Any) -> list[list[int]]:
    class OnAStream(transformers.Trainer):
        def get_train_dataloader(self) -> Any:
            return made

    network = Network()
    trainer = OnAStream(
        network, arguments(where, **more), train_dataset=[], callbacks=[StateCallback(made)]
    )
    trainer.train(resume_from_checkpoint=resume)
    return network.seen


def made(data: inkstream.Dataset, batch_size: int = 100) -> Loader:
    return loader(data, "train", batch_size=batch_size, image=Image(8))


def of_stream(data: inkstream.Dataset, epochs: int, batch_size: int = 100, **at: Any) -> Any:
    stream = data.stream("train", batch_size=batch_size, epochs=epochs, **at)
    return [batch.index.tolist() for batch in stream]


@pytest.mark.parametrize("at", [5, 15, 20], ids=["in epoch 0", "at its end", "in epoch 1"])
def test_it_goes_on_at_the_cursor(data: inkstream.Dataset, tmp_path: Path, at: int) -> None:
    more = {"save_steps": at, "num_train_epochs": 3, "gradient_accumulation_steps": 1}
    wanted = of_stream(data, 3)
    assert train(made(data), tmp_path, **more) == wanted
    kept = tmp_path / f"checkpoint-{at}"
    assert train(made(data), tmp_path / "again", str(kept), **more) == wanted[at:]


def test_another_batch_size_goes_on_there(data: inkstream.Dataset, tmp_path: Path) -> None:
    train(made(data), tmp_path, save_steps=5, max_steps=5)
    kept = tmp_path / "checkpoint-5"
    cursor = json.loads((kept / "trainer_state.json").read_text())["stateful_callbacks"]
    place = cursor["inkstream"]["cursor"]
    assert place["position"] == 500
    seen = train(made(data, 50), tmp_path / "again", str(kept), num_train_epochs=1)
    assert seen == of_stream(data, 1, 50, start=place)


def test_gradients_of_several_batches(data: inkstream.Dataset, tmp_path: Path) -> None:
    more = {"save_steps": 2, "num_train_epochs": 1, "gradient_accumulation_steps": 3}
    wanted = of_stream(data, 1)
    assert train(made(data), tmp_path, **more) == wanted
    again = train(made(data), tmp_path / "again", str(tmp_path / "checkpoint-2"), **more)
    assert again == wanted[6:]


def test_a_checkpoint_made_without_is_refused(data: inkstream.Dataset, tmp_path: Path) -> None:
    class OnAStream(transformers.Trainer):
        def get_train_dataloader(self) -> Any:
            return made(data)

    OnAStream(Network(), arguments(tmp_path, save_steps=5, max_steps=5), train_dataset=[]).train()
    with pytest.raises(inkstream.FixRequest, match="without StateCallback"):
        train(made(data), tmp_path / "again", str(tmp_path / "checkpoint-5"))
    with pytest.raises(inkstream.FixRequest, match="that trains"):
        StateCallback(loader(data, "valid", train=False))


@pytest.mark.parametrize("ready", [False, True], ids=["MapDataset", "IterableDataset"])
def test_batches_have_the_models_names(
    data: inkstream.Dataset, tmp_path: Path, ready: bool
) -> None:
    got: list[tuple[Any, Any]] = []

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, pixel_values: Any, labels: Any) -> dict[str, Any]:
            got.append((pixel_values, labels))
            scores = self.linear(pixel_values.flatten(1))
            return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}

    image = Image(8, dtype="float32")
    dataset: Any = MapDataset(data, "train", image=image)
    if ready:
        dataset = IterableDataset(data, "train", batch_size=20, image=image)
    size = 1 if ready else 20
    more = {"max_steps": 2, "per_device_train_batch_size": size, "remove_unused_columns": False}
    trainer = transformers.Trainer(
        Model(),
        arguments(tmp_path, **more),
        train_dataset=dataset,
        eval_dataset=MapDataset(data, "valid", image=image),
        data_collator=collate(pixel_values="image", labels="label"),
    )
    trainer.train()
    assert [len(labels) for _, labels in got] == [20, 20]
    assert trainer.predict(MapDataset(data, "valid", image=image)).label_ids.tolist() == (
        data["valid"][:].label.tolist()
    )
    batch = collate()([dataset[0]] if not ready else [next(iter(dataset))])
    assert "labels" in batch
    assert "label" not in batch
    with pytest.raises(inkstream.NotFound, match="remove_unused_columns"):
        collate(strokes="strokes")([MapDataset(data, "train")[0]])
