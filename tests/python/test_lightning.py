"""InkstreamDataModule under a real Trainer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import inkstream
import pytest
import torch
from inkstream import Augment, Image, View
from support.processes import Server
from torch import nn

lightning = pytest.importorskip("lightning")
from inkstream.lightning import InkstreamDataModule  # noqa: E402
from lightning.pytorch.callbacks import ModelCheckpoint  # noqa: E402

BATCH = 100
STEPS = 15  # an epoch's


@pytest.fixture(autouse=True)
def quiet() -> None:
    os.environ["WANDB_MODE"] = "disabled"


class Network(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8 * 8, 10)
        self.seen: list[list[int]] = []
        self.evaluated: dict[str, list[int]] = {"valid": [], "test": []}

    def forward(self, batch: Any) -> torch.Tensor:
        return self.layer(batch["image"].float().flatten(1) / 255)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        self.seen.append(batch["index"].tolist())
        return nn.functional.cross_entropy(self(batch), batch["label"])

    def validation_step(self, batch: Any, _: int) -> None:
        self.evaluated["valid"] += batch["index"].tolist()

    def test_step(self, batch: Any, _: int) -> None:
        self.evaluated["test"] += batch["index"].tolist()

    def predict_step(self, batch: Any, _: int) -> torch.Tensor:
        return batch["index"]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 1e-3)


def trainer(where: Path, *callbacks: Any, **keywords: Any) -> Any:
    return lightning.Trainer(
        accelerator="cpu",
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=bool(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=where,
        **keywords,
    )


def module(data: Any, **keywords: Any) -> InkstreamDataModule:
    return InkstreamDataModule(data, batch_size=BATCH, image=Image(8), **keywords)


def of_stream(data: inkstream.Dataset, epochs: int) -> list[list[int]]:
    stream = data.stream("train", batch_size=BATCH, epochs=epochs)
    return [batch.index.tolist() for batch in stream]


def test_it_fits_validates_tests_and_predicts(data: inkstream.Dataset, tmp_path: Path) -> None:
    network = Network()
    one = module(data, test=View("valid", classes=data.classes[:3]), eval_batch_size=64)
    made = trainer(tmp_path, max_epochs=2, num_sanity_val_steps=0)
    made.fit(network, one)
    assert network.seen == of_stream(data, 2)
    valid = data["valid"][:].index.tolist()
    assert network.evaluated["valid"] == valid * 2
    made.validate(network, one, verbose=False)
    assert network.evaluated["valid"] == valid * 3
    made.test(network, one, verbose=False)
    chosen = data[View("valid", classes=data.classes[:3])][:].index.tolist()
    assert network.evaluated["test"] == chosen
    assert torch.cat(made.predict(network, one)).tolist() == chosen
    with pytest.raises(inkstream.FixRequest, match="test="):
        made.test(network, module(data), verbose=False)


# What Trainer is told, how often it keeps, which checkpoint is gone on from, after how many steps.
PLACES = {
    "in mid-epoch": ({}, {"every_n_train_steps": 4}, 20),
    "at an epoch's end": ({}, {"every_n_epochs": 1, "save_on_train_epoch_end": True}, 15),
    "in a shortened epoch": ({"limit_train_batches": 10}, {"every_n_train_steps": 4}, 24),
    "at a shortened epoch's end": (
        {"limit_train_batches": 10},
        {"every_n_epochs": 1, "save_on_train_epoch_end": True},
        20,
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_checkpoint_is_where_training_stood(
    data: inkstream.Dataset, tmp_path: Path, place: str
) -> None:
    limits, every, at = PLACES[place]
    wanted = of_stream(data, 3)
    total = 30 if limits else 45

    def fit(where: Path, resume: Path | None) -> list[list[int]]:
        keep = ModelCheckpoint(where, filename="{step}", save_top_k=-1, **every)
        network = Network()
        made = trainer(where, keep, max_epochs=3, **limits)
        made.fit(network, module(data), ckpt_path=resume, weights_only=False)
        return network.seen

    assert fit(tmp_path / "first", None) == wanted[:total]
    again = fit(tmp_path / "second", tmp_path / "first" / f"step={at}.ckpt")
    assert again == wanted[at:total]


def test_another_batch_size_goes_on_there(data: inkstream.Dataset, tmp_path: Path) -> None:
    keep = ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1, every_n_train_steps=4)
    trainer(tmp_path, keep, max_epochs=1).fit(Network(), module(data))
    kept = torch.load(tmp_path / "step=8.ckpt", weights_only=True)
    one = InkstreamDataModule(data, batch_size=50, columns=())
    one.load_state_dict(kept["InkstreamDataModule"])
    place = dict(kept["InkstreamDataModule"])
    assert place["position"] == 8 * BATCH
    wanted = data.stream("train", batch_size=50, start=place, columns=())
    found = next(iter(one.train_dataloader()))
    assert found["index"].tolist() == next(wanted).index.tolist()


def test_overfitting_gives_the_same_batches(data: inkstream.Dataset, tmp_path: Path) -> None:
    network = Network()
    trainer(tmp_path, max_epochs=3, overfit_batches=2).fit(network, module(data))
    assert network.seen == network.seen[:2] * 3


def test_training_alone_is_augmented_and_shuffled(data: inkstream.Dataset, tmp_path: Path) -> None:
    one = module(data, augment=Augment(rotation=45), shuffle="window:64", seed=5)
    wanted = next(
        data.stream(
            "train", batch_size=BATCH, image=8, augment=Augment(rotation=45), seed=5,
            shuffle="window:64",
        )
    )  # fmt: skip
    assert next(iter(one.train_dataloader()))["image"].tolist() == wanted.image.tolist()
    plain = data.split("valid", image=8)[:BATCH].image
    assert next(iter(one.val_dataloader()))["image"].tolist() == plain.tolist()
    assert module(data, valid=None).val_dataloader() == []


def test_what_it_takes_as_data(server: Server, store: Path, data: inkstream.Dataset) -> None:
    for given in (data, data.client, server.tcp, server.unix, store, str(store)):
        assert module(given).data == data
    with pytest.raises(inkstream.FixRequest, match="address"):
        module(3)
    with pytest.raises(inkstream.NotFound, match="is not a store"):
        module("/no/such/store.ink")
    with pytest.raises(inkstream.FixRequest, match="eval_batch_size = 0"):
        module(data, eval_batch_size=0)
    with pytest.raises(inkstream.FixRequest, match="view = 3"):
        module(data, valid=3)
    with pytest.raises(inkstream.FixRequest, match="view = None"):
        module(data, train=None)
    every = module(data, train="").train_dataloader()
    assert len(every) == len(data) // BATCH
    with pytest.raises(inkstream.FixRequest, match="max_epochs"):
        module(data, epochs=3)
    with pytest.raises(inkstream.FixRequest, match="num_workers"):
        module(data, num_workers=4)
