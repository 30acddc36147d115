"""data.share: one array of a whole view for every process of the host."""

from __future__ import annotations

import gc
import json
import multiprocessing as mp
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Augment, FixRequest, Image, View, shared
from inkstream.shared import NotEnoughMemory
from inkstream.shared._new_segment import NewSegment
from inkstream.shared._rendezvous import claim, find_segment
from support.fake_server import Behaviour, FakeServer, pixels
from support.leaks import mapped_segments, segment_bytes, segments_of
from support.processes import Server, eventually, run_python
from support.stores import make_store

VIEW = "inkstream-view-"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No view may outlive its last user."""
    yield
    gc.collect()
    assert eventually(lambda: gc.collect() >= 0 and segments_of(word=VIEW) == 0)
    assert mapped_segments(word=VIEW) == 0


def test_rows_are_the_drawings_of_the_view_in_index_order(data: inkstream.Dataset) -> None:
    view = View("valid", classes=data.classes[2:5])
    array = data.share(view, image=Image(28))
    expected = data.split(view, image=Image(28))[:]
    assert array.dtype == np.uint8 and array.shape == expected.image.shape
    assert (array == expected.image).all()
    assert not array.flags.writeable
    labels = data.share(view, column="label")
    assert (labels == expected.label).all() and labels.dtype == np.int64
    assert (data.share(view, column="index") == expected.index).all()


def test_several_batches_make_the_same_array(data: inkstream.Dataset) -> None:
    array = data.share("train", image=Image(96, 64))
    assert array.nbytes > 2 * (4 << 20)
    whole = data.split("train", image=Image(96, 64))
    for i in (0, 1, 681, 682, 683, len(array) - 1):
        assert (array[i] == whole[i].image).all()


def test_a_second_caller_gets_the_same_memory(data: inkstream.Dataset) -> None:
    first = data.share("valid", image=Image(28))
    second = data.share(View("valid"), image=Image(28, 28))
    assert np.shares_memory(first, second)
    assert segments_of(word=VIEW) == 1
    assert not np.shares_memory(first, data.share("valid", image=Image(27)))


USER = """
import os, sys, time
import inkstream
from inkstream import Image, View
data = inkstream.connect(sys.argv[1]).dataset()
told = []
print("start", flush=True)
sys.stdin.readline()
began = time.monotonic()
image = Image(int(sys.argv[3]))
array = data.share(sys.argv[2], image=image, progress=lambda d, n: told.append((d, n)))
took = time.monotonic() - began
inode = [line.split()[4] for line in open("/proc/self/maps") if "inkstream-view-" in line][0]
print(inode, int(array[::7].sum()), len(told), took, flush=True)
sys.stdin.readline()
print(int(array[::7].sum()), flush=True)
"""


class User:
    """A process that shares a view: told to begin, then to check it again and end."""

    def __init__(self, address: str, view: str = "train", side: int = 64) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, address, view, str(side)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.line() == "start\n"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        last = self.process.stdout.read()
        self.process.stdout.close()
        assert self.process.wait(30) == 0
        return last

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def test_unrelated_processes_map_one_array_built_once(server: Server) -> None:
    users = [User(server.tcp) for _ in range(4)]
    for user in users:
        user.go()
    reports = [user.line().split() for user in users]
    assert len({r[0] for r in reports}) == 1, reports  # one inode
    assert len({r[1] for r in reports}) == 1
    before = segment_bytes()
    late = User(server.tcp)
    late.go()
    report = late.line().split()
    assert report[:2] == reports[0][:2] and report[2] == "0"  # nothing was built
    assert segment_bytes() == before
    users[0].kill()  # whoever built it
    again = User(server.tcp)
    again.go()
    assert again.line().split()[0] == report[0]
    for user in [*users[1:], late, again]:
        assert user.end() == report[1] + "\n"
    assert eventually(lambda: segment_bytes() == 0)


def test_the_last_user_killed_frees_the_memory(server: Server) -> None:
    users = [User(server.tcp), User(server.tcp)]
    for user in users:
        user.go()
        user.line()
    assert segment_bytes() > 1 << 20
    for user in users:
        user.kill()
    assert eventually(lambda: segment_bytes() == 0)
    name = "inkstream-view-" + "0" * 32
    with closing(claim(name) or pytest.fail("free, and yet refused")):
        assert claim(name) is None


STUCK = """
import os, sys, signal
import inkstream
from inkstream import Image
data = inkstream.connect(sys.argv[1]).dataset()
def stop(done, total):
    print("building", done, flush=True)
    sys.stdin.readline()
data.share("train", image=Image(64), progress=stop)
"""


def stuck_builder(address: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline().startswith("building")
    return process


def test_when_the_builder_is_killed_a_waiting_process_takes_over(server: Server) -> None:
    builder = stuck_builder(server.tcp)
    users = [User(server.tcp) for _ in range(2)]
    for user in users:
        user.go()
    builder.kill()
    builder.communicate()
    reports = [user.line().split() for user in users]
    assert reports[0][:2] == reports[1][:2]
    assert all(user.end() == reports[0][1] + "\n" for user in users)


def test_waiting_shows_how_far_the_builder_is(server: Server, data: inkstream.Dataset) -> None:
    entered, go_on = threading.Event(), threading.Event()
    seen: list[tuple[int, int]] = []

    def slow(done: int, total: int) -> None:
        entered.set()
        # Until the other has heard of it: no more than one batch each time it has.
        go_on.wait(0.1)

    def build() -> None:
        inkstream.connect(server.tcp).dataset().share("train", image=Image(128), progress=slow)

    builder = threading.Thread(target=build)
    builder.start()
    assert entered.wait(30)

    def hear(done: int, total: int) -> None:
        seen.append((done, total))
        go_on.set()

    array = data.share("train", image=Image(128), progress=hear)
    builder.join()
    assert seen and all(total == len(array) for _, total in seen)


def test_a_failed_build_leaves_the_way_free() -> None:
    with FakeServer(Behaviour(size=50, vanish_after=0)) as fake:
        data = inkstream.connect(fake.address, retry_for=0.3).dataset()
        with pytest.raises(inkstream.InkstreamError):
            data.share("train", image=Image(8))
        fake.behaviour.vanish_after = None
        array = data.share("train", image=Image(8))
        assert len(array) == 50


def test_a_new_generation_is_a_new_array_and_the_old_one_stays(
    binary: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    stores = [make_store(binary, tmp_path / n, 300, seed=s) for n, s in (("a", 1), ("b", 2))]
    arrays = []
    for number, store in enumerate(stores):
        home = tmp_path / f"home{number}"
        home.mkdir()
        with Server(binary, store, home) as running:
            data = inkstream.connect(running.tcp).dataset()
            arrays.append(data.share("train", image=Image(28)))
            assert (arrays[-1] == data.split("train", image=Image(28))[:].image).all()
    old, new = arrays
    assert not np.shares_memory(old, new)
    assert old.shape[1:] == new.shape[1:] and old.tobytes() != new.tobytes()


def test_a_view_that_does_not_fit_says_what_it_takes(
    data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotEnoughMemory, match=r"drawings.*limit is 1\.0 MiB.*smaller image") as e:
        data.share("train", image=Image(128), budget=1 << 20)
    assert isinstance(e.value, MemoryError)
    monkeypatch.setattr("inkstream.shared._memory.available_memory", lambda: 1 << 20)
    with pytest.raises(NotEnoughMemory, match=r"1\.0 MiB are free.*path=FILE"):
        data.share("train", image=Image(128))


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({}, "either image= or column="),
        ({"image": Image(28), "column": "label"}, "either image= or column="),
        ({"image": Image(28), "augment": Augment(flip_x=0.5)}, "no keyword 'augment'"),
        ({"column": "labels"}, "label"),
    ],
)
def test_wrong_keywords_are_named(
    data: inkstream.Dataset, keywords: dict[str, Any], text: str
) -> None:
    with pytest.raises(FixRequest, match=text):
        data.share("train", **keywords)


def test_an_empty_view_is_refused(data: inkstream.Dataset) -> None:
    with FakeServer(Behaviour(size=0)) as fake:
        empty = inkstream.connect(fake.address).dataset()
        with pytest.raises(FixRequest, match="no drawings"):
            empty.share("train", image=Image(8))


def test_children_of_every_kind_get_it_by_reference(data: inkstream.Dataset) -> None:
    array = data.share("valid", image=Image(64))
    for method in ("fork", "spawn"):
        with mp.get_context(method).Pool(1) as pool:
            total, by_reference = pool.apply(_sum, (array[3:, :, ::2],))
        assert total == int(array[3:, :, ::2].sum()) and by_reference


def _sum(array: np.ndarray) -> tuple[int, bool]:
    return int(array.sum()), shared.is_shared(array)


def test_somebody_elses_segment_of_that_name_is_not_taken() -> None:
    name = "inkstream-view-" + "1" * 32
    with closing(NewSegment(name, 4096)):  # not sealed: still being built, or a forgery
        assert find_segment(name) is None


def test_attaching_takes_milliseconds(data: inkstream.Dataset, server: Server) -> None:
    array = data.share("train", image=Image(64))
    user = User(server.tcp)
    user.go()
    took = float(user.line().split()[3])
    user.end()
    assert took < 2  # no verdict on speed: drawing is not what it did
    assert len(array)


def test_huge_pages_change_no_byte(data: inkstream.Dataset) -> None:
    expected = data.split("train", image=Image(80))[:].image
    for huge_pages in (True, False):
        array = data.share("train", image=Image(80), huge_pages=huge_pages)
        assert array.nbytes > 4 << 20
        assert (array == expected).all()
        del array


# --- in a file -----------------------------------------------------------------------------


def test_a_file_is_complete_and_readable_as_npy(data: inkstream.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "valid.npy"
    array = data.share("valid", image=Image(28), path=path)
    assert os.listdir(tmp_path) == ["valid.npy"]
    assert (np.load(path, mmap_mode="r") == array).all()
    assert (array == data.split("valid", image=Image(28))[:].image).all()
    again = data.share("valid", image=Image(28), path=str(path))
    assert (again == array).all()
    assert segments_of(word=VIEW) == 0


def test_an_interrupted_file_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "train.npy"
    monkeypatch.setattr("inkstream.shared.views.shared_view._BATCH_BYTES", 10 * 64)
    monkeypatch.setattr("inkstream.shared.views.view_in_file._CHECKPOINT_BYTES", 1)
    with FakeServer(Behaviour(size=100)) as fake:
        data = inkstream.connect(fake.address).dataset()

        def interrupt(done: int, total: int) -> None:
            if done >= 50:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            data.share("train", image=Image(8), path=path, progress=interrupt)
        assert os.listdir(tmp_path) == ["train.npy.partial"]
        told: list[int] = []
        array = data.share(
            "train", image=Image(8), path=path, progress=lambda done, _: told.append(done)
        )
        assert told[0] == 50  # 40 were safe
        rows = [(i * 7) % 100 for i in range(100)]
        assert all(
            (array[i, 0] == pixels(row, 8, 8).reshape(8, 8)).all() for i, row in enumerate(rows)
        )
    assert os.listdir(tmp_path) == ["train.npy"]


FILE_BUILDER = """
import sys, time
import inkstream
from inkstream import Image
from inkstream.shared.views import shared_view, view_in_file
shared_view._BATCH_BYTES = 64 * 64 * 100
view_in_file._CHECKPOINT_BYTES = 1
data = inkstream.connect(sys.argv[1]).dataset()
def told(done, total):
    print(done, flush=True)
    if len(sys.argv) > 3: sys.stdin.readline()
array = data.share("train", image=Image(64), path=sys.argv[2], progress=told)
print("sum", int(array.sum()), flush=True)
"""


def test_processes_build_one_file_and_take_over_from_a_killed_one(
    server: Server, data: inkstream.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "train.npy"
    command = [sys.executable, "-c", FILE_BUILDER, server.tcp, str(path)]
    builder = subprocess.Popen(
        [*command, "slowly"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert builder.stdout is not None and builder.stdin is not None
    assert builder.stdout.readline() == "100\n"
    builder.stdin.write("\n")
    builder.stdin.flush()
    assert builder.stdout.readline() == "200\n"
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    os.kill(builder.pid, signal.SIGKILL)
    builder.communicate()
    ends = [other.communicate(timeout=60)[0].splitlines() for other in others]
    total = int(data.split("train", image=Image(64))[:].image.astype(np.int64).sum())
    assert [lines[-1] for lines in ends] == [f"sum {total}"] * 2
    assert os.listdir(tmp_path) == ["train.npy"]


def test_a_file_of_other_content_is_replaced_and_its_map_stays(
    data: inkstream.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "view.npy"
    old = data.share("valid", image=Image(28), path=path)
    was = old.tobytes()
    new = data.share("valid", image=Image(20), path=path)
    assert new.shape[2:] == (20, 20)
    assert old.tobytes() == was
    assert np.load(path, mmap_mode="r").shape == new.shape


def test_a_file_that_is_not_ours_is_left_alone(data: inkstream.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n" * 1000)
    with pytest.raises(FixRequest, match="no shared view"):
        data.share("valid", image=Image(28), path=path)
    assert path.read_text().startswith("dear diary")


def test_a_disk_without_room_is_told_before_anything_is_written(
    data: inkstream.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("inkstream.shared.views.view_in_file.shutil.disk_usage", lambda _: usage)
    with pytest.raises(NotEnoughMemory, match="free there"):
        data.share("valid", image=Image(28), path=tmp_path / "x.npy")
    assert os.listdir(tmp_path) == []


def test_a_terminal_sees_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    from inkstream._display.progress_bar import progress_of

    meter: Any = progress_of(True, "sharing train")
    meter._next = time.monotonic()
    meter(2500, 10_000)
    meter(10_000, 10_000)
    told = capsys.readouterr().err
    assert "sharing train: 2,500 of 10,000 drawings, 25 %" in told and told.endswith("100 %\n")


def test_a_program_without_a_terminal_stays_silent(server: Server) -> None:
    program = """
import sys, inkstream
inkstream.connect(sys.argv[1]).dataset().share("valid", image=inkstream.Image(28))
"""
    done = run_python(program, server.tcp)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), json.dumps(done.stderr)
