"""The tables of tests/README.md and the list of deploy/ACCEPTANCE.md name tests that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
# A file, and tests of it behind a colon.
PYTESTS_OF = re.compile(r"`([\w/]+\.py)`:((?:,?\s+`test_\w+`)+)")
GOOGLETEST = re.compile(r"`(\w+)\.(\w+)`")
FILE = re.compile(r"`([\w/]+(?:\.py|_test\.cc))`")
# How suites are called; other words with a dot between are none.
SUITES = ("Test", "Store")
LINES = 46


@pytest.fixture(scope="module")
def acceptance(root: Path) -> str:
    return (root / "deploy" / "ACCEPTANCE.md").read_text()


@pytest.fixture(scope="module")
def tables(root: Path) -> str:
    lines = (root / "tests" / "README.md").read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def named(text: str) -> Iterator[tuple[str, str]]:
    """File and function of each test for pytest."""
    yield from PYTEST.findall(text)
    for file, tests in PYTESTS_OF.findall(text):
        for test in re.findall(r"`(\w+)`", tests):
            yield file, test


def missing(root: Path, text: str) -> list[str]:
    tests = root / "tests"
    written = {
        found
        for source in tests.rglob("*_test.cc")
        for found in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", source.read_text(), re.M)
    }
    absent = [
        f"{file}::{test}"
        for file, test in named(text)
        if not (tests / file).is_file()
        or not re.search(rf"^def {test}\(", (tests / file).read_text(), re.MULTILINE)
    ]
    absent += [
        f"{suite}.{test}"
        for suite, test in GOOGLETEST.findall(text)
        if suite.endswith(SUITES) and (suite, test) not in written
    ]
    return absent + [file for file in FILE.findall(text) if not (tests / file).is_file()]


@pytest.mark.parametrize("page", ["acceptance", "tables"])
def test_every_test_that_is_named_exists(
    root: Path, page: str, request: pytest.FixtureRequest
) -> None:
    assert missing(root, request.getfixturevalue(page)) == []


def test_every_name_on_the_list_is_looked_for(acceptance: str) -> None:
    """None stands where the pattern does not see it."""
    seen = {test for _, test in named(acceptance)}
    assert seen == set(re.findall(r"`(test_\w+)`", acceptance))
    assert len(seen) > 100
    for suite, _ in GOOGLETEST.findall(acceptance):
        assert suite.endswith(SUITES), suite


def test_every_line_of_the_list_has_what_shows_it(acceptance: str) -> None:
    items = re.split(r"^(\d+)\. ", acceptance, flags=re.MULTILINE)[1:]
    assert [int(number) for number in items[::2]] == list(range(1, LINES + 1))
    for number, text in zip(items[::2], items[1::2], strict=True):
        assert list(named(text)) or GOOGLETEST.findall(text), number


@pytest.mark.parametrize(
    "wrong",
    ["`system/test_tls.py`: `test_no_such`", "`no/such.py::test_it`", "`DrainTest.NoSuch`"],
)
def test_a_name_that_is_none_is_seen(root: Path, wrong: str) -> None:
    assert missing(root, wrong)
