"""Real training: a small network, and a Lightning Trainer that is stopped and goes on."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import inkstream
import inkstream.torch
import pytest
import torch
from inkstream import Image
from support.processes import Server
from support.ranks import run_ranks
from support.stores import make_store
from torch import nn

STEPS = 120
BATCH = 64


def small_network(classes: int, side: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (-(-side // 8)) ** 2, classes),
    )


def test_a_small_network_learns_ten_classes(
    binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Only if labels, pixels and shuffling belong together."""
    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("training")
    store = make_store(binary, home, 6000, seed=5, classes=10)
    with Server(binary, store, home) as server:
        data = inkstream.connect(server.tcp).dataset()
        keywords: dict[str, Any] = {"batch_size": BATCH, "image": Image(32)}
        train = inkstream.torch.loader(data, "train", **keywords)
        valid = inkstream.torch.loader(data, "valid", train=False, **keywords)
        network = small_network(len(data.classes), 32)
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        step = 0
        while step < STEPS:
            for batch in train:
                loss = nn.functional.cross_entropy(
                    network(batch["image"].float() / 255), batch["label"]
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                if step == STEPS:
                    break
        right = total = 0
        with torch.no_grad():
            for batch in valid:
                guess = network(batch["image"].float() / 255).argmax(1)
                right += int(((guess == batch["label"]) & batch["valid"]).sum())
                total += int(batch["valid"].sum())
        assert total == len(data["valid"])
        assert right / total >= 0.95, f"{right} of {total} after {STEPS} steps"


class TestLightning:
    """A Trainer that checkpoints and is stopped sees what an undisturbed one sees."""

    @pytest.fixture(autouse=True)
    def quiet(self) -> None:
        pytest.importorskip("lightning")
        os.environ["WANDB_MODE"] = "disabled"

    def fit(
        self,
        data: inkstream.Dataset,
        where: Path,
        *,
        epochs: int,
        stop_after: int | None = None,
        resume: Path | None = None,
        every: int | None = None,
    ) -> tuple[list[list[int]], Path]:
        """Returns the indices of every training batch, and where the last checkpoint is."""
        import lightning
        from lightning.pytorch.callbacks import ModelCheckpoint

        seen: list[list[int]] = []

        class Stop(lightning.Callback):
            def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
                if stop_after is not None and trainer.global_step == stop_after:
                    raise KeyboardInterrupt

        class Network(lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.network = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))

            def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
                seen.append(batch["index"].tolist())
                scores = self.network(batch["image"].float() / 255)
                return nn.functional.cross_entropy(scores, batch["label"])

            def validation_step(self, batch: dict[str, torch.Tensor], _: int) -> None:
                assert batch["valid"].all()

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.SGD(self.parameters(), 1e-3)

        keep = ModelCheckpoint(
            dirpath=where,
            filename="{step}",
            save_top_k=-1,
            every_n_train_steps=every,
            every_n_epochs=None if every else 1,
            save_on_train_epoch_end=None if every else True,
        )
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=[keep, Stop()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=where,
        )
        keywords: dict[str, Any] = {"batch_size": 100, "image": Image(28)}
        train = inkstream.torch.loader(data, "train", **keywords)
        valid = inkstream.torch.loader(data, "valid", train=False, **keywords)
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            trainer.fit(Network(), train, valid, ckpt_path=resume, weights_only=False)
        checkpoints = sorted(where.glob("*.ckpt"), key=lambda p: int(p.stem.split("=")[1]))
        return seen, checkpoints[-1]

    @pytest.mark.parametrize("when", ["in mid-epoch", "at the epoch's end"])
    def test_it_goes_on_without_losing_or_repeating_a_batch(
        self, data: inkstream.Dataset, tmp_path: Path, when: str
    ) -> None:
        wanted = [batch.index.tolist() for batch in data.stream("train", batch_size=100, epochs=3)]
        steps = len(wanted) // 3
        every = 5 if when == "in mid-epoch" else None
        # Stopped a few steps behind the checkpoint: those are trained again, once.
        stop = steps + 7 if every else steps + 2
        seen, checkpoint = self.fit(
            data, tmp_path / "first", epochs=3, stop_after=stop, every=every
        )
        assert seen == wanted[:stop]
        done = int(checkpoint.stem.split("=")[1])
        assert done == ((stop // 5) * 5 if every else steps)
        again, _ = self.fit(data, tmp_path / "second", epochs=3, resume=checkpoint, every=every)
        assert again == wanted[done:]

    def test_it_trains_undisturbed_over_epochs(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        seen, _ = self.fit(data, tmp_path, epochs=3)
        stream = data.stream("train", batch_size=100, epochs=3)
        assert seen == [batch.index.tolist() for batch in stream]

    @pytest.mark.parametrize("train", [True, False])
    def test_overfitting_takes_a_loader_that_starts_anew(
        self, data: inkstream.Dataset, train: bool
    ) -> None:
        import lightning

        seen: list[list[int]] = []

        class Network(lightning.LightningModule):
            def training_step(self, batch: Any, _: int) -> None:
                assert batch.cursor["position"] in (100, 200, 300, 400)
                seen.append(batch["index"].tolist())

            def configure_optimizers(self) -> None:
                return None

        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=2,
            overfit_batches=2,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Network(), inkstream.torch.loader(data, "train", batch_size=100, train=train))
        assert len(seen) == 4
        assert (seen[2:] == seen[:2]) is not train


FABRIC = """
import json, os, sys
os.environ["TORCHELASTIC_RUN_ID"] = "test"
os.environ["LOCAL_WORLD_SIZE"] = os.environ["WORLD_SIZE"]
import inkstream, inkstream.torch as T, lightning
from torch.utils.data import DataLoader
fabric = lightning.Fabric(accelerator="cpu", devices=2, strategy="ddp")
fabric.launch()
data = inkstream.connect(sys.argv[1]).dataset()
mapped = T.MapDataset(data, "train")
seen = {"Loader": [b["index"].tolist() for b in T.loader(data, "train", batch_size=50)]}
ways = {
    "IterableDataset": lambda: DataLoader(
        T.IterableDataset(data, "train", batch_size=50), batch_size=None
    ),
    "MapDataset": lambda: DataLoader(mapped, batch_size=50),
    "BatchSampler": lambda: DataLoader(mapped, batch_sampler=T.BatchSampler(mapped, batch_size=50)),
}
for name, make in ways.items():
    try:
        seen[name] = [b["index"].tolist() for b in fabric.setup_dataloaders(make())]
    except TypeError as error:
        seen[name] = str(error)
own = fabric.setup_dataloaders(ways["BatchSampler"](), use_distributed_sampler=False)
seen["BatchSampler, left alone"] = [b["index"].tolist() for b in own]
try:
    fabric.setup_dataloaders(T.loader(data, "train"))
except TypeError as error:
    seen["set up"] = str(error)
print(json.dumps(seen))
"""


def test_fabric_at_two_ranks(server: Server, data: inkstream.Dataset) -> None:
    pytest.importorskip("lightning")
    found = run_ranks(2, FABRIC, server.tcp)
    stream = data.stream("train", batch_size=100, columns=())
    wanted = [sorted(batch.index.tolist()) for batch in stream]
    for name in ("Loader", "IterableDataset", "BatchSampler, left alone"):
        steps = zip(found[0][name], found[1][name], strict=True)
        assert [sorted(a + b) for a, b in steps] == wanted, name
    mapped = {i for rank in found for batch in rank["MapDataset"] for i in batch}
    assert mapped == set(data["train"][:].index.tolist())
    for rank in found:
        assert "use_distributed_sampler=False" in rank["BatchSampler"]
        assert "DataLoader" in rank["set up"]
