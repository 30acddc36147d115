"""Types of keywords, for whoever reads, completes or checks a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from numpy.typing import NDArray

from inkstream._request.augment import Augment
from inkstream._request.image import Image
from inkstream._request.strokes import Strokes
from inkstream._request.uploaded_set import Weights
from inkstream._request.view import View

# "window:N" is a str that no Literal can list.
Shuffle = Literal["full", "none"] | bool | str
Epochs = int | Literal["forever"] | None
Tail = Literal["drop", "partial", "pad"]
OnCorrupt = Literal["fail", "skip"]
Codec = Literal["none", "auto", "strokes"]
# "uniform", "balanced:ALPHA", a weight a class, weights by word, (view, weight) pairs, or a
# weight a drawing.
Sampling = (
    Literal["uniform"]
    | str
    | Sequence[float | tuple[View | str, float]]
    | NDArray[Any]
    | Mapping[str, float]
    | Weights
)


class DrawOptions(TypedDict, total=False):
    """What further decides how a drawing comes, for `Dataset.split` and `Dataset.fetch`."""

    seed: int
    augment: Augment | None
    views: int
    ignore_index: int
    on_corrupt: OnCorrupt
    codec: Codec


class DeliveryOptions(TypedDict, total=False):
    """The rarer keywords of `Dataset.stream`, which describes them."""

    ignore_index: int
    on_corrupt: OnCorrupt
    max_bad: int
    codec: Codec
    step_offset: int
    step_stride: int


class OrderOptions(DeliveryOptions, total=False):
    """Every keyword of `Dataset.stream` but those that each of its relatives names itself."""

    seed: int
    epochs: Epochs
    shuffle: Shuffle
    sampling: Sampling
    tail: Tail
    augment: Augment | None
    views: int


class StreamOptions(OrderOptions, total=False):
    """Every keyword of `Dataset.stream` but `view` and `start`."""

    batch_size: int
    image: Image | int | tuple[int, int] | None
    strokes: Strokes | int | None
    columns: Sequence[str]
    rank: int
    world: int


class MixtureLoaderOptions(TypedDict, total=False):
    """Keywords of `inkstream.torch.loader` over a mixture whose types need no torch."""

    train: bool
    rank: int | None
    world: int | None
    start: Mapping[str, Any] | None


class LoaderOptions(OrderOptions, MixtureLoaderOptions, total=False):
    """Keywords of `inkstream.torch.loader` whose types need no torch."""

    batch_size: int
    image: Image | int | tuple[int, int] | None
    strokes: Strokes | int | None
    columns: Sequence[str]


class MixOptions(DrawOptions, total=False):
    """Further keywords of `inkstream.mix`; see `Dataset.stream`."""

    rank: int
    world: int
    shuffle: Shuffle
    max_bad: int
