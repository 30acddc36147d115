"""What a stream does, against a server that misbehaves on command."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import grpc
import inkstream
import numpy as np
import pytest
from inkstream import Image, QuotaExceeded, Unavailable
from support.fake_server import CLASSES, FINGERPRINT, Behaviour, FakeServer, pixels
from support.processes import eventually

IMAGE = Image(28)


def data_of(*servers: FakeServer, **options: float) -> inkstream.Dataset:
    client = inkstream.connect([server.address for server in servers], **options)  # type: ignore[arg-type]
    return client.dataset()


def expect(index: np.ndarray, images: np.ndarray) -> None:
    for i, image in zip(index.tolist(), images, strict=True):
        assert np.array_equal(image.reshape(-1), pixels(i, 28, 28))


def indices(stream: inkstream.Stream) -> list[list[int]]:
    return [batch.index.tolist() for batch in stream]


@pytest.fixture(autouse=True, params=["libinkstream", "grpcio"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whatever reads the bytes, a stream does the same."""
    if request.param == "grpcio":
        monkeypatch.setattr(
            "inkstream._network.connection.native_library", lambda: (None, "a test")
        )
    name: str = request.param
    assert inkstream.connect("127.0.0.1:1").transport.split()[0] == name
    return name


@pytest.fixture
def undisturbed() -> list[list[int]]:
    with FakeServer() as server:
        return indices(data_of(server).stream(batch_size=10, epochs=3))


@pytest.mark.parametrize(
    ("max_data", "together"), [(100, 1), (777, 1), (5000, 1), (1 << 20, 1), (1 << 20, 3)]
)
def test_batches_are_whole_however_they_travel(max_data: int, together: int) -> None:
    with FakeServer(Behaviour(max_data=max_data, batches_a_message=together)) as server:
        batches = list(data_of(server).stream(batch_size=10, image=IMAGE))
        assert len(batches) == 10
        for batch in batches:
            assert batch.image.shape == (10, 1, 28, 28)
            assert batch.image.dtype == np.uint8
            assert batch.label.dtype == batch.index.dtype == np.int64
            assert batch.valid.all()
            expect(batch.index, batch.image)


def test_batch_is_mapping_and_attributes() -> None:
    with FakeServer() as server:
        batch = next(data_of(server).stream(batch_size=10, image=IMAGE))
    assert set(batch) == {"image", "label", "index", "valid"}
    assert batch["image"] is batch.image
    assert dict(batch)["label"] is batch.label
    assert batch.words() == [CLASSES[i] for i in batch.label]
    with pytest.raises(AttributeError, match="'strokes'"):
        _ = batch.strokes
    with pytest.raises(KeyError, match="strokes"):
        _ = batch["strokes"]
    with pytest.raises(ValueError, match="read-only"):
        batch.image[0] = 0
    again = pickle.loads(pickle.dumps(batch))
    assert again.cursor == batch.cursor
    assert np.array_equal(again.image, batch.image)
    sheet = batch.show()
    assert sheet.size[0] > 0
    assert np.asarray(sheet).min() < 128


def test_batch_outlives_its_stream() -> None:
    with FakeServer() as server:
        stream = data_of(server).stream(batch_size=10, image=IMAGE)
        batch = next(stream)
        stream.close()
        del stream
        gc.collect()
        expect(batch.index, batch.image)


class TestPosition:
    def test_start_state_and_cursor_are_one_json_able_dict(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            stream = data.stream(batch_size=10, seed=3)
            before = stream.state_dict()
            assert before["position"] == before["epoch"] == 0
            assert before["order_plan"].startswith("inkstream order plan")
            batch = next(stream)
            assert stream.state_dict() == batch.cursor
            assert batch.cursor | {"position": 0} == before
            assert json.loads(json.dumps(batch.cursor)) == batch.cursor
            rest = indices(stream)
            for start in (batch.cursor, stream.state_dict() | {"epoch": 0, "position": 10}):
                other = data.stream(batch_size=10, start=start)
                assert other.state_dict() == start
                assert indices(other) == rest

    def test_state_is_of_the_last_batch_handed_out_not_of_those_in_hand(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10)
            next(stream)
            assert eventually(lambda: stream.stats()["in_hand"] >= 7)
            assert stream.state_dict()["position"] == 10

    def test_iter_goes_on_and_ends_until_the_position_is_moved(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10)
            first = [batch.step for batch, _ in zip(stream, range(3), strict=False)]
            # zip takes one batch more than it gives.
            assert first == [0, 1, 2]
            assert [batch.step for batch in stream] == [4, 5, 6, 7, 8, 9]
            assert list(stream) == list(stream) == []
            assert stream.state_dict()["epoch"] == 1
            stream.seek(step=8)
            assert [batch.step for batch in stream] == [8, 9]
            stream.load_state_dict({"epoch": 0, "position": 90})
            assert [batch.step for batch in stream] == [9]

    def test_load_before_and_between_iterations_drops_what_is_in_hand(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            stream = data.stream(batch_size=10, epochs="forever")
            next(stream)
            stream.seek(epoch=5, step=2)
            batch = next(stream)
            assert (batch.epoch, batch.cursor["position"]) == (5, 30)

    def test_seed_of_a_loaded_state_replaces_the_streams(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            state = data.stream(batch_size=10, seed=9).state_dict()
            stream = data.stream(batch_size=10, seed=1)
            stream.load_state_dict(state)
            assert indices(stream) == indices(data.stream(batch_size=10, seed=9))

    def test_seek_counts_in_steps_of_all_ranks(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=5, world=4, rank=1)
            stream.seek(epoch=0, step=2)
            assert stream.state_dict()["position"] == 40

    def test_a_state_past_the_last_epoch_yields_nothing(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10, epochs=2, start={"epoch": 2})
            assert list(stream) == []

    def test_len(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            stream = data.stream(batch_size=10, epochs=3)
            assert len(stream) == 30
            next(stream)
            assert len(stream) == 30
            assert bool(stream)
            with pytest.raises(TypeError, match="endless"):
                len(data.stream(batch_size=10, epochs="forever"))

    def test_len_costs_one_stream_and_no_batch(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10)
            len(stream)
            assert server.opened[0].credits == 0
            assert server.granted == []
            list(stream)
            assert len(server.opened) == 1


class TestGoingOnElsewhere:
    @pytest.mark.parametrize("after", [0, 1, 4])
    @pytest.mark.parametrize("max_data", [300, 1 << 20])
    def test_a_server_that_vanishes_costs_nothing(
        self, after: int, max_data: int, undisturbed: list[list[int]]
    ) -> None:
        broken = Behaviour(vanish_after=after, max_data=max_data)
        with FakeServer(broken) as first, FakeServer(Behaviour(max_data=max_data)) as second:
            stream = data_of(first, second).stream(batch_size=10, epochs=3)
            assert indices(stream) == undisturbed

    def test_the_same_server_is_tried_again(self, undisturbed: list[list[int]]) -> None:
        refuse = [(grpc.StatusCode.UNAVAILABLE, "busy")] * 3
        with FakeServer(Behaviour(vanish_after=7, refuse=refuse)) as server:
            stream = data_of(server).stream(batch_size=10, epochs=3)
            assert indices(stream) == undisturbed
            assert stream.stats()["reopened"] >= 6

    def test_a_stream_that_moves_on_reopens_where_it_stopped(
        self, undisturbed: list[list[int]]
    ) -> None:
        with FakeServer(Behaviour(rebalance_after=4)) as server:
            assert indices(data_of(server).stream(batch_size=10, epochs=3)) == undisturbed
            assert [r.open.cursor.position for r in server.opened[:3]] == [0, 40, 80]
            # What the server once said of the plan goes back to it.
            assert server.opened[1].open.cursor.order_plan.startswith("inkstream order plan")

    def test_a_server_that_falls_silent_is_left(self, undisturbed: list[list[int]]) -> None:
        with FakeServer(Behaviour(silent_after=3)) as first, FakeServer() as second:
            data = data_of(first, second, stall=1.0)
            assert indices(data.stream(batch_size=10, epochs=3)) == undisturbed

    def test_a_slow_consumer_is_no_stall(self) -> None:
        with FakeServer() as server:
            stream = data_of(server, stall=0.6).stream(batch_size=10)
            next(stream)
            time.sleep(2)
            assert len(list(stream)) == 9
            assert len(server.opened) == 1

    def test_other_data_is_refused_with_both_named(self) -> None:
        other = "ef" * 32
        with (
            FakeServer(Behaviour(vanish_after=2)) as one,
            FakeServer(Behaviour(vanish_after=2)) as two,
        ):
            stream = data_of(one, two).stream(batch_size=10, epochs="forever")
            next(stream)
            one.behaviour.fingerprint = two.behaviour.fingerprint = other
            with pytest.raises(inkstream.PlanMismatch) as caught:
                list(stream)
            assert other in str(caught.value)
            assert FINGERPRINT in str(caught.value)

    def test_a_replica_with_other_data_is_passed_over(self, undisturbed: list[list[int]]) -> None:
        with FakeServer(Behaviour(vanish_after=3)) as one, FakeServer() as two:
            data = data_of(one)
            two.behaviour.fingerprint = "ef" * 32
            both = inkstream.connect([one.address, two.address])
            both._connection.channels()._turn = 0
            stream = replace(data, client=both).stream(batch_size=10, epochs=3)
            assert indices(stream) == undisturbed

    def test_other_pixels_are_refused(self) -> None:
        with FakeServer(Behaviour(vanish_after=2)) as server:
            stream = data_of(server).stream(batch_size=10, epochs=3)
            next(stream)
            server.behaviour.raster_version = 2
            with pytest.raises(inkstream.PlanMismatch, match="raster version 2"):
                list(stream)

    def test_a_quota_without_a_delay_is_raised(self) -> None:
        refuse = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "100 streams")]
        with FakeServer(Behaviour(refuse=refuse)) as server:
            stream = data_of(server).stream(batch_size=10)
            with pytest.raises(QuotaExceeded, match="100 streams"):
                next(stream)

    def test_it_gives_up_after_retry_for(self) -> None:
        with FakeServer() as server:
            stream = data_of(server, retry_for=0.5).stream(batch_size=10, epochs="forever")
            next(stream)
            server.stop()
            began = time.monotonic()
            with pytest.raises(Unavailable, match=r"within 0.5 s"):
                list(stream)
            assert time.monotonic() - began < 10
            position = stream.state_dict()["position"]
            assert position > 0

    def test_an_error_leaves_the_position_and_the_next_batch_is_tried_anew(self) -> None:
        refuse = [(grpc.StatusCode.DATA_LOSS, "index 17")]
        with FakeServer(Behaviour(refuse=refuse)) as server:
            stream = data_of(server).stream(batch_size=10)
            with pytest.raises(inkstream.DataLoss, match="index 17"):
                next(stream)
            assert len(list(stream)) == 10

    def test_ctrl_c_while_it_waits_comes_through_and_loses_nothing(
        self, undisturbed: list[list[int]]
    ) -> None:
        with FakeServer(Behaviour(silent_after=2)) as server:
            stream = data_of(server).stream(batch_size=10, epochs=3)
            read = [next(stream).index.tolist() for _ in range(2)]
            began = time.monotonic()
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            assert time.monotonic() - began < 20, "only as the stream stalled"
            read += [next(stream).index.tolist() for _ in range(2)]
            assert read == undisturbed[:4]
            stream.close()


class TestBounds:
    def test_what_is_ahead_is_bounded(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10, epochs="forever")
            for taken in range(1, 40):
                next(stream)
                assert sum(server.granted) <= taken + 8
            assert len(server.granted) < 20  # not one a batch

    def test_closing_ends_the_stream_on_the_server_and_the_thread_here(self) -> None:
        with FakeServer() as server:
            threads = threading.active_count()
            stream = data_of(server).stream(batch_size=10, epochs="forever")
            next(stream)
            assert server.active == 1
            stream.close()
            stream.close()
            assert eventually(lambda: server.active == 0, 2)
            with pytest.raises(inkstream.Closed):
                next(stream)
            assert not [t for t in threading.enumerate() if t.name == "inkstream-read"]
            assert threading.active_count() <= threads + 8

    @pytest.mark.parametrize("how", ["dropped", "exception", "context"])
    def test_a_stream_that_is_left_ends(self, how: str) -> None:
        with FakeServer() as server:
            data = data_of(server)

            def loop() -> None:
                with data.stream(batch_size=10, epochs="forever") as stream:
                    next(stream)

            def broken() -> None:
                for _ in data.stream(batch_size=10, epochs="forever"):
                    raise KeyError("a bug in the loop")

            if how == "context":
                loop()
            elif how == "exception":
                with pytest.raises(KeyError, match="a bug"):
                    broken()
            else:
                stream = data.stream(batch_size=10, epochs="forever")
                next(stream)
                del stream
            gc.collect()
            assert eventually(lambda: server.active == 0, 2)


class TestProcesses:
    def test_client_and_dataset_are_picklable(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            data.count("train")
            again = pickle.loads(pickle.dumps(data))
            assert again.fingerprint == data.fingerprint
            assert len(list(again.stream(batch_size=10))) == 10

    def test_a_token_is_not_printed(self) -> None:
        client = inkstream.connect("127.0.0.1:1", token="secret")
        assert "secret" not in repr(client)
        assert "secret" not in repr(client._connection._credentials)

    def test_a_stream_cannot_be_pickled_and_says_what_can(self) -> None:
        with FakeServer() as server, pytest.raises(TypeError, match="state_dict"):
            pickle.dumps(data_of(server).stream(batch_size=10))

    def test_a_stream_of_another_process_names_the_fix(self) -> None:
        with FakeServer() as server:
            stream = data_of(server).stream(batch_size=10)
            next(stream)
            prefetcher = stream._iterator._prefetcher
            assert prefetcher is not None
            prefetcher.pid = os.getpid() + 1
            with pytest.raises(inkstream.WrongProcess, match="IterableDataset"):
                next(stream)
            prefetcher.pid = os.getpid()
            stream.close()


class TestErrors:
    CASES: tuple[tuple[grpc.StatusCode, type[Exception]], ...] = (
        (grpc.StatusCode.INVALID_ARGUMENT, inkstream.FixRequest),
        (grpc.StatusCode.NOT_FOUND, inkstream.NotFound),
        (grpc.StatusCode.FAILED_PRECONDITION, inkstream.PlanMismatch),
        (grpc.StatusCode.DATA_LOSS, inkstream.DataLoss),
        (grpc.StatusCode.UNAUTHENTICATED, inkstream.AccessDenied),
        (grpc.StatusCode.INTERNAL, inkstream.InkstreamError),
    )

    @pytest.mark.parametrize(("code", "kind"), CASES)
    def test_each_code_is_the_class_of_its_action(
        self, code: grpc.StatusCode, kind: type[Exception]
    ) -> None:
        with FakeServer(Behaviour(refuse=[(code, "the server's words")])) as server:
            with pytest.raises(kind, match="the server's words") as caught:
                next(data_of(server).stream(batch_size=10))
            assert isinstance(caught.value, inkstream.InkstreamError)
            assert caught.value.code == code.name
            again = pickle.loads(pickle.dumps(caught.value))
            assert str(again) == str(caught.value)
            assert again.code == code.name

    def test_classes_are_pythons_own_too(self) -> None:
        assert issubclass(inkstream.FixRequest, ValueError)
        assert issubclass(inkstream.NotFound, KeyError)
        assert issubclass(inkstream.OutOfRange, IndexError)
        assert issubclass(inkstream.Unavailable, ConnectionError)
        assert str(inkstream.NotFound('no "x"')) == 'no "x"'
        assert str(inkstream.Unavailable("gone")) == "gone"

    def test_a_server_that_is_not_there_is_named_soon(self) -> None:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1:"):
            inkstream.connect("127.0.0.1:1", timeout=0.5).dataset()
        assert time.monotonic() - began < 10

    @pytest.mark.parametrize(
        "make", [lambda: inkstream.connect([]), lambda: inkstream.connect([""])]
    )
    def test_no_endpoint_is_refused(self, make: Callable[[], object]) -> None:
        with pytest.raises(inkstream.FixRequest, match="host:port"):
            make()


class TestRandomAccess:
    def test_an_integer_gives_one_drawing_anything_else_a_batch(self) -> None:
        with FakeServer() as server:
            split = data_of(server).split("train", image=IMAGE)
            assert len(split) == 101
            one = split[17]
            assert one.image.shape == (1, 28, 28)
            assert int(one.index) == 17
            assert split[-1].index == 100
            many = split[[5, 9, 5]]
            assert many.index.tolist() == [5, 9, 5]
            expect(many.index, many.image)
            assert split[2:8:3].index.tolist() == [2, 5]
            assert split[np.array([3, 1])].index.tolist() == [3, 1]
            mask = np.zeros(101, bool)
            mask[[4, 6]] = True
            assert split[mask].index.tolist() == [4, 6]
            with pytest.raises(IndexError):
                _ = split[101]
            with pytest.raises(inkstream.FixRequest, match="whole numbers"):
                _ = split["cat"]
            assert pickle.loads(pickle.dumps(split))[3].index == 3

    def test_a_split_that_is_not_there_names_those_that_are(self) -> None:
        with FakeServer() as server, pytest.raises(KeyError, match="'train'"):
            _ = data_of(server)["trian"]

    def test_fetch_wants_one_kind_of_number(self) -> None:
        with FakeServer() as server:
            data = data_of(server)
            assert data.fetch(index=[3, 4]).index.tolist() == [3, 4]
            with pytest.raises(inkstream.FixRequest, match="either"):
                data.fetch()
