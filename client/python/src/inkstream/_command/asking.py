"""What the commands have in common: whom they ask, for which drawings, and how they answer."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkstream._request.view import View
from inkstream.client import Client, connect, open
from inkstream.dataset import Dataset
from inkstream.errors import FixRequest

_TOKEN = "INKSTREAM_TOKEN"
_TERM = re.compile(r"\s*(\w+)\s*(==|!=|<=|>=|<|>|=)\s*(.*?)\s*")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Whom to ask, and in which form to answer."""
    parser.add_argument("target", metavar="TARGET", help="a store's directory, or a server")
    parser.add_argument("--dataset", metavar="NAME", help="left out: the only one there is")
    parser.add_argument("--tls", action="store_true", help="with the system's roots")
    parser.add_argument("--tls-ca", metavar="FILE", help="with these roots, a PEM file")
    parser.add_argument("--tls-cert", metavar="FILE", help="who this is, a PEM file")
    parser.add_argument("--tls-key", metavar="FILE", help="its key")
    parser.add_argument("--token-file", metavar="FILE", help=f"left out: the variable {_TOKEN}")
    parser.add_argument("--timeout", type=float, default=5, help="seconds a question (default: 5)")
    parser.add_argument("--json", action="store_true", help="for programs")


def add_view(parser: argparse.ArgumentParser) -> None:
    """Which drawings."""
    parser.add_argument("--split", help='such as train or "train[:10%%]" (default: every drawing)')
    parser.add_argument("--classes", nargs="+", metavar="WORD", help="words, in label order")
    parser.add_argument(
        "--where",
        action="append",
        metavar="TERM",
        help='such as "recognized==1"; may be given again, all must hold',
    )


def is_store(target: str) -> bool:
    """Whether it is a directory of this machine; else it is an address."""
    return Path(target).is_dir()


def tls_of(flags: argparse.Namespace) -> bool | dict[str, str]:
    """As `inkstream.connect` has it."""
    named = {"ca": flags.tls_ca, "cert": flags.tls_cert, "key": flags.tls_key}
    files = {name: file for name, file in named.items() if file is not None}
    return files or flags.tls


def token_of(flags: argparse.Namespace) -> str:
    """The token, which never stands on a command line, where everybody could read it."""
    if flags.token_file is None:
        return os.environ.get(_TOKEN, "")
    try:
        return Path(flags.token_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FixRequest(f"--token-file {flags.token_file}: {error}") from None


def client_of(flags: argparse.Namespace) -> Client:
    """Whom to ask."""
    if is_store(flags.target):
        return open(flags.target)
    return connect(
        flags.target,
        tls=tls_of(flags),
        token=token_of(flags),
        timeout=flags.timeout,
        retry_for=flags.timeout,
    )


def dataset_of(flags: argparse.Namespace) -> Dataset:
    """What to look at."""
    return client_of(flags).dataset(flags.dataset)


def view_of(flags: argparse.Namespace) -> View:
    """Which drawings of it."""
    where: dict[str, list[tuple[str, str]]] = {}
    for term in flags.where or ():
        matched = _TERM.fullmatch(term)
        if matched is None:
            raise FixRequest(f'--where {term!r}: give a term such as "recognized==1"')
        column, operator, value = matched.groups()
        where.setdefault(column, []).append(("==" if operator == "=" else operator, value))
    return View(flags.split, classes=flags.classes, where=where or None)


def say_json(said: Any) -> None:
    """An answer for programs."""
    print(json.dumps(said, indent=2, ensure_ascii=False))


def say_fields(said: Mapping[str, str]) -> None:
    """Name and value a line."""
    width = max(map(len, said))
    for name, value in said.items():
        print(f"{name:<{width}}  {value}")


def say_rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; numbers stand at the right of their column."""
    rows = list(rows)
    columns = [[row[i] for row in rows] for i in range(len(names))]
    numbers = [{type(value) for value in column} <= {int, type(None)} for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for line in (names, *cells):
        padded = (
            f"{text:>{width}}" if number else f"{text:<{width}}"
            for text, width, number in zip(line, widths, numbers, strict=True)
        )
        print("  ".join(padded).rstrip())


def printable(text: str) -> str:
    """Words come from whoever made the store: nothing in them may steer the terminal."""
    encoding = sys.stdout.encoding or "ascii"
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return plain.encode(encoding, "backslashreplace").decode(encoding)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
