"""`doctor`: each thing between a program and its drawings, and what to do where it fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict

from inkstream._command.asking import (
    client_of,
    is_store,
    printable,
    say_json,
    tls_of,
    token_of,
)
from inkstream._command.findings import BAD, FINE, ODD, Finding, own_findings, versions
from inkstream._command.network_findings import network_findings, reaches
from inkstream.errors import AccessDenied, InkstreamError, NotFound, Unavailable

_MARKS = {FINE: "ok  ", ODD: "odd ", BAD: "BAD "}


def doctor(flags: argparse.Namespace) -> int:
    """Looks at one thing after the other; 1 where one is bad."""
    found = []
    for finding in _findings(flags):
        found.append(finding)
        if not flags.json:
            print(f"{_MARKS[finding.state]} {finding.name:<9} {printable(finding.said)}")
            if finding.advice:
                print(f"{'':14} → {finding.advice}" if _arrows() else f"{'':14} > {finding.advice}")
            sys.stdout.flush()  # the next one may take seconds
    bad = [finding.name for finding in found if finding.state == BAD]
    if flags.json:
        say_json([asdict(finding) for finding in found])
    elif not bad:
        print("Nothing is wrong.")
    return 1 if bad else 0


def _arrows() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _findings(flags: argparse.Namespace) -> Iterator[Finding]:
    yield from own_findings()
    if not is_store(flags.target):
        way = list(network_findings(flags.target, tls_of(flags), flags.timeout))
        yield from way
        if not reaches(way):
            return  # what follows would say the same, later
    yield from _answers(flags)


def _answers(flags: argparse.Namespace) -> Iterator[Finding]:
    """What the server, or the store, says itself."""
    try:
        client = client_of(flags)
        names = client.datasets()
    except AccessDenied as error:
        how = "another one is needed" if token_of(flags) else "none is given: --token-file FILE"
        yield Finding("token", BAD, str(error), f"{how}; `inkstream token` makes them")
        return
    except InkstreamError as error:
        yield Finding("answer", BAD, str(error), _advice(error, flags))
        return
    yield Finding("answer", FINE, f"it has {', '.join(names)}")
    try:
        data = client.dataset(flags.dataset or names[0])
    except NotFound as error:
        yield Finding("dataset", BAD, str(error), f"--dataset takes one of {', '.join(names)}")
        return
    yield versions(data.stats)
    try:
        with data.stream("", batch_size=min(8, max(data.drawings, 1)), image=28) as stream:
            rows = sum(batch.rows for _, batch in zip(range(1), stream, strict=False))
            way = stream.stats()["transport"]
    except InkstreamError as error:
        yield Finding("stream", BAD, str(error), _advice(error, flags))
        return
    yield Finding("stream", FINE, f"a first batch of {rows} drawings came by {way!r}")


def _advice(error: InkstreamError, flags: argparse.Namespace) -> str:
    if is_store(flags.target):
        return "`inkstream verify` reads every value of a store and says what is damaged"
    if isinstance(error, Unavailable):
        return "the connection stands, and nothing answers: is it an inkstream server? its log says"
    return "the server's log says more"
