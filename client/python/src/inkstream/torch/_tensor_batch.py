"""A batch of drawings as torch tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from inkstream._batch.batch import ASKED_BY, Batch, no_array, row_of
from inkstream._batch.words import words_of
from inkstream._request.cursor import State
from inkstream._request.strokes import Strokes
from inkstream._request.values import nearest
from inkstream.errors import FixRequest, NotFound

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


class TensorBatch(dict[str, torch.Tensor]):
    """A dict of tensors, which are attributes too, that knows its place and what numbers mean.

    `cursor`: the place after it, a JSON-able dict; empty where it is of no order.
    `epoch`, `step`: where it stands.
    `classes`: the words that `label` counts. `vocabulary`: the words that other string columns
    count, by column. `strokes_spec`: what was asked for as `strokes`, which says how to read them.
    The tensors are the holder's own and may be written to.
    """

    cursor: State
    epoch: int
    step: int
    classes: Sequence[str]
    vocabulary: Mapping[str, Sequence[str]]
    strokes_spec: Strokes | None

    def __init__(
        self,
        tensors: Any = (),
        cursor: State | None = None,
        epoch: int = 0,
        step: int = 0,
        classes: Sequence[str] = (),
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        strokes_spec: Strokes | None = None,
    ) -> None:
        super().__init__(tensors)
        self.cursor = {} if cursor is None else cursor
        self.epoch = epoch
        self.step = step
        self.classes = classes
        self.vocabulary = {} if vocabulary is None else vocabulary
        self.strokes_spec = strokes_spec

    def words(self) -> list[str]:
        """The word of each row, "" for a drawing without one, by `label` or else by `word`."""
        return self.strings("word" if "word" in self and "label" not in self else "label")

    def strings(self, name: str) -> list[str]:
        """The words that a column's numbers stand for, see `inkstream.Batch.strings`."""
        return words_of(self, name)

    def show(self, limit: int = 64, columns: int | None = None) -> PilImage:
        """A contact sheet as an image, see `inkstream.Batch.show` (needs Pillow)."""
        return self._on_host().show(limit, columns)

    def nested(self) -> torch.Tensor:
        """The strokes as a jagged nested tensor [drawings · views, any, columns], unpadded.

        With the start token, where there is one; of a drawing that was too long and dropped,
        nothing else. On the device of the strokes. FixRequest without strokes.
        """
        strokes, offsets = self._points()
        return torch.nested.nested_tensor_from_jagged(strokes, offsets)

    def packed(self) -> PackedSequence:
        """The strokes as torch's recurrent nets take them, drawings in this batch's order.

        FixRequest without strokes, and for a drawing without points, which torch does not pack.
        """
        strokes, offsets = self._points()
        sizes = offsets.diff().tolist()
        if 0 in sizes:
            raise FixRequest(
                f"{sizes.count(0)} of {len(sizes)} drawings have no points here, and torch packs "
                "none such: leave out those that are too long with "
                'View(where={"points": ("<=", 250)}), or ask for start_token=True'
            )
        return pack_sequence(list(torch.split(strokes, sizes)), enforce_sorted=False)

    def row(self, i: int) -> TensorBatch:
        """The i-th drawing alone, without the batch dimension: views of this batch's tensors.

        Ragged strokes keep their `offsets`, which then begin at 0. OutOfRange where there is none.
        """
        if self["index"].ndim == 0:
            raise FixRequest("this is one drawing, not a batch: it has no rows")
        return self._with(row_of(self, i))

    def to(self, device: torch.device | str | int, non_blocking: bool | None = None) -> TensorBatch:
        """The same on `device`; what Lightning and Accelerate move a batch with.

        `non_blocking`: without waiting for the copy; left out, where that is CUDA's.
        """
        if non_blocking is None:
            non_blocking = torch.device(device).type == "cuda"
        return self._with(
            {name: tensor.to(device, non_blocking=non_blocking) for name, tensor in self.items()}
        )

    def pin_memory(self) -> TensorBatch:
        """Page-locked copies; what a DataLoader calls with pin_memory=True."""
        return self._with({name: tensor.pin_memory() for name, tensor in self.items()})

    def __copy__(self) -> TensorBatch:
        # A DataLoader copies each batch; by way of pickle's protocol that takes ten times as long.
        return self._with(self)

    def __getitem__(self, name: str) -> torch.Tensor:
        try:
            return super().__getitem__(name)
        except TypeError:  # what cannot be a key: a slice
            return self.__missing__(name)

    def __getattr__(self, name: str) -> torch.Tensor:
        if not name.startswith("_") and name in self:
            return self[name]
        raise AttributeError(name if name.startswith("_") else self._missing(name))

    def __missing__(self, name: object) -> torch.Tensor:
        raise NotFound(self._missing(name))

    def _missing(self, name: object) -> str:
        said = f"no tensor {name!r} in this batch; there are {list(self)}"
        if isinstance(name, str):
            asked = ASKED_BY.get(name)
            return said + (nearest(name, self) if asked is None else f": give {asked}")
        return (
            f"{said}; batch.row(i) is one drawing. Where a DataLoader looks for one here, give it "
            "collate_fn=inkstream.torch.collate"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise no_array(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        shapes = ", ".join(
            f"{name} {str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
            + ("" if tensor.device.type == "cpu" else f" on {tensor.device}")
            for name, tensor in self.items()
        )
        return f"TensorBatch({shapes}; epoch {self.epoch}, step {self.step})"

    def _repr_png_(self) -> bytes | None:
        """A notebook's cell: the contact sheet."""
        return self._on_host()._repr_png_()

    def _on_host(self) -> Batch:
        arrays = {}
        for name, tensor in self.items():
            host = tensor.detach().cpu()
            # NumPy has no bfloat16: its bits are what Batch has.
            bits = host.view(torch.uint16) if host.dtype == torch.bfloat16 else host
            arrays[name] = bits.numpy()
        return Batch(
            arrays,
            None,
            classes=self.classes,
            vocabulary=self.vocabulary,
            strokes_spec=self.strokes_spec,
        )

    def _points(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Every row of strokes, padding left out, and where each drawing's begin and end."""
        spec = self.strokes_spec
        if spec is None or "strokes" not in self:
            raise FixRequest(f"this batch has no strokes; it has {list(self)}")
        strokes = self["strokes"]
        if "offsets" in self:
            return strokes, self["offsets"]
        rows = self["length"].reshape(-1) + int(spec.starts_with_token)
        padded = strokes.reshape(len(rows), *strokes.shape[-2:])
        kept = torch.arange(padded.shape[1], device=rows.device) < rows[:, None]
        return padded[kept], torch.nn.functional.pad(rows.cumsum(0), (1, 0))

    def _with(self, tensors: Mapping[str, torch.Tensor]) -> TensorBatch:
        return TensorBatch(
            tensors,
            self.cursor,
            self.epoch,
            self.step,
            self.classes,
            self.vocabulary,
            self.strokes_spec,
        )
