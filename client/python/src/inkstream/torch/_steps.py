"""A Loader as frameworks see it that look at the parts of a DataLoader.

Accelerate's `skip_first_batches`, with which the Hugging Face Trainer resumes, makes a DataLoader
of a loader's `dataset` and the rest of its `batch_sampler`. So the sampler names the steps of an
epoch, and the dataset gives the batch of a step: what is skipped is never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from torch.utils.data import SequentialSampler

from inkstream.split import Split
from inkstream.torch._collate import Rows
from inkstream.torch._map_dataset import MapDataset
from inkstream.torch._tensor_batch import TensorBatch


class Step(NamedTuple):
    """One batch of a Loader."""

    epoch: int
    number: int


class Steps(Protocol):
    """A loader by its steps."""

    def __len__(self) -> int:
        """Steps of an epoch."""

    def framework_epoch(self) -> int:
        """The epoch that a framework named last to a training; else the loader's own."""

    def begin_at(self, epoch: int) -> None:
        """A framework names an epoch."""

    def batch_of(self, step: Step) -> Any:
        """The batch of a step, wherever the loader stands; it stands behind it then."""


class StepSampler(SequentialSampler):
    """All steps of an epoch. Lightning leaves a SequentialSampler as it is, Loader and all.

    Lightning ignores a loader's state in a checkpoint made at an epoch's end; on resuming it only
    calls `batch_sampler.sampler.set_epoch(n)`: that is where a loader that knows no place begins.
    In the midst of training the number means nothing there: with `limit_train_batches` a
    framework's epochs are shorter than the data's.
    """

    def __init__(self, loader: Steps) -> None:
        super().__init__(loader)
        self._loader = loader

    @property
    def sampler(self) -> StepSampler:
        """Where Lightning looks."""
        return self

    def __iter__(self) -> Iterator[Any]:
        epoch = self._loader.framework_epoch()
        return (Step(epoch, number) for number in range(len(self)))

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose steps it names; a loader that has not begun begins there."""
        self._loader.begin_at(epoch)


class Given(Rows):
    """A step's batch, in whatever form its loader gives them; `collate` takes it out.

    Torch's default collate only looks at the type of the first.
    """

    def __len__(self) -> int:
        return super().__len__() if isinstance(self.batch, TensorBatch) else 1

    def __getitem__(self, which: Any) -> Any:
        return super().__getitem__(which) if isinstance(self.batch, TensorBatch) else TensorBatch()


class LoaderDataset(MapDataset):
    """A loader's drawings by number, and its batches by step."""

    def __init__(self, loader: Steps, split: Split) -> None:
        self.split = split
        self._loader = loader

    def __getitems__(self, indices: Sequence[int] | Step) -> Rows:
        """As MapDataset's; for a Step, the loader's batch, which moves the loader behind it."""
        if isinstance(indices, Step):
            return Given(self._loader.batch_of(indices))
        return super().__getitems__(indices)
