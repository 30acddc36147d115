"""What of a batch is a fastai model's input and what its target, in fastai's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from fastai.data.transforms import Category, CategoryMap
from fastai.losses import CrossEntropyLossFlat, MSELossFlat
from fastai.torch_core import TensorBase, TensorCategory, TensorImage, TensorImageBW, TitledFloat
from fastcore.foundation import L

from inkstream._library.memory import SparePieces
from inkstream._python.cached_property import cached_property
from inkstream._request.image import Image
from inkstream._request.strokes import Strokes
from inkstream._request.values import sequence
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest, NotFound
from inkstream.fastai._tensor_strokes import Sketch, TensorStrokes

_NO_CLASS = -100  # what fastai's losses leave out
_KEPT = 3  # batches of floats
_LARGE = 4 << 20  # bytes that malloc maps anew


@dataclass(frozen=True)
class Target:
    """A column as a target: a category where it has a `vocab`, else a number (float32)."""

    column: str
    vocab: Any = None  # CategoryMap

    def of(self, batch: Mapping[str, torch.Tensor]) -> Any:
        """The column of a batch, [B]."""
        numbers = batch[self.column]
        if self.vocab is None:
            return numbers.to(torch.float32).as_subclass(TensorBase)
        if self.column != "label":  # which has its own number for what has none
            numbers = torch.where(numbers < 0, _NO_CLASS, numbers)
        return numbers.as_subclass(TensorCategory)

    def decode(self, number: Any) -> Any:
        """One of them as what it means; "" for a drawing without one."""
        if self.vocab is None:
            return TitledFloat(number)
        i = int(number)
        return Category(self.vocab[i] if 0 <= i < len(self.vocab) else "")


@dataclass(frozen=True)
class Sample:
    """Tuples of inputs and targets. Picklable, and all that an exported Learner keeps of data."""

    image: Image | None
    strokes: Strokes | None
    inputs: tuple[str, ...]
    targets: tuple[Target, ...]
    ignore_index: int = _NO_CLASS
    floats: SparePieces = field(default_factory=lambda: SparePieces(_KEPT), compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """What a stream is asked for."""
        return tuple(target.column for target in self.targets)

    @property
    def vocab(self) -> Any:
        """The target's CategoryMap; of several targets, a list of them."""
        vocabs = [target.vocab for target in self.targets]
        return vocabs[0] if len(vocabs) == 1 else L(vocabs)

    @property
    def c(self) -> Any:
        """Outputs that the target wants of a model: classes, or 1; of several, a list."""
        counts = [1 if target.vocab is None else len(target.vocab) for target in self.targets]
        return counts[0] if len(counts) == 1 else counts

    @cached_property
    def loss_func(self) -> Any:
        """What fits one target; of none or several, what to do is for the user to say."""
        if len(self.targets) != 1:
            return None
        if self.targets[0].vocab is None:
            return MSELossFlat()
        return CrossEntropyLossFlat(ignore_index=self.ignore_index)

    def of(
        self, batch: Mapping[str, torch.Tensor], labelled: bool, device: torch.device | None = None
    ) -> tuple[Any, ...]:
        """A batch as a tuple: inputs, then targets if `labelled`; on `device`."""
        if device is not None and device.type != "cpu":
            wanted = (*self.inputs, *self.columns) if labelled else self.inputs
            batch = {name: batch[name].to(device, non_blocking=True) for name in wanted}
        ready = [self._input(name, batch[name]) for name in self.inputs]
        if labelled:
            ready += [target.of(batch) for target in self.targets]
        return tuple(ready)

    def types(self, labelled: bool) -> dict[Any, Any]:
        """As fastai's `explode_types` has them."""
        kinds = [self._kind(name) for name in self.inputs]
        for target in self.targets if labelled else ():
            kinds.append(TensorBase if target.vocab is None else TensorCategory)
        return {tuple: kinds}

    def decode(self, sample: Sequence[Any]) -> tuple[Any, ...]:
        """One drawing as what is shown."""
        count = len(self.inputs)
        shown = [self._shown(n, x) for n, x in zip(self.inputs, sample[:count], strict=True)]
        known = zip(self.targets, sample[count:], strict=False)
        return (*shown, *(target.decode(number) for target, number in known))

    def _input(self, name: str, tensor: torch.Tensor) -> Any:
        if name == "image" and tensor.dtype == torch.uint8:
            tensor = self._as_floats(tensor)
        return tensor.as_subclass(self._kind(name))

    def _as_floats(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 as float32 of 0..1, what fastai's own IntToFloatTensor makes."""
        size = 4 * pixels.numel()
        if pixels.device.type != "cpu" or size < _LARGE:
            return pixels.float().div_(255)
        # Fresh memory of this size costs as much again as the conversion.
        pieces = self.floats.of(size)
        memory = pieces.lent(pieces.take(), size, own=True).view(np.float32)
        return torch.from_numpy(memory).view(pixels.shape).copy_(pixels).div_(255)

    def _kind(self, name: str) -> Any:
        if name == "image" and self.image is not None:
            return TensorImageBW if _channels(self.image) == 1 else TensorImage
        return TensorStrokes if name == "strokes" else TensorBase

    def _shown(self, name: str, tensor: Any) -> Any:
        if name == "strokes" and self.strokes is not None:
            return Sketch(tensor, self.strokes)
        if name != "image" or self.image is None:
            return tensor
        for value, undo in ((self.image.std, torch.mul), (self.image.mean, torch.add)):
            if value is not None:
                tensor = undo(tensor, torch.tensor(value).reshape(-1, 1, 1))
        tensor = tensor.float().clamp(0, 1)
        if len(tensor) not in (1, 3):  # no picture has so many colours
            tensor = tensor.amax(0, keepdim=True).as_subclass(TensorImageBW)
        return tensor


def sample_of(
    data: Dataset,
    classes: Sequence[str],
    image: Image | None,
    strokes: Strokes | None,
    inputs: Sequence[str] | None,
    target: str | Sequence[str] | None,
    ignore_index: int,
) -> Sample:
    """What `dataloaders` was asked for. `classes`: the words that labels count."""
    if image is None and strokes is None:
        raise FixRequest("nothing is drawn: give image=Image(28), or strokes=Strokes(250)")
    if image is not None and image.layout != "NCHW":
        raise FixRequest(f'Image.layout = {image.layout!r}: fastai has images as "NCHW"')
    if strokes is not None and strokes.ragged:
        raise FixRequest("Strokes.ragged = True: fastai wants tensors with a row for each drawing")
    there = {"image": image, "strokes": strokes, "length": strokes}
    if inputs is None:
        names: tuple[str, ...] = tuple(n for n in ("image", "strokes") if there[n] is not None)
    else:
        names = _names("inputs", inputs, "leave it out")
        for name in names:
            if there.get(name) is None:
                known = [n for n, asked in there.items() if asked is not None]
                raise FixRequest(f"inputs = {names!r}: {name!r} is not drawn; there are {known}")
    columns = () if target is None else _names("target", target, "give None for no target")
    for column in columns:
        if column not in data.columns:
            raise NotFound(f"target = {column!r} is no column; there are {data.columns}")
    words = _vocabularies(data, columns)
    words.update(label=classes, recognized=[False, True])
    targets = tuple(
        Target(column, CategoryMap(list(words[column]), sort=False) if column in words else None)
        for column in columns
    )
    return Sample(image, strokes, names, targets, ignore_index)


def _names(field: str, given: Any, instead: str) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(sequence(field, given, "names"))
    if not names:
        raise FixRequest(f"{field} is empty: give a name, or several; {instead}")
    return names


def _vocabularies(data: Dataset, columns: Sequence[str]) -> dict[str, Sequence[Any]]:
    """The words that string columns count, which come with any drawing."""
    if not {"word", "countrycode"} & set(columns):
        return {}
    return dict(data.fetch(0, columns=list(columns)).vocabulary)


def _channels(image: Image) -> int:
    channels = image.channels
    return channels if isinstance(channels, int) else len(channels)
