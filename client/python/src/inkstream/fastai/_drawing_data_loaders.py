"""fastai DataLoaders over views of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from fastai.data.core import DataLoaders
from fastai.torch_core import default_device

from inkstream._adapters.source import dataset_of
from inkstream._python.cached_property import cached_property
from inkstream._request.image import Image, as_image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import OrderOptions
from inkstream._request.strokes import Strokes, as_strokes
from inkstream._request.values import whole
from inkstream._request.view import View, as_view
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest
from inkstream.fastai._drawing_dl import DrawingDL
from inkstream.fastai._drawings import Drawings
from inkstream.fastai._sample import sample_of
from inkstream.fastai._stream_callback import use_stream_callback

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack


class DrawingDataLoaders(DataLoaders):  # type: ignore[misc]
    """DataLoaders whose `train`, `valid` and `test` are DrawingDLs.

    Whatever `train` or its Drawings know is known here too: `vocab`, `c`, `show_batch`,
    `get_index`, `state_dict`.
    """

    @property
    def test(self) -> DrawingDL | None:
        """The test drawings, with labels if they have any; None if none were named."""
        test: DrawingDL | None = self.loaders[2] if len(self.loaders) > 2 else None
        return test

    @cached_property
    def fix(self) -> DrawingDL:
        """The training drawings as validation sees them: all, in order, without augmentation."""
        fix: DrawingDL = self.valid.new(self.train_ds.seen_as(1))
        return fix

    @cached_property
    def aux(self) -> DrawingDL:
        """The validation drawings as training sees them: shuffled and augmented, with a
        position."""
        aux: DrawingDL = self.train.new(self.valid_ds.seen_as(0))
        return aux

    def test_dl(
        self,
        test_items: Any,
        rm_type_tfms: Any = None,
        with_labels: bool = False,
        **keywords: Any,
    ) -> DrawingDL:
        """Other drawings as validation sees them.

        `test_items`: a View or a split's name; a Split of any dataset (`data["test"]`); indices
        in the store, as `dl.items[...]` gives them; or arrays as the model takes them.
        """
        others = self.valid_ds.others(test_items, with_labels)
        made: DrawingDL = self.valid.new(others, **keywords)
        return made


@checked_keywords(OrderOptions)
def dataloaders(
    data: Dataset,
    train: View | str = "train",
    valid: View | str = "valid",
    test: View | str | None = None,
    *,
    image: Image | int | tuple[int, int] | None = None,
    strokes: Strokes | int | None = None,
    inputs: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = "label",
    batch_size: int = 256,
    eval_batch_size: int | None = None,
    batch_tfms: Any = None,
    path: str | Path = ".",
    device: torch.device | str | None = None,
    **stream: Unpack[OrderOptions],
) -> DrawingDataLoaders:
    """fastai DataLoaders over views of a dataset; a Learner trains on them.

    Batches are tuples of inputs and targets. An `image` is a TensorImage(BW) of 0..1, `strokes`
    are TensorStrokes. `inputs`: which tensors go to the model, in which order, "length" of the
    strokes among them if you like; left out: the image, then the strokes.
    `target`: a column, several, or None. "label", "word", "countrycode" and "recognized" are
    categories with a vocab, other columns numbers (float32).
    `train`, `valid`, `test`: where a split's name is given for `valid` or `test`, it is of the
    classes that `train` has. A test without labels has none in its batches.
    `batch_tfms`: fastai's own transforms of batches, run on the device.
    `eval_batch_size`: of `valid` and `test`; left out: `batch_size`.
    `stream`: every other keyword of `Dataset.stream`. `augment` is of what training sees; an
    evaluation is in the store's order, whatever `shuffle` and `sampling` say.
    """
    data = dataset_of(data)
    for name in ("views", "epochs", "step_offset", "step_stride"):
        if name in stream:
            raise FixRequest(f"{name} is not for fastai's DataLoaders, whose epochs are Learner's")
    augment, seed = stream.pop("augment", None), stream.pop("seed", 0)
    trained = as_view(train)
    classes = trained.classes or data.classes
    sample = sample_of(
        data, classes, as_image(image), as_strokes(strokes), inputs, target,
        stream.get("ignore_index", -100),
    )  # fmt: skip

    def drawings(view: View, split_idx: int, labelled: bool) -> Drawings:
        made = Drawings(
            sample, data, view, split_idx=split_idx, labelled=labelled, augment=augment,
            seed=seed, options=dict(stream),
        )  # fmt: skip
        return made._counting_alike("labels", made)

    sets = [drawings(trained, 0, True), drawings(_of_classes(valid, trained), 1, True)]
    if test is not None:
        known = _of_classes(test, trained)
        counted = replace(known, classes=tuple(known.classes or classes)) if classes else None
        labelled = counted is not None and data.count(counted) > 0
        sets.append(drawings(known if labelled else as_view(test), 1, labelled))
    for name, one in zip(("train", "valid", "test"), sets, strict=False):
        if not len(one):  # Learner would say so after an epoch of training
            raise FixRequest(f"{name} = {one.view!r} has no drawings: give another view")
    batch_size = whole("batch_size", batch_size, 1)
    evaluated = batch_size
    if eval_batch_size is not None:
        evaluated = whole("eval_batch_size", eval_batch_size, 1)
    on = torch.device(default_device() if device is None else device)
    made = [
        DrawingDL(
            one, evaluated if i else batch_size, training=i == 0, after_batch=batch_tfms, device=on
        )
        for i, one in enumerate(sets)
    ]
    use_stream_callback()
    return DrawingDataLoaders(*made, path=path, device=on)


def _of_classes(view: View | str, trained: View) -> View:
    if isinstance(view, str) and trained.classes is not None:
        return View(view, classes=trained.classes)
    return as_view(view)
