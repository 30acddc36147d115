"""What a user of torch types, right and wrong, for a type checker: never run. See user.py."""

from __future__ import annotations

import inkstream
import inkstream.torch
import torch
from inkstream import Augment, Image, View
from inkstream.torch import BatchSampler, IterableDataset, MapDataset, TensorBatch

data = inkstream.open("drawings.ink").dataset()
train = inkstream.torch.loader(
    data, View("train"), image=Image(28), seed=3, tail="pad", device="cpu"
)
inkstream.torch.loader(data, "valid", train=False, image=28, augment=Augment(flip_x=0.5))
inkstream.torch.loader(data, "train", num_workers=4)  # type: ignore[call-overload]
inkstream.torch.loader(data, "train", tail="keep")  # type: ignore[call-overload]
inkstream.torch.loader(data, "train", epochs="often")  # type: ignore[call-overload]
for batch in train:
    kind: TensorBatch = batch
    image: torch.Tensor = batch["image"]
    words: list[str] = batch.words()
peeked: TensorBatch = train.peek().to("cpu")
pairs = inkstream.torch.loader(data, image=28, as_tuple=("image", "label"), rank=None, world=None)
for pair in pairs:
    first: torch.Tensor = pair[0]
means = inkstream.torch.loader(
    data, image=28, transform=lambda batch: batch["image"].float().mean()
)
mean: torch.Tensor = means.peek()
packed: torch.nn.utils.rnn.PackedSequence = train.peek().packed()
labels: dict[str, int] = train.class_to_idx
IterableDataset(data, "train", batch_size=3, rank=0, world=1, codec="auto", shuffle=True)
IterableDataset(data, "train", batchsize=3)  # type: ignore[call-arg]
mapped = MapDataset(data, "train", image=28, augment=Augment(flip_x=0.5), seed=3)
MapDataset(data, "train", batch_size=3)  # type: ignore[call-arg]
BatchSampler(mapped, batch_size=3, shuffle="window:100", tail="partial")
BatchSampler(mapped, drop_last=True)  # type: ignore[call-arg]
one: TensorBatch = mapped[5]
mixed = inkstream.mix([(data, "train", 3), (data, "valid", 1)], batch_size=64, image=28)
both: TensorBatch = inkstream.torch.loader(mixed, device="cpu", rank=0, world=2).peek()
pair_of_both: tuple[torch.Tensor, ...] = inkstream.torch.loader(
    mixed, as_tuple=("image", "part")
).peek()
inkstream.torch.loader(mixed, batch_size=3)  # type: ignore[call-overload]
