"""Every test of shared segments gives back what it took."""

from __future__ import annotations

import gc
import multiprocessing as mp
from collections.abc import Iterator
from multiprocessing.context import BaseContext

import pytest
from inkstream import shared
from support.leaks import mapped_segments, segments_of
from support.processes import eventually


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test gives back what it took, in this process at once."""
    gc.collect()
    before = segments_of(), mapped_segments()
    yield
    shared.uninstall()
    gc.collect()
    assert eventually(lambda: gc.collect() >= 0 and (segments_of(), mapped_segments()) == before)


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def context(request: pytest.FixtureRequest) -> BaseContext:
    return mp.get_context(request.param)
