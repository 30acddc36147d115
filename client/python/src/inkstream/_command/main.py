"""`python -m inkstream`: its command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from _inkstream_command import raise_at_an_interrupt
from inkstream._command.asking import add_target, add_view
from inkstream._command.bench import bench
from inkstream._command.doctor import doctor
from inkstream._command.listings import describe, head, listing
from inkstream._command.program import COMMANDS, run_program
from inkstream._command.showing import show
from inkstream._version import __version__
from inkstream.errors import InkstreamError

_EXAMPLES = f"""\
TARGET is a store's directory, or a server: HOST:PORT, dns:///NAME:PORT, unix:/PATH.

examples:
  python -m inkstream describe drawings.ink
  python -m inkstream show host:50051 --classes cat dog -o sheet.png
  python -m inkstream doctor host:50051
  python -m inkstream ingest cat.ndjson --store cats.ink

More commands, which the program `inkstream` does:
  {", ".join(COMMANDS)}
Exit status: 0 done, 1 it failed, 2 the command line is wrong, 130 interrupted.
"""


def main(arguments: Sequence[str]) -> int:
    """Does what the command line says; the exit status."""
    if arguments and arguments[0] in COMMANDS:
        return run_program(arguments)
    if not arguments:
        print(_parser().format_help(), file=sys.stderr)
        return 2
    flags = _parser().parse_args(arguments)
    try:
        raise_at_an_interrupt()
        status: int = flags.run(flags)
        sys.stdout.flush()
    except (InkstreamError, ModuleNotFoundError) as error:
        if flags.json:
            print(json.dumps({"error": str(error)}))
        print(f"inkstream: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has had enough; the interpreter would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inkstream",
        description="Looks into stores of drawings, and at the servers that stream them.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"inkstream {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, said: str, example: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=said[0].lower() + said[1:],
            description=f"{said}.",
            epilog=f"example:\n  python -m inkstream {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=run)
        add_target(made)
        return made

    command("ls", listing, "Lists the datasets that there are", "host:50051")
    command("describe", describe, "Shows splits, classes and columns of a dataset", "cats.ink")
    one = command("show", show, "Shows drawings by chance, here or as a PNG file", "cats.ink -n 64")
    add_view(one)
    one.add_argument("-n", type=int, help="drawings (default: what fits, or 64 in a file)")
    one.add_argument("--seed", type=int, default=0, help="of the chance (default: 0)")
    one.add_argument("-o", "--output", metavar="FILE", help="a PNG file to write (needs Pillow)")
    one = command("head", head, "Shows the columns of the first drawings of a view", "cats.ink")
    add_view(one)
    one.add_argument("-n", type=int, default=10, help="drawings (default: 10)")
    one = command("bench", bench, "Measures how fast batches arrive in Python", "host:50051")
    add_view(one)
    one.add_argument("--image", default="28x28", metavar="HxW", help="(default: 28x28)")
    one.add_argument("--batch", type=int, default=256, help="drawings a batch (default: 256)")
    one.add_argument("--seconds", type=float, default=5, help="how long (default: 5)")
    command("doctor", doctor, "Finds out why a server or store does not work", "host:50051")
    return parser
