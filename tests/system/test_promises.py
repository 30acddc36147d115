"""The tables of tests/README.md name tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

PYTEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
GOOGLETEST = re.compile(r"`(\w+)\.(\w+)`")
FILE = re.compile(r"`([\w/]+(?:\.py|_test\.cc))`")


def test_every_test_that_is_named_exists(root: Path) -> None:
    tests = root / "tests"
    lines = (tests / "README.md").read_text().splitlines()
    rows = "\n".join(line for line in lines if line.startswith("|"))
    named = PYTEST.findall(rows)
    assert len(named) > 80
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (tests / file).is_file()
        or not re.search(rf"^def {test}\(", (tests / file).read_text(), re.MULTILINE)
    ]
    written = {
        found
        for source in tests.rglob("*_test.cc")
        for found in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", source.read_text(), re.M)
    }
    in_cpp = [(suite, test) for suite, test in GOOGLETEST.findall(rows) if suite.endswith(SUITES)]
    assert len(in_cpp) > 15
    missing += [f"{suite}.{test}" for suite, test in in_cpp if (suite, test) not in written]
    missing += [file for file in FILE.findall(rows) if not (tests / file).is_file()]
    assert missing == []


# How suites are called; other words with a dot between are none.
SUITES = ("Test", "Store")
