from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inkstream import DataLoss
from inkstream._batch.batch import decode
from inkstream._wire.assembled_stream import AssembledStream
from inkstream._wire.part import parse_part, parse_status, read_varint
from inkstream._wire.raw_batch import Common, RawBatch
from inkstream.v1 import batch_pb2, plan_pb2


def part_of(sequence: int, part: int, offset: int, data: bytes) -> bytes:
    return batch_pb2.BatchPart(
        batch_seq=sequence, part=part, offset=offset, data=data
    ).SerializeToString()


def header_of(sequence: int, size: int, parts: int = 1, at: int = 0) -> batch_pb2.BatchHeader:
    return batch_pb2.BatchHeader(
        batch_seq=sequence, byte_size=size, part_count=parts, data_offset=at
    )


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary())
def test_part_reads_as_protobuf_reads_it(seq: int, part: int, offset: int, data: bytes) -> None:
    message = batch_pb2.BatchPart(batch_seq=seq, part=part, offset=offset, data=data)
    message.batches.add(batch_seq=seq, byte_size=len(data))
    message.end.reason = batch_pb2.StreamEnd.REASON_REBALANCE
    found, bulk = parse_part(message.SerializeToString())
    assert (found.batch_seq, found.part, found.offset) == (seq, part, offset)
    assert bytes(bulk) == data
    assert list(found.batches) == list(message.batches)
    assert found.end == message.end
    assert not found.HasField("opened")


def test_data_is_a_view_of_the_message() -> None:
    message = part_of(0, 0, 0, b"x" * 1000)
    assert parse_part(message).data.obj is message


def test_unknown_fields_of_later_versions_are_passed_over() -> None:
    unknown = (
        b"\xa0\x06\x07" + b"\xaa\x06\x02hi" + b"\xad\x06" + b"\0" * 4 + b"\xa9\x06" + b"\0" * 8
    )
    assert bytes(parse_part(unknown + part_of(3, 0, 0, b"abc")).data) == b"abc"


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_data_loss(message: bytes) -> None:
    with contextlib.suppress(DataLoss):
        parse_part(message)


@pytest.mark.parametrize("cut", range(1, 18))
def test_truncated_message_is_data_loss(cut: int) -> None:
    message = part_of(300, 1, 70000, b"0123456789abcdef")
    with pytest.raises(DataLoss, match="malformed"):
        parse_part(message[:-cut])


def test_varint_beyond_ten_bytes_is_data_loss() -> None:
    with pytest.raises(DataLoss):
        read_varint(memoryview(b"\xff" * 11), 0)


@given(st.binary(max_size=100))
def test_status_details_never_fail(status: bytes) -> None:
    parse_status(status)


def test_status_details_are_read() -> None:
    from google.protobuf.any_pb2 import Any
    from google.protobuf.duration_pb2 import Duration

    info = b"\x0a\x05DRAIN" + b"\x12\x09inkstream"
    delay = Duration(seconds=1, nanos=500_000_000).SerializeToString()
    retry = b"\x0a" + bytes([len(delay)]) + delay
    details = b"\x08\x0e\x12\x04text"
    for kind, value in (("ErrorInfo", info), ("RetryInfo", retry)):
        any_ = Any(type_url=f"type.googleapis.com/google.rpc.{kind}", value=value)
        text = any_.SerializeToString()
        details += b"\x1a" + bytes([len(text)]) + text
    found = parse_status(details)
    assert (found.reason, found.retry_delay) == ("DRAIN", 1.5)


def stream() -> AssembledStream:
    opened = batch_pb2.BatchPart(opened=batch_pb2.StreamOpened())
    return AssembledStream(opened.SerializeToString(), "here", plan_pb2.Delivery())


def part_with(headers: list[batch_pb2.BatchHeader], data: bytes) -> bytes:
    return batch_pb2.BatchPart(batches=headers, data=data).SerializeToString()


class TestAssembly:
    @given(st.binary(min_size=1, max_size=300), st.integers(1, 50))
    def test_a_cut_batch_is_gathered(self, data: bytes, size: int) -> None:
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assembled = stream()
        for i, piece in enumerate(pieces):
            part = part_of(0, i, i * size, piece)
            if i == 0:
                part = part_with([header_of(0, len(data), len(pieces))], piece)
            assert assembled.feed(part) == (i + 1 == len(pieces))
        whole = assembled.next()
        assert isinstance(whole, RawBatch)
        assert bytes(whole.memory) == data
        assert not whole.memory.flags.writeable

    def test_several_batches_of_one_message_share_it(self) -> None:
        assembled = stream()
        message = part_with([header_of(0, 3), header_of(1, 2, at=3)], b"aaabb")
        assert assembled.feed(message) == 2
        for data in (b"aaa", b"bb"):
            whole = assembled.next()
            assert isinstance(whole, RawBatch)
            assert bytes(whole.memory) == data
            assert whole.memory.base.obj is message

    @pytest.mark.parametrize(
        ("headers", "data"),
        [
            ([header_of(1, 3)], b"abc"),  # the first is 0
            ([header_of(0, 4)], b"abc"),  # more than there is
            ([header_of(0, 3, at=1)], b"abc"),
            ([header_of(0, 1), header_of(2, 1)], b"abc"),
            ([header_of(0, 9, 2), header_of(1, 1)], b"abc"),  # cut, but not alone
            ([header_of(0, 1 << 60, 2)], b"abc"),  # more than was asked for
            ([header_of(0, 2, 2)], b"abc"),  # a part beyond the batch
            ([], b"abc"),  # bytes of nothing
        ],
    )
    def test_broken_order_is_data_loss(
        self, headers: list[batch_pb2.BatchHeader], data: bytes
    ) -> None:
        assembled = stream()
        with pytest.raises(DataLoss):
            assembled.feed(part_with(headers, data))

    @pytest.mark.parametrize(
        "second", [(0, 2, 3, b"abc"), (0, 1, 4, b"abc"), (1, 1, 3, b"abc"), (0, 1, 3, b"abcd")]
    )
    def test_a_part_out_of_place_is_data_loss(self, second: tuple[int, int, int, bytes]) -> None:
        assembled = stream()
        assembled.feed(part_with([header_of(0, 6, 2)], b"abc"))
        with pytest.raises(DataLoss, match="was due"):
            assembled.feed(part_of(*second))


@pytest.mark.parametrize(
    ("dtype", "shape", "offset", "length"),
    [
        (1, [4], 0, 5),
        (1, [200], 0, 200),
        (1, [4], 97, 4),
        (1, [-4], 0, 4),
        (3, [2], 4, 16),
        (99, [4], 0, 4),
    ],
)
def test_a_tensor_beyond_its_batch_is_data_loss(
    dtype: int, shape: list[int], offset: int, length: int
) -> None:
    header = header_of(0, 100)
    header.tensors.add(name="x", dtype=dtype, shape=shape, offset=offset, length=length)  # type: ignore[arg-type]
    with pytest.raises(DataLoss, match="'x'"):
        decode(RawBatch.of(header, memoryview(bytes(100)), Common()))


def test_arrays_that_stand_crooked_are_aligned() -> None:
    import numpy as np

    wanted = np.arange(10, dtype=np.int64)
    header = header_of(0, 80)
    header.tensors.add(name="label", dtype=3, shape=[10], offset=0, length=80)
    for shift in range(8):
        message = b"-" * shift + wanted.tobytes()
        batch = decode(RawBatch.of(header, memoryview(message)[shift:], Common()))
        assert batch.label.flags.aligned
        assert batch.label.tolist() == wanted.tolist()


def test_empty_tensors_have_their_shape() -> None:
    header = header_of(0, 0)
    header.tensors.add(name="label", dtype=3, shape=[0, 3], offset=0, length=0)
    assert decode(RawBatch.of(header, memoryview(b""), Common())).label.shape == (0, 3)
