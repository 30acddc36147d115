"""A shared view in a sealed segment of memory."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from numpy.typing import NDArray

from inkstream._display.progress_bar import Progress
from inkstream.shared._memory import check_fits
from inkstream.shared._new_segment import NewSegment
from inkstream.shared._passing import register
from inkstream.shared._rendezvous import Claim, Hint, claim, find_segment, wait_for
from inkstream.shared._row_file import array_in
from inkstream.shared._segment import Mapping, check_sealed, mapping_of
from inkstream.shared.views.shared_view import SharedView


def in_memory(
    view: SharedView, huge_pages: bool, budget: int | None, progress: Progress
) -> NDArray[Any]:
    """Maps the array that some process has, waits for the one that builds it, or builds."""
    identity = view.identity()
    name = f"inkstream-view-{identity.hex()}"
    register()
    while True:
        mapping = mapping_of(identity)
        if mapping is not None:
            return array_in(mapping)
        fd = find_segment(name)
        if fd is None:
            mine = claim(name)
            if mine is None:
                fd = wait_for(name, progress)
            else:
                with closing(mine):
                    fd = find_segment(name) or _build(
                        view, huge_pages, name, budget, progress, mine
                    )
        if fd is not None:
            mapping = Mapping(fd, check_sealed(fd), identity)
            mapping.companion = Hint(name)
            return array_in(mapping)


def _build(
    view: SharedView,
    huge_pages: bool,
    name: str,
    budget: int | None,
    progress: Progress,
    mine: Claim,
) -> int:
    rows = view.rows()
    check_fits(
        rows.size,
        f"a shared view of {rows.shape[0]} drawings, {rows.shape[1:]} {rows.dtype} each,",
        'take a smaller image, a part of the view such as "train[:10%]", or path=FILE',
        budget,
    )
    with closing(NewSegment(name, rows.size, huge_pages=huge_pages)) as segment:
        rows.start(segment.write)
        for done in view.fill(segment.write, rows, 0):
            mine.tell(done, rows.shape[0])
            progress(done, rows.shape[0])
        rows.mark(segment.write, rows.shape[0])
        sealed = segment.seal()
        mine.hand_out(sealed, rows.size)
        return sealed
