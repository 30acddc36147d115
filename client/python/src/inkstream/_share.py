"""`Dataset.share`: one array on the host, in memory or in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from inkstream._errors import FixRequest
from inkstream._image import Image
from inkstream._meter import progress_of
from inkstream._plan import Plan
from inkstream._shared_view import SharedView
from inkstream._view import View
from inkstream._view_in_file import ViewFile
from inkstream._view_in_memory import in_memory

if TYPE_CHECKING:
    from inkstream._dataset import Dataset


def share_view(
    dataset: Dataset,
    view: View | str,
    image: Image | None,
    column: str | None,
    path: str | os.PathLike[str] | None,
    budget: int | None,
    huge_pages: bool,
    progress: bool | Callable[[int, int], None] | None,
    delivery: Mapping[str, Any],
) -> NDArray[Any]:
    """See `Dataset.share`."""
    if (image is None) == (column is None):
        raise FixRequest("give either image= or column=")
    refused = set(delivery) - {"ignore_index", "on_corrupt", "max_bad"}
    if refused:
        raise FixRequest(f"share() has no keyword {sorted(refused)[0]!r}")
    columns = () if column is None or column in ("index", "valid") else (column,)
    plan = Plan.of(view, image=image, columns=columns, **delivery)
    shared = SharedView(dataset, plan, column or "image")
    tell = progress_of(progress, f"sharing {plan.view.split or dataset.name}")
    if path is not None:
        return ViewFile(shared, Path(path).absolute(), tell).array()
    return in_memory(shared, huge_pages, budget, tell)
