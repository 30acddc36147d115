"""`Dataset.share`: one array on the host, in memory or in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inkstream._display.progress_bar import progress_of
from inkstream._network.source import Source
from inkstream._request.plan import Plan
from inkstream._request.values import flag, shown, whole
from inkstream.errors import FixRequest
from inkstream.shared.views.shared_view import SharedView
from inkstream.shared.views.view_in_file import ViewFile
from inkstream.shared.views.view_in_memory import in_memory


def share_view(
    dataset: Source,
    plan: Plan,
    tensor: str,
    path: str | os.PathLike[str] | None,
    budget: int | None,
    huge_pages: bool,
    progress: bool | Callable[[int, int], None] | None,
) -> NDArray[Any]:
    """See `Dataset.share`."""
    if budget is not None:
        budget = whole("budget", budget, 0)
    huge_pages = flag("huge_pages", huge_pages)
    tell = progress_of(progress, f"sharing {plan.view.split or dataset.name}")
    if path is not None:
        path = _file(path)
    shared = SharedView(dataset, plan, tensor)
    if path is None:
        return in_memory(shared, huge_pages, budget, tell)
    if budget is not None:
        raise FixRequest("budget bounds memory, and a file takes none: leave out budget= or path=")
    return ViewFile(shared, path, tell).array()


def _file(given: Any) -> Path:
    """Where it may be made: a file that is none yet, or one that is, in a directory."""
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
        raise FixRequest(f"path = {shown(given)}: give a file's name")
    path = Path(os.fsdecode(given)).absolute()
    if path.is_dir():
        raise FixRequest(f"path = {shown(given)} is a directory: give a file's name in it")
    if not path.parent.is_dir():
        raise FixRequest(f"path = {shown(given)}: there is no directory {str(path.parent)!r}")
    return path
