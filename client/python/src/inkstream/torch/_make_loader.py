"""`loader`: keywords to a Loader."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import torch

from inkstream._adapters.source import dataset_of
from inkstream._request.image import Image
from inkstream._request.keywords import checked_keywords
from inkstream._request.options import LoaderOptions, MixtureLoaderOptions, OrderOptions
from inkstream._request.plan import Plan
from inkstream._request.strokes import Strokes
from inkstream._request.values import flag
from inkstream._request.view import View
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest
from inkstream.mixture import Mixture
from inkstream.torch._form import form_of
from inkstream.torch._loader import Loader
from inkstream.torch._mixture_loader import MixtureLoader
from inkstream.torch._mixture_loader import loader as mixture_loader
from inkstream.torch._placement import device_of, place_of
from inkstream.torch._tensor_batch import TensorBatch

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


def _or_of_a_mixture(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates `loader`: a mixture says itself what is asked for, so it takes fewer keywords."""

    @functools.wraps(function)
    def either(*args: Any, **keywords: Any) -> Any:
        mixed = (args and isinstance(args[0], Mixture)) or isinstance(keywords.get("data"), Mixture)
        return (mixture_loader if mixed else function)(*args, **keywords)

    return either


@overload
def loader(
    data: Mixture,
    *,
    transform: None = None,
    as_tuple: None = None,
    device: torch.device | str | int | None = None,
    **more: Unpack[MixtureLoaderOptions],
) -> MixtureLoader: ...
@overload
def loader(
    data: Mixture,
    *,
    transform: Callable[[TensorBatch], Any] | None = None,
    as_tuple: Sequence[str],
    device: torch.device | str | int | None = None,
    **more: Unpack[MixtureLoaderOptions],
) -> MixtureLoader[tuple[torch.Tensor, ...]]: ...
@overload
def loader(
    data: Mixture,
    *,
    transform: Callable[[TensorBatch], T],
    as_tuple: None = None,
    device: torch.device | str | int | None = None,
    **more: Unpack[MixtureLoaderOptions],
) -> MixtureLoader[T]: ...
@overload
def loader(
    data: Dataset,
    view: View | str = "train",
    *,
    transform: None = None,
    as_tuple: None = None,
    device: torch.device | str | int | None = None,
    **stream: Unpack[LoaderOptions],
) -> Loader: ...
@overload
def loader(
    data: Dataset,
    view: View | str = "train",
    *,
    transform: Callable[[TensorBatch], Any] | None = None,
    as_tuple: Sequence[str],
    device: torch.device | str | int | None = None,
    **stream: Unpack[LoaderOptions],
) -> Loader[tuple[torch.Tensor, ...]]: ...
@overload
def loader(
    data: Dataset,
    view: View | str = "train",
    *,
    transform: Callable[[TensorBatch], T],
    as_tuple: None = None,
    device: torch.device | str | int | None = None,
    **stream: Unpack[LoaderOptions],
) -> Loader[T]: ...
@_or_of_a_mixture
@checked_keywords(OrderOptions)
def loader(
    data: Dataset,
    view: View | str = "train",
    *,
    batch_size: int = 256,
    image: Image | int | tuple[int, int] | None = None,
    strokes: Strokes | int | None = None,
    columns: Sequence[str] = ("label",),
    train: bool = True,
    rank: int | None = None,
    world: int | None = None,
    device: torch.device | str | int | None = None,
    start: Mapping[str, Any] | None = None,
    transform: Callable[[TensorBatch], Any] | None = None,
    as_tuple: Sequence[str] | None = None,
    **stream: Unpack[OrderOptions],
) -> Loader[Any]:
    """A sized, re-iterable, resumable source of dicts of tensors.

    `train=True` goes on from its position for ever, one epoch an `iter()`; `train=False` gives
    the same pass each time: every drawing once (tail "partial"), of epoch 0, with `augment` as
    given, for test-time augmentation.
    `rank`, `world`: torch.distributed's if left out. `device`: where the tensors are put; left
    out, they stay on the host, page-locked once CUDA is in use.
    `transform`: called with each TensorBatch, on the thread that reads ahead and before `device`; a
    loader gives what it returns, which may be anything that holds tensors. `as_tuple`: names, such
    as ("image", "label"): a loader gives tuples of these tensors. Neither has a `cursor`: keep
    `state_dict()`.
    `stream`: every other keyword of `Dataset.stream`.

    Of a mixture, `loader(inkstream.mix(...), ...)` goes on from where that stands, which itself
    does not move; an epoch is as many drawings as its parts have together. What it draws, and how,
    `mix` was told; `train`, which is True, `rank`, `world`, `device`, `start`, `transform` and
    `as_tuple` are the loader's. `transform` runs in the loop then: only the parts read ahead, so
    that other weights hold from the next batch on.
    """
    data = dataset_of(data)
    place = place_of(rank, world)
    if flag("train", train):
        stream.setdefault("epochs", "forever")
    else:
        if start is not None:
            raise FixRequest("start= is for training: an evaluation always starts at (0, 0)")
        if stream.setdefault("epochs", 1) != 1:
            raise FixRequest(
                f"epochs = {stream['epochs']!r} with train=False: each iter() of an evaluation is "
                "one whole pass; leave epochs out and iterate as often as you like, or train=True"
            )
        stream.setdefault("tail", "partial")
    plan = Plan.of(
        view,
        data,
        batch_size=batch_size,
        image=image,
        strokes=strokes,
        columns=columns,
        rank=place[0],
        world=place[1],
        **stream,
    )
    return Loader(
        data,
        plan,
        train=train,
        device=None if device is None else device_of(device),
        start=start,
        follow=rank is None,
        form=form_of(plan, transform, as_tuple),
    )
