"""inkstream.open: a store in this process, as a server would give it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Augment, Image, Strokes, View
from support.processes import Server, run_python
from support.stores import next_generation

EVERYTHING: dict[str, Any] = {
    "image": Image(28, dtype="float16"),
    "strokes": Strokes(80),
    "augment": Augment(rotation=20, jitter=2, line_width=0.3),
    "columns": ["label", "word", "countrycode", "timestamp", "recognized", "key_id"],
    "views": 2,
    "batch_size": 32,
}


@pytest.fixture
def here(store: Path) -> inkstream.Dataset:
    return inkstream.open(store).dataset()


def same(one: inkstream.Batch, other: inkstream.Batch) -> None:
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert one._cursor == other._cursor  # none, where they were asked for by number


def test_a_stream_is_a_servers_bit_for_bit(here: inkstream.Dataset, data: Any) -> None:
    local = here.stream("train", **EVERYTHING, epochs=2)
    remote = data.stream("train", **EVERYTHING, epochs=2)
    assert len(local) == len(remote)
    count = 0
    for one, other in zip(local, remote, strict=True):
        same(one, other)
        count += 1
    assert count == len(local)


def test_fetches_and_plans_are_a_servers(here: inkstream.Dataset, data: Any) -> None:
    asked: dict[str, Any] = {"index": [5, 9, 5], "image": Image(64), "columns": ["key_id"]}
    same(here.fetch(**asked), data.fetch(**asked))
    keys = here.fetch(**asked).key_id
    same(here.fetch(key_id=keys, image=Image(28)), data.fetch(key_id=keys, image=Image(28)))
    assert here.stats["classes"] == data.stats["classes"]
    planned = [d.plan("train", step=3, steps=2).steps for d in (here, data)]
    assert [s.index.tolist() for s in planned[0]] == [s.index.tolist() for s in planned[1]]
    assert here.count(View("valid")) == data.count(View("valid"))


def test_a_checkpoint_moves_between_the_two(here: inkstream.Dataset, data: Any) -> None:
    for begins, goes_on in ((here, data), (data, here)):
        stream = begins.stream("train", batch_size=50, epochs=2)
        for _ in range(5):
            next(stream)
        rest = goes_on.stream("train", batch_size=50, epochs=2, start=stream.state_dict())
        for one, other in zip(stream, rest, strict=True):
            same(one, other)


def test_key_sets_are_given_unasked(here: inkstream.Dataset) -> None:
    keys = inkstream.KeySet(here.fetch(index=[1, 2, 3], columns=["key_id"]).key_id)
    view = View("", include_keys=keys)
    assert here.count(view) == 3
    assert sum(len(b.index) for b in here.stream(view, tail="partial")) == 3


def test_memory_is_used_again_only_when_nothing_shows_it(here: inkstream.Dataset) -> None:
    stream = here.stream(batch_size=64, image=Image(64), epochs=3, shuffle="none")
    kept = [next(stream) for _ in range(5)]
    copies = [batch.image.copy() for batch in kept]
    for batch in stream:
        del batch
    for batch, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(batch.image, copy)


def test_an_odd_number_of_batches_ahead_changes_nothing(here: inkstream.Dataset) -> None:
    wanted = [batch.index.tolist() for batch in here.stream(batch_size=30)]
    for ahead in (1, 2, 3, 8):
        stream = here.stream(batch_size=30)
        stream._iterator._ahead = ahead
        assert [batch.index.tolist() for batch in stream] == wanted


def test_stats_tell_where_the_time_goes(here: inkstream.Dataset) -> None:
    stream = here.stream(batch_size=64, image=Image(64))
    next(stream)
    stats = stream.stats()
    assert stats["transport"] == "here"
    assert stats["waits"]["draw"] > 0
    assert stats["bottleneck"]
    assert stats["wire_bytes"] == 0
    assert here.client.status()["streams"][0]["drawings"] >= 64


def test_errors_are_those_of_any_client(here: inkstream.Dataset, tmp_path: Path) -> None:
    with pytest.raises(inkstream.NotFound, match="train"):
        next(here.stream("trian"))
    with pytest.raises(inkstream.FixRequest, match="batch_size"):
        next(here.stream(batch_size=65536, image=Image(1024)))
    with pytest.raises(inkstream.PlanMismatch, match=r"view|split|plan"):
        state = here.stream("valid").state_dict()
        next(here.stream("train", start=state))
    with pytest.raises(inkstream.NotFound, match=r"nothing\.ink"):
        inkstream.open(tmp_path / "nothing.ink")
    (tmp_path / "empty.ink").mkdir()
    with pytest.raises(inkstream.NotFound, match=r"empty\.ink"):
        inkstream.open(tmp_path / "empty.ink")
    here.client.close()
    with pytest.raises(inkstream.Closed):
        here.client.datasets()


@pytest.mark.parametrize("keyword", ["threads", "memory"])
def test_budgets_are_checked(store: Path, keyword: str) -> None:
    with pytest.raises(inkstream.FixRequest, match=f"{keyword} = 0"):
        inkstream.open(store, **{keyword: 0})


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("127.0.0.1:50051", r"is reached by inkstream.connect\('127.0.0.1:50051'\)"),
        ("unix:/run/x.sock", "is reached by inkstream.connect"),
        ("~", f"{Path.home()}' is probably meant"),
        ("nowhere.ink", "`inkstream ingest` makes"),
        (__file__, "`inkstream ingest` makes"),
    ],
)
def test_what_is_no_store_is_told_for_what_it_is(path: str, says: str) -> None:
    with pytest.raises(inkstream.NotFound, match=says):
        inkstream.open(path)


def test_a_batch_that_does_not_fit_the_memory_is_refused_by_name(store: Path) -> None:
    data = inkstream.open(store, memory=4 << 20).dataset()
    with pytest.raises(inkstream.FixRequest, match="batch of 256 drawings"):
        next(data.stream(batch_size=256, image=Image(128)))


def test_a_view_that_does_not_fit_the_memory_is_refused_by_name(store: Path) -> None:
    data = inkstream.open(store, memory=1 << 20).dataset()
    keys = inkstream.KeySet(range(1, 10_001))
    with pytest.raises(inkstream.FixRequest, match="10000 keys; at most"):
        data.count(View("", include_keys=keys))


def test_the_number_of_threads_is_the_environments_or_the_callers(store: Path) -> None:
    program = (
        "import sys, inkstream\n"
        "client = inkstream.open(sys.argv[1], threads=int(sys.argv[2]) or None)\n"
        "print(client.status()['workers'])"
    )

    def said(threads: int, **environment: str) -> str:
        done = run_python(program, str(store), str(threads), **environment)
        return done.stdout.strip() or done.stderr

    assert said(3) == "3"
    assert said(0, INKSTREAM_THREADS="5") == "5"
    assert said(3, INKSTREAM_THREADS="5") == "3"
    assert said(0, LOCAL_WORLD_SIZE="64") == "1"
    assert "INKSTREAM_THREADS = 'many'" in said(0, INKSTREAM_THREADS="many")


def test_without_the_library_open_says_what_else_there_is(store: Path) -> None:
    done = run_python(
        "import sys, inkstream; inkstream.open(sys.argv[1])",
        str(store),
        INKSTREAM_LIBRARY="none",
    )
    assert re.search("FixRequest: .*INKSTREAM_LIBRARY=none.*serve.*connect", done.stderr)


def test_a_pickled_client_sees_the_content_that_it_was_opened_with(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    later = next_generation(binary, store, tmp_path, 100)
    newest = (later / "MANIFEST").read_bytes()
    # As it was before what was appended.
    (later / "MANIFEST").write_bytes((later / "MANIFEST.000001").read_bytes())
    data = inkstream.open(later).dataset()
    (later / "MANIFEST").write_bytes(newest)
    program = (
        "import sys, pickle; data = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "print(data.drawings, data.client.dataset().fingerprint, next(data.stream()).index.sum())"
    )
    done = run_python(program, pickle.dumps(data).hex())
    first = next(data.stream())
    assert done.stdout.split() == ["2000", data.fingerprint, str(first.index.sum())], done.stderr
    assert inkstream.open(later).dataset().drawings == 2100


HUNDREDS = """
import gc, os, sys, inkstream

def use():
    with inkstream.open(sys.argv[1]) as client:
        next(client.dataset().stream(batch_size=16, image=inkstream.Image(28)))

def held():
    gc.collect()
    maps = open("/proc/self/maps").read().count(sys.argv[1])
    files = len(os.listdir("/proc/self/fd")) - maps  # a store that is mapped is open
    return files, len(os.listdir("/proc/self/task")), maps

use()
before = held()
for _ in range(200):
    use()
after = held()
# A thread that is idle may keep the store it drew of last.
print(before[:2] == after[:2] and after[2] <= max(before[2], 1), before, after)
"""


def test_nothing_is_left_behind_by_hundreds_of_clients(store: Path) -> None:
    done = run_python(HUNDREDS, str(store))
    assert done.stdout.startswith("True "), done.stdout + done.stderr


def batch_of(data: inkstream.Dataset) -> list[int]:
    found: list[int] = next(data.stream(batch_size=16, image=Image(28))).index.tolist()
    return found


def test_forked_processes_read_under_their_parents_streams(here: inkstream.Dataset) -> None:
    wanted = batch_of(here)
    stream = here.stream(batch_size=64, image=Image(64), epochs=None)
    stop = threading.Event()

    def read() -> None:
        for _ in here.stream(batch_size=64, image=Image(64), epochs=None):
            if stop.is_set():
                return

    reading = threading.Thread(target=read)
    reading.start()
    try:
        for _ in range(100):
            next(stream)
            child = os.fork()
            if child == 0:
                try:
                    next(stream)
                except inkstream.WrongProcess:
                    os._exit(0 if batch_of(here) == wanted else 2)
                os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        reading.join()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_way_to_start_workers_reads(here: inkstream.Dataset, method: str) -> None:
    wanted = batch_of(here)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(batch_of, [here] * 4) == [wanted] * 4


ENDLESS = """
import sys, inkstream
stream = inkstream.open(sys.argv[1]).dataset().stream(
    batch_size=16, image=inkstream.Image(28), epochs=None)
next(stream)
print("reading", flush=True)
for batch in stream:
    pass
"""


def test_ctrl_c_ends_a_loop(store: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize("last", ["", "import os; os._exit(0)", "raise SystemExit(0)"])
def test_an_interpreter_that_ends_in_the_midst_of_a_stream_ends_well(
    store: Path, last: str
) -> None:
    program = (
        "import sys, inkstream\n"
        "data = inkstream.open(sys.argv[1]).dataset()\n"
        "streams = [data.stream(batch_size=256, image=inkstream.Image(128)) for _ in range(3)]\n"
        f"kept = [next(stream) for stream in streams]\n{last}"
    )
    for _ in range(5):
        done = run_python(program, str(store))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_server_beside_it_is_none_of_its_business(server: Server, store: Path) -> None:
    with inkstream.connect(server.tcp) as remote, inkstream.open(store) as local:
        assert remote.dataset().fingerprint == local.dataset().fingerprint


CUT = """
import os, sys
import inkstream

data = inkstream.open(sys.argv[1]).dataset()
largest = max(os.scandir(sys.argv[1]), key=lambda entry: entry.stat().st_size)
with data.stream("train", batch_size=16, image=28) as stream:
    next(stream)
os.truncate(largest, 20_000)
for read in (lambda: list(data.stream("train", image=28)), lambda: data.fetch([1990])):
    try:
        read()
    except inkstream.DataLoss as error:
        assert largest.name in str(error) and "has 20000 now" in str(error), error
    else:
        raise AssertionError("nothing was said")
"""


def test_a_store_that_is_cut_short_is_an_error_and_no_signal(store: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "cut.ink")
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(copy)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
