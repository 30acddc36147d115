"""The order computed here is the order that the server streams."""

from __future__ import annotations

import inkstream
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inkstream import FixRequest, Permutation
from inkstream._order.schedule import Schedule

# From tests/order/permutation_test.cc.
WHOLE = {
    (1, 0, 0): [0],
    (3, 0, 0): [2, 1, 0],
    (5, 1, 0): [3, 2, 4, 1, 0],
    (10, 0, 0): [1, 4, 2, 6, 0, 8, 3, 7, 9, 5],
    (10, 0, 1): [8, 0, 6, 2, 9, 7, 5, 3, 4, 1],
    (10, 1, 0): [0, 6, 5, 7, 8, 2, 3, 1, 4, 9],
}
SAMPLED = {
    (65535, 1, 2): [65252, 12880, 45895, 26760],
    (65536, 1, 2): [42562, 48355, 58880, 44679],
    (65537, 1, 2): [40483, 42810, 64042, 24439],
    (1000003, 7, 0): [473382, 220448, 603461, 575820],
    (50000000, 0, 0): [38239948, 37181590, 43223561, 46019474],
    (50000000, 0, 1): [28685596, 25488318, 4898393, 27914591],
    (50000000, 123456789, 7): [9692661, 14576997, 33283019, 45306369],
    (1 << 63, 2**64 - 1, 2**63 - 1): [
        8753404552035019328,
        5848519783647778625,
        7680544062287412257,
        4638835419248478319,
    ],
    ((1 << 63) - 25, 3, 1): [
        5873846078107765102,
        4476407194575912885,
        5408786588972659497,
        2821157667684202184,
    ],
}


@pytest.mark.parametrize(("key", "wanted"), WHOLE.items())
def test_permutation_has_the_servers_values(key: tuple[int, int, int], wanted: list[int]) -> None:
    assert Permutation(*key)(np.arange(key[0])).tolist() == wanted


@pytest.mark.parametrize(("key", "wanted"), SAMPLED.items())
def test_large_permutation_has_the_servers_values(
    key: tuple[int, int, int], wanted: list[int]
) -> None:
    size = key[0]
    positions = np.array([0, 1, size // 2, size - 1], np.uint64)
    assert Permutation(*key)(positions).tolist() == wanted


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1), st.integers(0, 2**63))
@settings(max_examples=50, deadline=None)
def test_permutation_visits_everything_once(size: int, seed: int, epoch: int) -> None:
    values = Permutation(size, seed, epoch)(np.arange(size))
    assert np.array_equal(np.sort(values), np.arange(size))


def test_positions_outside_are_refused() -> None:
    with pytest.raises(FixRequest):
        Permutation(10)([10])
    with pytest.raises(FixRequest):
        Permutation(10)([-1])
    with pytest.raises(FixRequest):
        Permutation(0)


def test_stream_follows_the_permutation(data: inkstream.Dataset) -> None:
    size = len(data["train"])
    plain = index_of(data.stream("train", shuffle="none", tail="partial"))
    for seed, epoch in ((0, 0), (5, 0), (5, 3)):
        stream = data.stream("train", seed=seed, tail="partial", epochs=epoch + 1)
        stream.seek(epoch=epoch)
        order = Permutation(size, seed, epoch)(np.arange(size))
        assert np.array_equal(index_of(stream), plain[order])


@pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
@pytest.mark.parametrize(("world", "batch_size"), [(1, 256), (3, 100), (2, 1), (7, 33)])
def test_schedule_is_the_servers(
    data: inkstream.Dataset, tail: str, world: int, batch_size: int
) -> None:
    size = data.count("valid")
    plain = index_of(data.stream("valid", shuffle="none", tail="partial"))
    for rank in {0, world // 2, world - 1}:
        schedule = Schedule(size, batch_size, rank, world, tail)
        keywords = {"batch_size": batch_size, "rank": rank, "world": world, "tail": tail}
        stream = data.stream("valid", shuffle="none", columns=[], **keywords)
        assert len(stream) == schedule.steps_from(0)
        for number, batch in enumerate(stream):
            step = schedule.step_at(0, 0, number)
            rows = plain[(step.first + np.arange(step.rows)) % size]
            assert batch.index.tolist() == rows.tolist()
            assert batch.valid.sum() == step.valid_rows
            assert (batch.cursor["epoch"], batch.cursor["position"]) == step.after
        assert number + 1 == schedule.steps_from(0)


def index_of(stream: inkstream.Stream) -> np.ndarray:
    return np.concatenate([batch.index[batch.valid] for batch in stream])
