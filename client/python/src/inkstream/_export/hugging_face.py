"""A view as a dataset of Hugging Face's."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inkstream._batch.batch import Batch
from inkstream._batch.words import numbered, values_of
from inkstream._python.extras import require
from inkstream._request.image import Image
from inkstream.errors import FixRequest

if TYPE_CHECKING:
    import datasets

_MODES = {1: "L", 3: "RGB"}


def check_image(image: Image) -> None:
    """FixRequest for pixels that no PNG has."""
    channels = image.to_proto().channels
    if str(image.dtype) != "uint8" or len(channels) not in _MODES:
        raise FixRequest(
            f"image = {image!r}: Hugging Face's images are PNG files, of uint8 and 1 or 3 channels"
        )


def to_hugging_face(
    batches: Iterable[Batch], image: Image | None, classes: Sequence[str], columns: Sequence[str]
) -> datasets.Dataset:
    """See `Dataset.to_hf`."""
    require("to_hf()", "hf", ["datasets", "pyarrow"])
    import datasets as hf
    import pyarrow as pa

    features = {"image": hf.Image()} if image is not None else {}
    features["index"] = hf.Value("int64")
    for name in columns:
        features[name] = _feature(hf, name, classes)
    features = hf.Features(features)
    parts = [
        pa.Table.from_pydict(_columns(batch, image, columns), features.arrow_schema)
        for batch in batches
    ]
    table = pa.concat_tables(parts) if parts else features.arrow_schema.empty_table()
    return hf.Dataset(table, info=hf.DatasetInfo(features=features))


def _feature(hf: Any, name: str, classes: Sequence[str]) -> Any:
    if name == "label":
        return hf.ClassLabel(names=list(classes))
    if numbered(name):
        return hf.Value("string")
    if name == "recognized":
        return hf.Value("bool")
    return hf.Value("timestamp[us, tz=UTC]" if name == "timestamp" else "int64")


def _columns(batch: Batch, image: Image | None, columns: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if image is not None:
        planes = batch.image if image.layout == "NHWC" else np.moveaxis(batch.image, 1, -1)
        found["image"] = [{"bytes": _png(plane), "path": None} for plane in planes]
    found["index"] = batch.index
    for name in columns:
        found[name] = values_of(batch, name)
    return found


def _png(plane: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    from PIL import Image as Pil

    file = io.BytesIO()
    Pil.fromarray(plane[..., 0] if plane.shape[-1] == 1 else plane).save(file, "PNG")
    return file.getvalue()
