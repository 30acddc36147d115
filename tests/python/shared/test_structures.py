"""inkstream.shared.share: whole structures in one segment, equal, read-only."""

from __future__ import annotations

import itertools
import multiprocessing as mp
import pickle
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from inkstream import shared
from inkstream.shared import _new_segment, _segment
from support.leaks import segment_bytes


def _sum(value: Any) -> float:
    return float(sum(_sum(v) for v in value.values()) if isinstance(value, dict) else value.sum())


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
    advise = _segment.advise

    def meagre(address: int, size: int, advice: int) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and advise(address, size, advice)

    monkeypatch.setattr(_segment, "advise", meagre)
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


def test_a_control_group_of_this_process_bounds_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemAvailable:    8000000 kB\n",
        "/proc/self/cgroup": "0::/job\n",
        "/sys/fs/cgroup/job/memory.max": "1000000\n",
        "/sys/fs/cgroup/job/memory.current": "900000\n",
    }
    monkeypatch.setattr(
        "inkstream._library.available_memory._read", lambda path: files.get(path, "")
    )
    with pytest.raises(shared.NotEnoughMemory, match=r"97\.7 KiB are free"):
        shared.share(np.zeros(200_000, np.uint8))
