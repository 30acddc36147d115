"""`show`: drawings by chance."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from inkstream._command.asking import dataset_of, printable, say_json, view_of
from inkstream._display.terminal import (
    CELL_HEIGHT,
    CELL_WIDTH,
    SIDE,
    can_show,
    drawings_in_text,
)
from inkstream._request.image import Image
from inkstream.errors import FixRequest

_IN_A_FILE = 64


def show(flags: argparse.Namespace) -> int:
    """Into a file where one is named, else as characters."""
    data, view = dataset_of(flags), view_of(flags)
    if flags.output is None:
        if flags.json:
            raise FixRequest("--json with show needs -o FILE: it says what is in the picture")
        columns, lines = shutil.get_terminal_size()
        fitting = (columns // CELL_WIDTH or 1) * (lines // (CELL_HEIGHT + 2) or 1)
        batch = data.sample(
            fitting if flags.n is None else flags.n,
            view,
            seed=flags.seed,
            image=Image(SIDE[1], SIDE[0], line_width=8, padding=4),
        )
        braille = can_show(sys.stdout.encoding or "ascii")
        words = [printable(word) for word in batch.words()]
        print(drawings_in_text(batch.image[:, 0], words, columns, braille))
        return 0
    batch = data.sample(_IN_A_FILE if flags.n is None else flags.n, view, seed=flags.seed)
    png = batch.to_png(limit=batch.rows)
    try:
        Path(flags.output).write_bytes(png)
    except OSError as error:
        raise FixRequest(f"-o {flags.output}: {error.strerror}") from None
    if flags.json:
        say_json({"file": flags.output, "index": batch.index.tolist(), "words": batch.words()})
    else:
        print(f"{flags.output}: {batch.rows} drawings")
    return 0
