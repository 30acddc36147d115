"""Going on elsewhere: the same bytes, whatever happens to servers and networks."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Image
from support.fake_server import Behaviour, FakeServer
from support.processes import Server, eventually
from support.proxy import Proxy
from support.stores import next_generation

IMAGE = Image(64)


@pytest.fixture
def replicas(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(Server(binary, store, tmp_path_factory.mktemp("replica")))
            for _ in range(3)
        ]


def bytes_of(batch: inkstream.Batch) -> tuple[bytes, bytes, int, int]:
    cursor = batch.cursor
    return batch.image.tobytes(), batch.index.tobytes(), cursor["epoch"], cursor["position"]


def stream_of(client: inkstream.Client, **keywords: Any) -> inkstream.Stream:
    """Of pixels: as rows all of it would be ahead before a server is gone (the conformance suite
    has a longer stream of rows)."""
    given: dict[str, Any] = {"batch_size": 50, "image": IMAGE, "epochs": 3, "tail": "partial"}
    given["codec"] = "none"
    return client.dataset().stream("train", **{**given, **keywords})


def used_by(stream: inkstream.Stream, replicas: list[Server]) -> Server:
    return next(s for s in replicas if s.tcp == stream.stats()["endpoint"])


@pytest.mark.parametrize("offset", [0, 2])
def test_a_stride_keeps_its_phase_wherever_it_goes_on(replicas: list[Server], offset: int) -> None:
    strided = {"step_offset": offset, "step_stride": 3, "batch_size": 7}
    client = inkstream.connect([s.tcp for s in replicas], retry_for=60)
    wanted = [bytes_of(batch) for batch in stream_of(client, **strided)]
    stream = stream_of(client, **strided)
    found = []
    for count, batch in enumerate(stream):
        found.append(bytes_of(batch))
        if count in (20, 90):  # in the midst of the first and of the second epoch
            leaving = used_by(stream, replicas)
            leaving.kill()
            leaving.start(leaving.tcp)
    assert found == wanted
    assert stream.stats()["reopened"] >= 2


def test_a_stride_keeps_its_phase_where_the_loop_caught_an_error(replicas: list[Server]) -> None:
    strided = {"step_offset": 1, "step_stride": 2}
    address = replicas[0].tcp
    wanted = [bytes_of(batch) for batch in stream_of(inkstream.connect(address), **strided)]
    stream = stream_of(inkstream.connect(address, retry_for=0.2), **strided)
    found = [bytes_of(next(stream)) for _ in range(3)]
    replicas[0].kill()
    with pytest.raises(inkstream.Unavailable):
        while True:
            found.append(bytes_of(next(stream)))
    replicas[0].start(address)
    while len(found) < len(wanted):
        with contextlib.suppress(inkstream.Unavailable):
            found += [bytes_of(batch) for batch in [next(stream)]]
    assert found == wanted


def test_streams_that_are_sent_elsewhere_lose_nothing(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with Server(binary, store, tmp_path, "--rebalance", "0.05") as server:
        client = inkstream.connect(server.tcp)
        data = client.dataset()
        for keywords in ({}, {"step_offset": 1, "step_stride": 2}):
            stream = data.stream(
                "train", batch_size=50, image=Image(256), epochs="forever", **keywords
            )
            epoch = 0
            while epoch < 3 or stream.stats()["reopened"] < 2:
                # Computed here: nothing to compare with would be cut as well.
                wanted = _epoch(data, epoch, **keywords)
                assert [next(stream).index.tolist() for _ in wanted] == wanted
                epoch += 1
            stream.close()


def _epoch(data: inkstream.Dataset, epoch: int, **stride: int) -> list[list[int]]:
    """The batches of one epoch, from the order computed here."""
    offset, each = stride.get("step_offset", 0), stride.get("step_stride", 1)
    sampler = inkstream.torch.BatchSampler(data, "train", batch_size=50, rank=0, world=1)
    sampler.set_epoch(epoch)
    split = data.split("train", columns=[])
    rows = [list(batch) for batch in sampler][offset::each]
    return [split[batch].index.tolist() for batch in rows]


def test_a_proxy_that_cuts_every_connection_costs_nothing(replicas: list[Server]) -> None:
    wanted = [bytes_of(b) for b in stream_of(inkstream.connect(replicas[0].tcp))]
    with Proxy(replicas[0].tcp) as proxy:
        stream = stream_of(inkstream.connect(proxy.address, retry_for=60))
        found = []
        for count, batch in enumerate(stream):
            found.append(bytes_of(batch))
            if count % 10 == 5:
                proxy.cut()
    assert found == wanted


@pytest.mark.parametrize("reader", ["libinkstream", "grpcio"])
def test_connections_cut_in_the_middle_of_a_batch_cost_nothing(
    replicas: list[Server], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )
    image = Image(192)  # a batch is 1.8 MB: header, first part and later ones are all cut
    wanted = [bytes_of(b) for b in stream_of(inkstream.connect(replicas[0].tcp), image=image)]
    lengths = [300, 9_000, 70_000, 1_000_001, 1_900_000, 2_500_123, 12_345_678, 17, 30_000_000]
    with Proxy(replicas[0].tcp, lengths=[0, *lengths]) as proxy:
        data = inkstream.connect(replicas[0].tcp).dataset()
        client = inkstream.connect(proxy.address, retry_for=60)
        stream = client.dataset(fingerprint=data.fingerprint).stream(
            "train", batch_size=50, image=image, epochs=3, tail="partial", codec="none"
        )
        assert [bytes_of(batch) for batch in stream] == wanted
        assert stream.stats()["reopened"] >= len(lengths) - 3


def test_a_network_that_falls_silent_is_left(replicas: list[Server]) -> None:
    wanted = [bytes_of(b) for b in stream_of(inkstream.connect(replicas[0].tcp))]
    with Proxy(replicas[0].tcp) as one, Proxy(replicas[1].tcp) as two:
        proxies = {one.address: one, two.address: two}
        client = inkstream.connect(list(proxies), stall=1.0, retry_for=60)
        stream = stream_of(client)
        found = [bytes_of(next(stream))]
        proxies[stream.stats()["endpoint"]].freeze()
        found += [bytes_of(batch) for batch in stream]
    assert found == wanted


def test_questions_do_not_wait_for_a_server_that_hangs(replicas: list[Server]) -> None:
    replicas[0].send(signal.SIGSTOP)
    for _ in range(4):  # wherever each begins
        client = inkstream.connect([s.tcp for s in replicas], timeout=6.0)
        assert client.datasets() == ["quickdraw"]


def test_a_full_server_is_waited_for_as_long_as_it_says(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with Server(binary, store, tmp_path, "--max-streams", "1") as server:
        data = inkstream.connect(server.tcp, retry_for=60).dataset()
        first = data.stream("train", batch_size=10, epochs="forever")
        next(first)
        impatient = inkstream.connect(server.tcp, retry_for=0.3).dataset()
        with pytest.raises(inkstream.QuotaExceeded, match="max_streams") as caught:
            next(impatient.stream("train", batch_size=10))
        assert caught.value.retry_delay is not None and caught.value.retry_delay > 0
        taken: list[inkstream.Batch] = []
        second = data.stream("train", batch_size=10)
        waiting = threading.Thread(target=lambda: taken.append(next(second)))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive() and not taken
        first.close()
        waiting.join(60)
        assert len(taken) == 1


def test_a_replica_with_other_data_is_passed_over(
    binary: Path, replicas: list[Server], other_store: Path, tmp_path: Path
) -> None:
    good = replicas[0]
    wanted = [bytes_of(b) for b in stream_of(inkstream.connect(good.tcp))]
    with Server(binary, other_store, tmp_path) as bad:
        client = inkstream.connect([good.tcp, bad.tcp], retry_for=60)
        fingerprint = inkstream.connect(good.tcp).dataset().fingerprint
        data = client.dataset(fingerprint=fingerprint)
        keywords: dict[str, Any] = {"batch_size": 50, "image": IMAGE, "tail": "partial"}
        stream = data.stream("train", epochs=3, **keywords)
        found = [bytes_of(next(stream))]
        good.kill()
        restart = threading.Timer(1.0, lambda: good.start(good.tcp))
        restart.start()
        found += [bytes_of(batch) for batch in stream]
        restart.join()
        assert found == wanted


def test_where_only_other_data_is_left_both_fingerprints_are_named(
    binary: Path, replicas: list[Server], other_store: Path, tmp_path: Path
) -> None:
    good = replicas[0]
    data = inkstream.connect(good.tcp).dataset()
    with Server(binary, other_store, tmp_path) as bad:
        other = inkstream.connect(bad.tcp).dataset().fingerprint
        client = inkstream.connect([good.tcp, bad.tcp], retry_for=1.0)
        stream = client.dataset(fingerprint=data.fingerprint).stream(
            "train", batch_size=1, image=Image(64), epochs="forever"
        )
        next(stream)
        good.kill()
        with pytest.raises(inkstream.Unavailable) as caught:
            for _ in range(10_000):
                next(stream)
        assert "within 1 s" in str(caught.value)
        assert data.fingerprint in str(caught.value)
        assert other in str(caught.value)


def test_a_new_generation_is_served_and_the_old_one_goes_on(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    link = tmp_path / "current.ink"
    link.symlink_to(store)
    home = tmp_path / "home"
    home.mkdir()
    with Server(binary, link, home, "--retain-generations", "2") as server:
        client = inkstream.connect(server.tcp)
        old = client.dataset()
        stream = old.stream("train", batch_size=50)
        wanted = [batch.index.tolist() for batch in old.stream("train", batch_size=50)]
        found = [next(stream).index.tolist()]
        cursor = stream.state_dict()
        new_link = tmp_path / "next"
        new_link.symlink_to(next_generation(binary, store, tmp_path, 500))
        new_link.rename(link)
        assert eventually(lambda: client.dataset().fingerprint != old.fingerprint, 30)
        new = client.dataset()
        found += [batch.index.tolist() for batch in stream]
        assert found == wanted
        # A cursor of the old one, and whoever names it, still gets it.
        resumed = old.stream("train", batch_size=50, start=cursor)
        assert [batch.index.tolist() for batch in resumed] == wanted[1:]
        assert client.dataset(fingerprint=old.fingerprint).fingerprint == old.fingerprint
        assert next(new.stream("train", batch_size=50)).cursor["fingerprint"] == new.fingerprint


def test_two_streams_of_the_same_rank_are_named(replicas: list[Server]) -> None:
    data = inkstream.connect(replicas[0].tcp).dataset()
    streams = [data.stream("train", batch_size=10, world=2, rank=rank) for rank in (0, 0, 1)]
    for stream in streams:
        next(stream)
    reports = {s["id"]: s for s in data.client.status()["streams"]}
    assert len(reports) == 3
    warned = {number for number, report in reports.items() if report["warning"]}
    assert len(warned) == 2
    assert {reports[n]["rank"] for n in warned} == {0}


def test_a_stream_goes_on_behind_an_empty_message() -> None:
    with FakeServer(Behaviour(empty=2)) as fake:
        data = inkstream.connect(fake.address, retry_for=20).dataset()
        batches = list(data.stream(batch_size=4, image=Image(28), tail="partial"))
        opened = len(fake.opened)
    assert len({i for batch in batches for i in batch.index.tolist()}) == 100
    assert opened == 3
