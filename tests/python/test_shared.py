"""inkstream.shared: structures in one segment, arrays through multiprocessing, nothing left."""

from __future__ import annotations

import gc
import itertools
import multiprocessing as mp
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from inkstream import FixRequest, InkstreamError, shared
from inkstream.shared import _keeper, _maps, _new_segment, _passing, _segment
from support.leaks import descriptors, keepers, mapped_segments, segment_bytes, segments_of
from support.processes import eventually, run_python


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


# --- share ---------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    array=hnp.arrays(
        st.one_of(
            hnp.integer_dtypes(),
            hnp.floating_dtypes(),
            hnp.datetime64_dtypes(),
            hnp.unicode_string_dtypes(),
            hnp.byte_string_dtypes(),
            st.just(np.dtype("i4,f8")),
        ),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    ),
    data=st.data(),
)
def test_any_view_comes_back_equal_with_its_strides(array: np.ndarray, data: st.DataObject) -> None:
    view = array
    if array.ndim:
        view = array[data.draw(hnp.basic_indices(array.shape, allow_newaxis=True))]
    if isinstance(view, np.ndarray) and view.ndim > 1 and data.draw(st.booleans()):
        view = view.T
    view = np.asarray(view)
    back = shared.share({"view": view})["view"]
    assert back.dtype == view.dtype and back.shape == view.shape
    assert back.tobytes() == view.tobytes()
    assert not back.flags.writeable
    low, high = np.lib.array_utils.byte_bounds(view)
    if view.size and high - low <= 2 * view.nbytes:
        assert back.strides == view.strides


def test_sparse_views_do_not_drag_their_base_along() -> None:
    base = np.arange(4_000_000)
    before = segment_bytes()
    back = shared.share(base[::1000])
    assert (back == base[::1000]).all()
    assert segment_bytes() - before < base.nbytes // 4


def test_views_of_one_array_go_on_sharing_memory() -> None:
    base = np.arange(1000.0).reshape(10, 100)
    back = shared.share({"rows": base[2:5], "all": base, "turned": base.T, "again": base})
    assert np.shares_memory(back["rows"], back["all"])
    assert np.shares_memory(back["turned"], back["all"])
    assert back["again"] is back["all"]
    assert (back["rows"] == base[2:5]).all() and (back["turned"] == base.T).all()


def test_overlapping_views_without_their_base() -> None:
    base = np.arange(100, dtype=np.int16)
    back = shared.share([base[10:60], base[40:90], base[95:]])
    assert [list(a) for a in back] == [
        list(range(10, 60)),
        list(range(40, 90)),
        list(range(95, 100)),
    ]
    assert np.shares_memory(back[0], back[1])


def test_broadcast_arrays_stay_small() -> None:
    wide = np.broadcast_to(np.arange(4), (1 << 40, 4))
    back = shared.share(wide)
    assert back.shape == wide.shape and back.strides == (0, 8)
    assert list(back[1 << 39]) == [0, 1, 2, 3]


def test_kinds_of_arrays_survive() -> None:
    record = np.rec.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0], fill_value=-1)
    strings = np.array(["x", "longer than fifteen bytes"], dtype=np.dtypes.StringDType())
    objects = np.array([{"inner": np.arange(5)}, None, "text"], dtype=object)
    back = shared.share([record, masked, strings, objects, np.float32(3), np.array(7)])
    assert type(back[0]) is np.recarray and list(back[0].a) == [1, 3]
    assert back[1].sum() == 4.0 and back[1].fill_value == -1 and back[1].mask.tolist() == [0, 1, 0]
    assert list(back[2]) == list(strings)
    assert back[3][2] == "text" and shared.is_shared(back[3][0]["inner"])
    assert back[4] == np.float32(3) and back[5].shape == () and back[5] == 7


def test_shared_arrays_refuse_writing_and_their_originals_do_not() -> None:
    original = np.zeros(10)
    back = shared.share(original)
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 1
    with pytest.raises(ValueError, match=r"(?i)writeable"):
        back.flags.writeable = True
    original[0] = 5
    assert back[0] == 0


def test_writing_past_the_flag_stays_in_this_process() -> None:
    torch = pytest.importorskip("torch")
    back = shared.share(np.zeros(1000))
    with pytest.warns(UserWarning, match="not writable"):
        tensor = torch.from_numpy(back)
    tensor += 1  # a plain read-only map would end the process here
    context = mp.get_context("fork")
    assert tensor.sum() == 1000
    with context.Pool(1) as pool:
        assert pool.apply(_sum, (shared.share(np.zeros(1000)),)) == 0


def test_pandas_xarray_and_arrow_are_shared() -> None:
    pd = pytest.importorskip("pandas")
    xr = pytest.importorskip("xarray")
    pa = pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": np.arange(1000), "b": np.random.rand(1000), "c": ["x", "y"] * 500})
    cube = xr.Dataset(
        {"t": (("time", "x"), np.random.rand(10, 200))}, coords={"time": np.arange(10)}
    )
    table = pa.table({"n": np.arange(5000), "s": [str(i) for i in range(5000)]})
    back = shared.share({"frame": frame, "nested": [{"cube": cube}, cube["t"], table]})
    pd.testing.assert_frame_equal(back["frame"], frame)
    xr.testing.assert_identical(back["nested"][0]["cube"], cube)
    xr.testing.assert_identical(back["nested"][1], cube["t"])
    assert back["nested"][2].equals(table)
    assert shared.is_shared(back["frame"]["b"].to_numpy())
    assert shared.is_shared(back["nested"][0]["cube"]["t"].values)
    address = back["nested"][2].column("s").chunk(0).buffers()[2].address
    assert _segment.mapping_at(address, 1) is not None


def test_a_structure_that_does_not_fit_says_so_and_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inkstream.shared._memory.available_memory", lambda: 1 << 20)
    with pytest.raises(shared.NotEnoughMemory, match=r"takes 7\.6 MiB.*1\.0 MiB are free"):
        shared.share(np.zeros(1_000_000))
    with pytest.raises(MemoryError):
        shared.share(np.zeros(1_000_000))


@pytest.mark.parametrize("granted", [0, 1, 3, 100])
def test_what_is_written_is_read_however_many_huge_pages_are_granted(
    granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = granted
    advise = _maps.advise

    def meagre(address: int, size: int, advice: int) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and advise(address, size, advice)

    monkeypatch.setattr(_maps, "advise", meagre)
    random = np.random.default_rng(granted)
    expected = random.integers(0, 256, 41_000_003, np.uint8)
    pieces = []
    edges = np.sort(random.integers(0, expected.size, 12))
    for low, high in itertools.pairwise([0, *edges.tolist(), expected.size]):
        if random.random() < 0.2:
            expected[low:high] = 0  # a gap
        else:
            pieces.append((low, expected[low:high]))
    random.shuffle(pieces)
    fd = _new_segment.create("inkstream-meagre", pieces, expected.size)
    mapping = _segment.Mapping(fd, expected.size, _segment.new_identity())
    assert _segment.check_sealed(fd, expected.size) == expected.size
    assert (mapping.bytes() == expected).all()


def test_shared_arrays_lie_in_huge_pages_where_the_kernel_gives_them() -> None:
    array = shared.share(np.random.rand(1_000_003))
    plain = shared.share(np.random.rand(1_000_003), huge_pages=False)
    assert array.sum() and plain.sum()  # mapped by reading
    assert _huge_bytes(plain) == 0
    if _huge_bytes(array) == 0:
        pytest.skip("this kernel gives no huge pages to shared memory")
    assert _huge_bytes(array) == 6 << 20


def _huge_bytes(array: np.ndarray) -> int:
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            low, high = (int(edge, 16) for edge in found.groups())
            inside = low <= array.ctypes.data < high
        elif inside and line.startswith("ShmemPmdMapped:"):
            return int(line.split()[1]) << 10
    return 0


def test_what_does_not_pickle_raises_its_own_error() -> None:
    with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
        shared.share({"a": np.zeros(100_000), "f": threading.Lock()})


# --- to other processes --------------------------------------------------------------------


def _sum(value: Any) -> float:
    return float(sum(_sum(v) for v in value.values()) if isinstance(value, dict) else value.sum())


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


# --- unrelated processes -------------------------------------------------------------------

ATTACH = """
import sys
from inkstream import shared
value = shared.attach(sys.argv[1])
print(float(value["x"].sum()), value["name"], value["x"].flags.writeable, flush=True)
sys.stdin.read()
print(float(value["x"].sum()))
"""


def test_unrelated_processes_attach_to_an_offer_and_keep_it() -> None:
    x = np.arange(10_000.0)
    offer = shared.offer({"x": x, "name": "cats"})
    other = subprocess.Popen(
        [sys.executable, "-c", ATTACH, str(offer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == f"{x.sum()} cats False\n"
    ticket = str(offer)
    offer.close()
    with pytest.raises(ConnectionError, match="not held any more"):
        shared.attach(ticket)
    other.stdin.close()  # it still has what it attached to
    assert other.stdout.read() == f"{x.sum()}\n"
    assert other.wait(30) == 0
    other.stdout.close()


@pytest.mark.parametrize("text", ["", "x", "inkstream-offer:k:zz", "inkstream-offer:k:abcd"])
def test_what_is_no_ticket_is_named(text: str) -> None:
    with pytest.raises(FixRequest, match="not a ticket"):
        shared.attach(text)


def test_a_ticket_of_a_process_that_ended_is_an_error_not_a_wait() -> None:
    with pytest.raises(ConnectionError, match="ended"):
        shared.attach("inkstream-offer:inkstream-keeper-1-00:" + "00" * 16)


def test_a_descriptor_that_could_still_change_is_refused() -> None:
    with (
        _new_segment.NewSegment("inkstream-open", 4096) as segment,
        pytest.raises(InkstreamError, match="no sealed segment"),
    ):
        _passing.map_checked(os.dup(segment.fd), 4096, b"x" * 16)
    with open("/dev/null") as file, pytest.raises(InkstreamError, match="no sealed segment"):
        _passing.map_checked(os.dup(file.fileno()), 4096, b"x" * 16)


def test_a_message_read_twice_is_refused_by_name() -> None:
    from multiprocessing.reduction import ForkingPickler

    shared.install(threshold=1000)
    message = bytes(ForkingPickler.dumps(np.zeros(1000)))
    assert pickle.loads(message).shape == (1000,)
    with pytest.raises(ConnectionError, match="taken before"):
        pickle.loads(message)


# --- ends, violent and other ---------------------------------------------------------------

FAMILY = """
import multiprocessing as mp, os, sys, time
import numpy as np
from inkstream import shared
from inkstream.shared import _keeper
_keeper._LINGER = 1.0
shared.install(threshold=1000)
kept = shared.share(np.ones(500_000))
def work(queue, kept):
    queue.put(np.full(1_000_000, 2.0))
    print("sent", flush=True)
    time.sleep(600)
if __name__ == "__main__":
    queue = mp.get_context("fork").Queue()
    children = [mp.get_context("fork").Process(target=work, args=(queue, kept)) for _ in range(2)]
    for child in children: child.start()
    first = queue.get()
    print("pids", os.getpid(), *[c.pid for c in children], flush=True)
    time.sleep(600)
"""


def test_kill_9_of_everybody_leaves_neither_keeper_nor_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(_keeper._ADDRESS, raising=False)  # a family of its own
    ours = set(keepers())
    before = segment_bytes()
    names = set(os.listdir("/dev/shm"))
    family = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True)
    assert family.stdout is not None
    pids: list[int] = []
    while not pids:
        line = family.stdout.readline()
        assert line
        if line.startswith("pids"):
            pids = [int(word) for word in line.split()[1:]]
    assert segment_bytes() - before > 4_000_000
    assert len(set(keepers()) - ours) == 1
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    family.wait(30)
    family.stdout.close()
    assert eventually(lambda: not set(keepers()) - ours, 60)
    assert eventually(lambda: segment_bytes() - before < 1_000_000)
    assert set(os.listdir("/dev/shm")) <= names


def _put_and_die(queue: Any) -> None:
    shared.install(threshold=1000)
    queue.put(np.arange(100_000))
    queue.close()
    queue.join_thread()  # the message is in the pipe
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_sender_had_sent_arrives(context: BaseContext) -> None:
    queue = context.Queue()
    child = context.Process(target=_put_and_die, args=(queue,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert queue.get(timeout=60).sum() == np.arange(100_000).sum()


def test_a_killed_keeper_costs_what_was_on_its_way_and_nothing_else() -> None:
    from multiprocessing.reduction import ForkingPickler

    shared.install(threshold=1000)
    kept = shared.share(np.ones(5000))
    lost = bytes(ForkingPickler.dumps(np.zeros(1000)))
    for keeper in keepers():
        os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not keepers())
    with pytest.raises(ConnectionError):
        pickle.loads(lost)
    assert pickle.loads(ForkingPickler.dumps(np.full(1000, 4.0))).sum() == 4000
    assert kept.sum() == 5000


def test_a_thousand_transfers_leave_no_descriptor() -> None:
    shared.install(threshold=1000)
    receive, send = mp.Pipe(duplex=False)
    send.send(np.zeros(1000))
    receive.recv()
    before = descriptors()
    held = []
    for i in range(1000):
        send.send(np.full(1000, i))
        held.append(receive.recv())
    assert descriptors() == before  # not even while the arrays live
    assert mapped_segments() == 1000
    assert all(array[0] == i for i, array in enumerate(held))
    held.clear()
    gc.collect()
    assert mapped_segments() == 0
    receive.close()
    send.close()


def test_views_keep_their_segment_and_only_they() -> None:
    def part() -> np.ndarray:
        return shared.share({"a": np.arange(1000), "b": np.zeros(1000)})["a"][100:][::3]

    view = part()
    gc.collect()
    assert segments_of() == 1
    assert view[1] == 103
    del view
    gc.collect()
    assert segments_of() == mapped_segments() == 0


def test_many_threads_send_at_once() -> None:
    shared.install(threshold=1000)
    failures: list[BaseException] = []

    def back_and_forth(number: int) -> None:
        receive, send = mp.Pipe(duplex=False)
        try:
            for i in range(30):
                send.send(np.full(2000, number * 100 + i))
                assert (receive.recv() == number * 100 + i).all()
        except BaseException as error:
            failures.append(error)
        finally:
            receive.close()
            send.close()

    threads = [threading.Thread(target=back_and_forth, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
