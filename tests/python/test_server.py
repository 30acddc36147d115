"""The client against the real server, over TCP and a Unix socket."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import Image, Strokes, View
from support.processes import Server, eventually, run_python

IMAGE = Image(28)


@pytest.fixture
def near(address: str) -> Iterator[inkstream.Dataset]:
    with inkstream.connect(address) as client:
        yield client.dataset("quickdraw")


@pytest.fixture
def two_servers(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    homes = [tmp_path_factory.mktemp("replica") for _ in range(2)]
    with Server(binary, store, homes[0]) as one, Server(binary, store, homes[1]) as two:
        yield [one, two]


def bytes_of(batch: inkstream.Batch) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in batch.items()}


def test_a_dataset_says_what_it_has(near: inkstream.Dataset) -> None:
    assert near.name == "quickdraw"
    assert len(near.fingerprint) == 64
    assert set(near.splits) == {"train", "valid"}
    assert sum(near.splits.values()) == len(near) == 2000
    assert len(near["train"]) == near.splits["train"] == near.count("train")
    assert len(near.classes) == 10
    assert near.classes == sorted(near.classes)
    assert {"label", "word", "countrycode", "timestamp", "recognized", "key_id"} <= set(
        near.columns
    )
    assert sum(near.stats["classes"].values()) == 2000
    assert near.client.datasets() == ["quickdraw"]


def test_an_epoch_is_every_drawing_once(near: inkstream.Dataset) -> None:
    seen = np.concatenate([b.index for b in near.stream("train", batch_size=100, tail="partial")])
    assert len(seen) == len(near["train"]) == len(set(seen.tolist()))


def test_labels_words_and_columns_belong_to_their_drawings(near: inkstream.Dataset) -> None:
    columns = ["label", "word", "countrycode", "timestamp", "recognized", "key_id"]
    batch = next(near.stream("train", batch_size=64, image=IMAGE, columns=columns))
    assert batch.image.shape == (64, 1, 28, 28)
    again = near.fetch(index=batch.index.tolist(), image=IMAGE, columns=columns)
    by_key = near.fetch(key_id=batch.key_id.tolist(), image=IMAGE, columns=columns)
    for other in (again, by_key):
        for name in batch:
            assert np.array_equal(batch[name], other[name]), name
    assert batch.words() == again.words()
    assert [batch.vocabulary["word"][i] for i in batch.word] == batch.words()
    first = near.inspect(index=int(batch.index[0]))
    assert first.startswith(f"{batch.index[0]}: {batch.words()[0]}")


def test_a_view_of_classes_counts_labels_in_its_own_order(near: inkstream.Dataset) -> None:
    classes = near.classes[::-1][:3]
    view = View("train", classes=classes)
    batches = list(near.stream(view, batch_size=50, tail="partial"))
    words = [word for batch in batches for word in batch.words()]
    assert len(words) == near.count(view)
    assert set(words) == set(classes)
    assert list(batches[0].classes) == classes
    assert near.split(view)[0].words()[0] in classes


def test_the_split_is_the_stream_without_shuffling(near: inkstream.Dataset) -> None:
    split = near.split("valid", image=IMAGE)
    rows = [3, 0, 3, len(split) - 1]
    plain = list(near.stream("valid", batch_size=64, image=IMAGE, shuffle="none", tail="partial"))
    images = np.concatenate([batch.image for batch in plain])
    assert len(images) == len(split)
    assert np.array_equal(split[rows].image, images[rows])
    assert np.array_equal(split[-1].image, images[-1])


def test_a_large_batch_that_is_cut_is_the_same(near: inkstream.Dataset) -> None:
    image = Image(256)
    batch = next(near.stream("train", batch_size=512, image=image, shuffle="none"))
    assert batch.image.nbytes == 512 << 16
    few = [0, 100, 511]
    assert np.array_equal(near.fetch(index=batch.index[few], image=image).image, batch.image[few])


def test_ranks_share_an_epoch_without_a_drawing_twice(near: inkstream.Dataset) -> None:
    seen: list[int] = []
    for rank in range(3):
        stream = near.stream("train", batch_size=50, rank=rank, world=3, tail="partial")
        for batch in stream:
            seen += batch.index[batch.valid].tolist()
    assert len(seen) == len(set(seen)) == len(near["train"])


def test_a_cursor_goes_on_with_another_world_and_batch_size(near: inkstream.Dataset) -> None:
    stream = near.stream("train", batch_size=60, world=2, rank=0)
    other = near.stream("train", batch_size=60, world=2, rank=1)
    seen: list[int] = []
    for _ in range(4):
        seen += next(stream).index.tolist() + next(other).index.tolist()
    cursor = stream.state_dict()
    assert cursor == other.state_dict()
    for rank in range(3):
        rest = near.stream(
            "train", batch_size=11, world=3, rank=rank, start=cursor, tail="partial", image=IMAGE
        )
        seen += [i for batch in rest for i in batch.index[batch.valid].tolist()]
    assert len(seen) == len(set(seen)) == len(near["train"])


def test_the_state_before_the_first_batch_opens_the_same_stream(near: inkstream.Dataset) -> None:
    stream = near.stream("train", batch_size=100, seed=4)
    state = stream.state_dict()
    assert state["plan_hash"]
    assert "shuffle=full" in state["order_plan"]
    first = next(stream).index.tolist()
    assert next(near.stream("train", batch_size=100, start=state)).index.tolist() == first


def test_seek_before_the_first_batch(near: inkstream.Dataset) -> None:
    whole = [batch.index.tolist() for batch in near.stream("train", batch_size=100, epochs=3)]
    stream = near.stream("train", batch_size=100, epochs=3)
    stream.seek(epoch=1, step=5)
    steps = len(stream) // 3
    assert [batch.index.tolist() for batch in stream] == whole[steps + 5 :]


def test_another_seed_or_epoch_is_another_order(near: inkstream.Dataset) -> None:
    def order(**keywords: int) -> list[int]:
        stream = near.stream("train", batch_size=1500, seed=keywords["seed"], epochs=9)
        stream.seek(epoch=keywords["epoch"])
        return next(stream).index.tolist()

    assert len({tuple(order(seed=s, epoch=e)) for s in (0, 1) for e in (0, 1)}) == 4


@pytest.mark.parametrize(
    ("ask", "kind", "says"),
    [
        (lambda d: d.client.dataset("quickdrwa"), inkstream.NotFound, "quickdraw"),
        (lambda d: d.count("trian"), inkstream.NotFound, 'nearest is "train"'),
        (lambda d: d.count(View(classes=["cra"])), inkstream.NotFound, "car"),
        (lambda d: next(d.stream(batch_size=10**7)), inkstream.FixRequest, "1..65536"),
        (lambda d: next(d.stream(image=Image(5000))), inkstream.FixRequest, "1..1024"),
        (lambda d: next(d.stream(columns=["lable"])), inkstream.FixRequest, "label"),
        (lambda d: next(d.stream(rank=2, world=2)), inkstream.FixRequest, "rank"),
        (lambda d: next(d.stream(start={"position": 10**9})), inkstream.FixRequest, "position"),
        (lambda d: d.fetch(index=[10**9]), inkstream.OutOfRange, r"0\.\.1999"),
        (lambda d: d.split("valid")[10**6], inkstream.OutOfRange, "1000000"),
        (lambda d: d.fetch(key_id=[1]), inkstream.FixRequest, "key_id"),
    ],
)
def test_an_error_names_what_to_fix(
    near: inkstream.Dataset,
    ask: Callable[[inkstream.Dataset], object],
    kind: type[Exception],
    says: str,
) -> None:
    with pytest.raises(kind, match=says):
        ask(near)


@pytest.mark.parametrize("keywords", [{"strokes": Strokes(100)}, {"image": IMAGE, "views": 2}])
def test_what_is_not_offered_is_refused_or_given(
    near: inkstream.Dataset, keywords: dict[str, object]
) -> None:
    try:
        next(near.stream(**keywords))  # type: ignore[arg-type]
    except inkstream.FixRequest as error:
        assert "offered" in str(error)


def test_a_cursor_of_another_order_is_refused_by_field(near: inkstream.Dataset) -> None:
    cursor = near.stream("train", batch_size=10).state_dict()
    with pytest.raises(inkstream.PlanMismatch, match="shuffle") as caught:
        next(near.stream("train", batch_size=10, shuffle="none", start=cursor))
    assert "full" in str(caught.value)
    assert "none" in str(caught.value)


def test_other_data_is_refused_with_both_fingerprints(
    binary: Path, other_store: Path, near: inkstream.Dataset, tmp_path: Path
) -> None:
    cursor = near.stream("train", batch_size=10).state_dict()
    with Server(binary, other_store, tmp_path) as other:
        there = inkstream.connect(other.tcp).dataset()
        with pytest.raises(inkstream.PlanMismatch) as caught:
            next(there.stream("train", batch_size=10, start=cursor))
        assert near.fingerprint in str(caught.value)
        assert there.fingerprint in str(caught.value)
        with pytest.raises(inkstream.PlanMismatch, match=near.fingerprint):
            there.client.dataset(fingerprint=near.fingerprint)


def test_two_servers_give_the_same_bytes(two_servers: list[Server]) -> None:
    streams = [
        inkstream.connect(address).dataset().stream("train", batch_size=100, image=IMAGE)
        for address in (two_servers[0].tcp, two_servers[1].unix)
    ]
    for one, two in zip(*streams, strict=True):
        assert bytes_of(one) == bytes_of(two)
        assert one.cursor == two.cursor


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_server_that_goes_costs_a_pause(two_servers: list[Server], number: int) -> None:
    client = inkstream.connect([s.tcp for s in two_servers], stall=2.0, retry_for=60)
    image = Image(64)

    def stream_of(client: inkstream.Client) -> inkstream.Stream:
        return client.dataset().stream("train", batch_size=50, image=image, epochs=6)

    wanted = [bytes_of(batch) for batch in stream_of(inkstream.connect(two_servers[0].tcp))]
    stream = stream_of(client)
    found = [bytes_of(next(stream)) for _ in range(3)]
    used = stream.stats()["endpoint"]
    next(s for s in two_servers if s.tcp == used).send(number)
    found += [bytes_of(batch) for batch in stream]
    assert found == wanted
    assert stream.stats()["endpoint"] != used
    assert stream.stats()["reopened"] >= 1


def test_a_server_that_comes_back_on_its_address_goes_on(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with Server(binary, store, tmp_path) as server:
        data = inkstream.connect(server.tcp, retry_for=60).dataset()
        wanted = [b.index.tolist() for b in data.stream("train", batch_size=10, epochs=3)]
        stream = data.stream("train", batch_size=10, epochs=3)
        found = [next(stream).index.tolist()]
        server.kill()
        time.sleep(0.3)
        server.start(server.tcp)
        found += [batch.index.tolist() for batch in stream]
        assert found == wanted


def test_random_access_goes_on_elsewhere_too(two_servers: list[Server]) -> None:
    split = inkstream.connect([s.tcp for s in two_servers]).dataset().split("train", image=IMAGE)
    wanted = split[[1, 2, 3]].image
    two_servers[0].kill()
    assert np.array_equal(split[[1, 2, 3]].image, wanted)


def streams_on(client: inkstream.Client) -> int:
    return len(client.status().get("streams", []))


def test_a_stream_that_is_left_is_gone_from_the_server(near: inkstream.Dataset) -> None:
    stream = near.stream("train", batch_size=10, epochs="forever")
    next(stream)
    assert streams_on(near.client) >= 1
    stream.close()
    assert eventually(lambda: streams_on(near.client) == 0, 3)


LOOP = """
import sys, inkstream
data = inkstream.connect(sys.argv[1]).dataset()
stream = data.stream("train", batch_size=10, epochs="forever", image=inkstream.Image(28))
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("next(stream)", 0),
        ("next(stream); sys.exit(3)", 3),
        ("next(stream); data.client.close()", 0),
        ("len(data['train']); data.stream('train').state_dict()", 0),
        ("import os, signal\nfor b in stream:\n  os.kill(os.getpid(), signal.SIGTERM)", -15),
    ],
)
def test_an_interpreter_that_ends_says_nothing(server: Server, ending: str, code: int) -> None:
    done = run_python(LOOP + ending, server.tcp, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    client = inkstream.connect(server.tcp)
    assert eventually(lambda: streams_on(client) == 0, 3)


def test_ctrl_c_in_the_loop_is_a_keyboard_interrupt(server: Server) -> None:
    # As in a terminal, also where the tests run in a shell's background, which ignores it.
    ending = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    ending += "for b in stream:\n  os.kill(os.getpid(), signal.SIGINT)"
    done = run_python(LOOP + ending, server.tcp, timeout=30)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.strip().endswith("KeyboardInterrupt")
    assert done.stderr.count("Traceback") == 1


def test_a_fork_in_the_middle_disturbs_neither_side(server: Server) -> None:
    program = LOOP + (
        "import os\n"
        "first = next(stream)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        next(stream)\n"
        "    except inkstream.WrongProcess:\n"
        "        own = next(data.stream('train', batch_size=10))\n"
        "        assert own.index.tolist() == first.index.tolist()\n"
        "        os._exit(7)\n"
        "    os._exit(1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "assert os.waitstatus_to_exitcode(status) == 7\n"
        "for _ in range(100): next(stream)\n"
    )
    for _ in range(3):
        done = run_python(program, server.tcp, timeout=60)
        assert done.returncode == 0, done.stderr


def test_importing_loads_neither_torch_nor_ray() -> None:
    done = run_python(
        "import sys, inkstream\n"
        "print([m for m in ('torch', 'ray', 'PIL', 'pandas') if m in sys.modules])\n"
        "inkstream.torch.loader; print('torch' in sys.modules)"
    )
    assert done.stdout == "[]\nTrue\n", done.stderr
