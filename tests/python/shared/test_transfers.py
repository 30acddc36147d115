"""Arrays that travel through multiprocessing in segments."""

from __future__ import annotations

import multiprocessing as mp
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np
import pytest
from inkstream import shared
from inkstream.shared import _keeper, _segment
from support.leaks import mapped_segments, segment_bytes
from support.processes import run_python


def _report(value: Any, answers: Any) -> None:
    """What a child sees of a shared dict: sum, by reference or not, flags."""
    array = value["x"]
    answers.put((float(array.sum()), shared.is_shared(array), array.flags.writeable, array.strides))


def test_shared_arrays_reach_children_by_reference(context: BaseContext) -> None:
    x = np.random.rand(300, 400)
    value = shared.share({"x": x[::-1, ::2], "other": x})
    before = segment_bytes()
    answers = context.Queue()
    children = [context.Process(target=_report, args=(value, answers)) for _ in range(2)]
    for child in children:
        child.start()
    for _ in children:
        total, by_reference, writable, strides = answers.get(timeout=60)
        assert np.isclose(total, x[:, ::2].sum())
        assert by_reference and not writable and strides == x[::-1, ::2].strides
    for child in children:
        child.join(60)
    assert segment_bytes() - before < x.nbytes  # no child made a copy


def test_a_whole_frame_reaches_a_pool_by_reference(context: BaseContext) -> None:
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    frame = shared.share(pd.DataFrame(np.random.rand(20_000, 8)))
    table = shared.share(pa.table({"n": np.arange(200_000)}))
    with context.Pool(2) as pool:
        got = pool.apply(_frame_facts, (frame, table))
    assert np.isclose(got[0], frame.to_numpy().sum())
    assert got[1:] == (True, 200_000, True)


def _frame_facts(frame: Any, table: Any) -> tuple[float, bool, int, bool]:
    by_reference = shared.is_shared(frame[0].to_numpy())
    address = table.column("n").chunk(0).buffers()[1].address
    arrow = _segment.mapping_at(address, 1) is not None
    return float(frame.to_numpy().sum()), by_reference, table.num_rows, arrow


def _send_and_end(queue: Any, size: int, writable: bool) -> None:
    shared.install(threshold=1000)
    array = np.arange(size, dtype=np.float64)
    array.flags.writeable = writable
    queue.put({"array": array, "strided": array[::-2], "small": np.arange(3)})


@pytest.mark.parametrize("writable", [True, False])
def test_results_outlive_the_process_that_sent_them(context: BaseContext, writable: bool) -> None:
    queue = context.Queue()
    child = context.Process(target=_send_and_end, args=(queue, 50_000, writable))
    child.start()
    child.join(60) if context.get_start_method() != "fork" else None
    got = queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    assert (got["array"] == np.arange(50_000)).all()
    assert (got["strided"] == got["array"][::-2]).all()
    assert got["array"].flags.writeable is writable
    assert mapped_segments() >= 1
    if writable:
        got["array"][0] = 7  # as after a copy: nobody else sees it
        assert got["array"][0] == 7


def test_what_was_written_to_a_received_array_goes_on_with_it() -> None:
    shared.install(threshold=1000)
    receive, send = mp.Pipe(duplex=False)
    send.send(np.zeros(10_000))
    first = receive.recv()
    first[:] = 3
    send.send(first)
    second = receive.recv()
    assert second.sum() == 30_000
    receive.close()
    send.close()


def test_object_and_empty_and_small_arrays_travel_as_before() -> None:
    shared.install(threshold=1000)
    receive, send = mp.Pipe(duplex=False)
    arrays = [np.array([None] * 1000), np.empty((0, 5)), np.arange(3), np.ma.zeros(1000)]
    before = mapped_segments()
    for array in arrays:
        send.send(array)
        back = receive.recv()
        assert type(back) is type(array) and back.shape == array.shape
    assert mapped_segments() == before
    receive.close()
    send.close()


def test_pool_results_come_back_in_segments(context: BaseContext) -> None:
    shared.install(threshold=1000)
    with context.Pool(2, initializer=shared.install, initargs=(None,)) as pool:
        results = pool.map(_squares, [200_000, 250_000, 300_000])
    assert [r.shape for r in results] == [(200_000,), (250_000,), (300_000,)]
    assert results[2][-1] == 299_999**2
    assert mapped_segments() >= 3


def _squares(count: int) -> np.ndarray:
    return np.arange(count) ** 2


class Rows:
    """A torch dataset of NumPy arrays."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> np.ndarray:
        return np.full(200_000, i, dtype=np.float32)


def _stacked(rows: list[np.ndarray]) -> np.ndarray:
    return np.stack(rows)


def test_loader_workers_send_arrays_in_segments() -> None:
    data = pytest.importorskip("torch.utils.data")
    shared.install()
    loader = data.DataLoader(
        Rows(),  # type: ignore[arg-type]
        batch_size=2,
        num_workers=2,
        collate_fn=_stacked,
        worker_init_fn=shared.install,
    )
    batches = list(loader)
    assert [int(batch[1, 0]) for batch in batches] == [1, 3, 5, 7]
    assert mapped_segments() >= 4


def test_beyond_the_budget_arrays_travel_by_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_keeper._ADDRESS, raising=False)  # a keeper of its own
    program = """
import numpy as np, multiprocessing as mp, warnings
from inkstream import shared
shared.install(threshold=1000, budget=1_000_000)
receive, send = mp.Pipe(duplex=False)
send.send(np.zeros(100_000))                      # 800 kB, held until it is received
import pickle, io
from multiprocessing.reduction import ForkingPickler
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    big = ForkingPickler.dumps(np.ones(100_000))
assert len(big) > 800_000 and "budget" in str(told[0].message), (len(big), told)
kept = shared.share(np.ones(1_000_000))            # takes no memory by being sent
assert len(ForkingPickler.dumps(kept)) < 2000
assert receive.recv().sum() == 0
assert len(ForkingPickler.dumps(np.ones(100_000))) < 2000
print("fine")
"""
    done = run_python(program)
    assert done.stdout == "fine\n", done.stderr
