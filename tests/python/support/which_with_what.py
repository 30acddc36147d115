"""One rank of a program as each row of the README's table has it.

Prints, for each way of its framework, the indices of an epoch's batches and those of one that
went on behind its third batch.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import inkstream
import torch
import torch.distributed as dist
from inkstream import torch as T
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, Subset

BATCH = 50
AT = 3
SHARED: dict[str, Any] = {"batch_size": BATCH, "image": 8}
WHOLE: dict[str, Any] = {"rank": 0, "world": 1}
Seen = dict[str, list[list[list[int]]]]


def indices(batches: Iterable[Any]) -> list[list[int]]:
    return [batch["index"].tolist() for batch in batches]


def by_state(make: Callable[[], Any]) -> list[list[list[int]]]:
    first, again = make(), make()
    list(islice(first, AT))
    again.load_state_dict(first.state_dict())
    return [indices(make()), indices(again)]


def by_cursor(make: Callable[[], tuple[Any, Any]]) -> list[list[list[int]]]:
    cursor = list(islice(make()[1], AT))[-1].cursor
    keeper, batches = make()
    keeper.load_state_dict(cursor)
    return [indices(make()[1]), indices(batches)]


def iterable(data: Any, **more: Any) -> tuple[Any, Any]:
    dataset = T.IterableDataset(data, "train", **SHARED, **more)
    return dataset, DataLoader(dataset, batch_size=None)


def sampled(data: Any, **more: Any) -> tuple[Any, Any]:
    mapped = T.MapDataset(data, "train", image=8)
    sampler = T.BatchSampler(mapped, batch_size=BATCH, **more)
    return sampler, DataLoader(mapped, batch_sampler=sampler)


def with_torch(data: Any, _: Path) -> Seen:
    from torchdata.stateful_dataloader import StatefulDataLoader

    dist.init_process_group("gloo")
    mapped = T.MapDataset(data, "train", image=8)
    distributed = DataLoader(
        mapped, batch_size=BATCH, sampler=DistributedSampler(mapped, shuffle=True)
    )
    halves = [(data, "train[:50%]", 1), (data, "train[50%:]", 1)]
    mine = Subset(mapped, range(dist.get_rank(), len(mapped), dist.get_world_size()))

    def stateful() -> Any:
        dataset = T.IterableDataset(data, "train", **SHARED)
        return StatefulDataLoader(dataset, batch_size=None, num_workers=1)

    def stateful_sampled() -> Any:
        sampler = T.BatchSampler(mapped, batch_size=BATCH)
        return StatefulDataLoader(mapped, batch_sampler=sampler, collate_fn=T.collate)

    return {
        "loader": by_state(lambda: T.loader(data, "train", **SHARED)),
        "mixed": by_state(lambda: T.loader(inkstream.mix(halves, **SHARED))),
        "batches": by_cursor(lambda: iterable(data)),
        "order": by_cursor(lambda: sampled(data)),
        "samplers": [indices(distributed)],
        "subset": [indices(DataLoader(mine, batch_size=BATCH, sampler=RandomSampler(mine)))],
        "stateful": by_state(stateful),
        "stateful, sampled": by_state(stateful_sampled),
    }


def with_accelerate(data: Any, _: Path) -> Seen:
    from accelerate import Accelerator, skip_first_batches

    accelerator = Accelerator(cpu=True)

    def skipped(make: Callable[[], Any]) -> list[list[list[int]]]:
        rest = skip_first_batches(accelerator.prepare(make()), AT)
        return [indices(accelerator.prepare(make())), indices(rest)]

    def made() -> Any:
        return T.loader(data, "train", **SHARED, device=accelerator.device)

    return {
        "loader": by_state(lambda: accelerator.prepare(made())),
        "loader, skipped": skipped(made),
        "iterable": skipped(lambda: iterable(data, **WHOLE)[1]),
        "sampled": skipped(lambda: sampled(data, **WHOLE)[1]),
    }


def with_fabric(data: Any, _: Path) -> Seen:
    import lightning

    fabric = lightning.Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()

    def set_up() -> tuple[Any, Any]:
        dataset, batches = iterable(data)
        return dataset, fabric.setup_dataloaders(batches)

    return {
        "loader": by_state(lambda: T.loader(data, "train", **SHARED, device=fabric.device)),
        "iterable": by_cursor(set_up),
    }


def with_lightning(data: Any, where: Path) -> Seen:
    import lightning
    from inkstream.lightning import InkstreamDataModule
    from lightning.pytorch.callbacks import ModelCheckpoint

    class Network(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(64, 1)
            self.seen: list[Any] = []

        def training_step(self, batch: Any, _: int) -> Any:
            self.seen.append(batch)
            return self.layer(batch["image"].float().flatten(1)).square().mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 1e-6)

    def fit(name: str, source: Any, resume: Path | None = None) -> list[list[int]]:
        keep = ModelCheckpoint(where / name, "{step}", save_top_k=-1, every_n_train_steps=AT)
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=2,
            strategy="ddp",
            max_epochs=1,
            callbacks=[keep],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        network = Network()
        given = {"datamodule" if name == "module" else "train_dataloaders": source()}
        trainer.fit(network, **given, ckpt_path=resume, weights_only=False)
        return indices(network.seen)

    seen: Seen = {}
    for name, source in {
        "module": lambda: InkstreamDataModule(data, valid=None, **SHARED),
        "loader": lambda: T.loader(data, "train", **SHARED),
    }.items():
        kept = where / name / f"step={AT}.ckpt"
        seen[name] = [fit(name, source), fit(name, source, kept)]
    return seen


def with_trainer(data: Any, where: Path) -> Seen:
    import transformers

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(64, 1)
            self.seen: list[list[int]] = []

        def forward(self, image: Any, index: Any, **_: Any) -> dict[str, Any]:
            self.seen.append(index.tolist())
            return {"loss": self.linear(image.float().flatten(1)).square().mean()}

    def train(name: str, made: Any, resume: str | None, *callbacks: Any) -> list[list[int]]:
        class Trainer(transformers.Trainer):
            def get_train_dataloader(self) -> Any:
                own = super().get_train_dataloader
                return made if isinstance(made, T.Loader) else own()

        network = Network()
        arguments = transformers.TrainingArguments(
            str(where / name),
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            num_train_epochs=1,
            save_steps=AT,
            per_device_train_batch_size=BATCH,
        )
        trainer = Trainer(network, arguments, train_dataset=made, callbacks=list(callbacks))
        trainer.train(resume_from_checkpoint=resume)
        return network.seen

    from inkstream.hf import StateCallback

    transformers.TrainingArguments(str(where), use_cpu=True).device  # noqa: B018 - starts ranks
    seen: Seen = {}
    for name, make in {
        "loader": lambda: T.loader(data, "train", **SHARED),
        "loader, state kept": lambda: T.loader(data, "train", **SHARED),
        "mapped": lambda: T.MapDataset(data, "train", image=8),
    }.items():
        kept = str(where / name / f"checkpoint-{AT}")
        runs = []
        for resume in (None, kept):
            made = make()
            callbacks = [StateCallback(made)] if "kept" in name else []
            runs.append(train(name, made, resume, *callbacks))
        seen[name] = runs
    return seen


if __name__ == "__main__":
    os.environ["TORCHELASTIC_RUN_ID"] = "test"  # what Lightning knows torchrun by
    os.environ["LOCAL_WORLD_SIZE"] = os.environ["WORLD_SIZE"]
    address, framework, where = sys.argv[1:]
    found = globals()[f"with_{framework}"](inkstream.connect(address).dataset(), Path(where))
    print(json.dumps(found))
    if dist.is_initialized():
        dist.destroy_process_group()
