"""What a loader, a dataset or a sampler of this package reads."""

from __future__ import annotations

from typing import Any

from inkstream._request.values import shown, whole
from inkstream._request.view import View, as_view
from inkstream.client import Client
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest
from inkstream.split import Split


def dataset_of(data: Any) -> Dataset:
    """The dataset that `data` ought to be; FixRequest says how to come to one."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Client):
        raise FixRequest(f"data = {data!r} is a client: give one of its datasets, client.dataset()")
    if isinstance(_split_in(data), Split):
        raise FixRequest(f"data = {data!r} is a view already: give its dataset, and then the view")
    raise FixRequest(f"data = {shown(data)}: give a dataset, such as client.dataset()")


def source_of(source: Any, view: View | str | None) -> tuple[Dataset | int, View]:
    """What a sampler samples from, a dataset or as many drawings, and the view of it."""
    if isinstance(source, Dataset):
        return source, as_view("train" if view is None else view)
    split = _split_in(source)
    if isinstance(split, Split):
        own = split.plan.view
        if view is not None and as_view(view) != own:
            raise FixRequest(f"view = {view!r}, but the source's own is {own!r}: leave it out")
        assert isinstance(split.dataset, Dataset)  # which made it
        return split.dataset, own
    try:
        drawings = whole("source", source, 1)
    except FixRequest:
        raise FixRequest(
            f"source = {shown(source)}: give a MapDataset, a dataset or the number of drawings (of "
            "another torch dataset, len(dataset))"
        ) from None
    if view is not None:
        raise FixRequest(f"view = {view!r} has no effect: a source of {drawings} drawings has none")
    return drawings, View()


def _split_in(source: Any) -> Any:
    """A MapDataset's split; anything else is as it is."""
    return getattr(source, "split", source)
