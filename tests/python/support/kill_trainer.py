"""A small training that is killed in the middle and started again.

Arguments: kind (ddp | accelerate | lightning), address, folder, step to be killed at (-1: not).
Each rank appends what it trained on to FOLDER/rankN.jsonl: {"step", "index"}; rank 0 keeps
checkpoints. What a killed run did behind its last checkpoint is done again by the next one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import inkstream
import inkstream.torch
import torch
import torch.distributed as dist
from torch import nn

STEPS, EVERY = 14, 4  # of training; between checkpoints
KIND, ADDRESS, FOLDER, KILL_AT = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
RANK = int(os.environ.get("RANK", "0"))
CHECKPOINT = FOLDER / "checkpoint.pt"


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def loss_of(model: nn.Module, batch: Any) -> torch.Tensor:
    pixels = batch["image"].float() / 255
    return nn.functional.cross_entropy(model(pixels), batch["label"])


def loader_of() -> inkstream.torch.Loader:
    data = inkstream.connect(ADDRESS).dataset()
    return inkstream.torch.loader(data, "train", batch_size=100, image=inkstream.Image(8))


def note(step: int, batch: Any) -> None:
    with (FOLDER / f"rank{RANK}.jsonl").open("a") as log:
        log.write(json.dumps({"step": step, "index": batch["index"].tolist()}) + "\n")
    if step == KILL_AT:
        log.close()
        os.kill(os.getpid(), signal.SIGKILL)


def save(state: dict[str, Any]) -> None:
    if RANK == 0:
        torch.save(state, CHECKPOINT.with_suffix(".new"))
        CHECKPOINT.with_suffix(".new").rename(CHECKPOINT)


def finish(model: nn.Module) -> None:
    if RANK == 0:
        weights = {name: value.tolist() for name, value in model.state_dict().items()}
        (FOLDER / "weights.json").write_text(json.dumps(weights))


def train_by_hand() -> None:
    """Plain DistributedDataParallel, or Accelerate around the same loop."""
    if KIND == "accelerate":
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=True)
    else:
        dist.init_process_group("gloo")
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    loader = loader_of()
    step = 0
    if CHECKPOINT.exists():
        state = torch.load(CHECKPOINT, weights_only=False)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        loader.load_state_dict(state["loader"])
        step = state["step"]
    if KIND == "accelerate":
        wrapped, optimizer = accelerator.prepare(model, optimizer)
    else:
        wrapped = nn.parallel.DistributedDataParallel(model)
    while step < STEPS:
        for batch in loader:
            optimizer.zero_grad()
            loss = loss_of(wrapped, batch)
            accelerator.backward(loss) if KIND == "accelerate" else loss.backward()
            optimizer.step()
            note(step, batch)
            step += 1
            if step % EVERY == 0:
                optimizer_state = optimizer.state_dict()
                save(
                    {
                        "model": model.state_dict(),
                        "optimizer": optimizer_state,
                        "loader": loader.state_dict(),
                        "step": step,
                    }
                )
            if step == STEPS:
                break
    finish(model)
    dist.destroy_process_group()


def train_with_lightning() -> None:
    import lightning
    from lightning.pytorch.callbacks import ModelCheckpoint

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return loss_of(self.model, batch)

        def on_train_batch_end(self, _: Any, batch: Any, __: int) -> None:
            note(self.global_step - 1, batch)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1, momentum=0.9)

        def train_dataloader(self) -> inkstream.torch.Loader:
            return loader_of()

    keep = ModelCheckpoint(FOLDER, every_n_train_steps=EVERY, save_last=True, save_top_k=0)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_steps=STEPS,
        max_epochs=-1,
        callbacks=[keep],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=FOLDER,
    )
    module = Module()
    last = FOLDER / "last.ckpt"
    trainer.fit(module, ckpt_path=last if last.exists() else None)
    finish(module.model)


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
train_with_lightning() if KIND == "lightning" else train_by_hand()
