"""Rows, read from proto/README.md's words alone: what a client in another language does."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import inkstream
import numpy as np
import pytest
from inkstream import Strokes
from inkstream.v1 import batch_pb2, plan_pb2, service_pb2
from support.processes import Server

xxhash = pytest.importorskip("xxhash")

COLUMNS = ("label", "countrycode", "key_id")
SERVICE = "/inkstream.v1.DrawingService/"


@dataclass
class Rows:
    columns: dict[str, Any]
    index: Any
    valid: Any
    occurrence: Any
    strokes: list[bytes]


def numbers(data: bytes, at: int, count: int, kind: str) -> tuple[Any, int]:
    found = np.frombuffer(data, np.dtype(kind).newbyteorder("<"), count, at)
    return found, at + found.nbytes


def rows_of(header: batch_pb2.BatchHeader, data: bytes) -> Rows:
    n, at = header.rows.count, 0
    columns = {}
    for name in COLUMNS:
        columns[name], at = numbers(data, at, n, "i8")
    index, at = numbers(data, at, n, "i8")
    valid, at = numbers(data, at, n, "u1")
    occurrence = np.zeros(n, "u8")
    if header.rows.occurrences:
        occurrence, at = numbers(data, at, n, "u8")
    lengths, at = numbers(data, at, n, "u4")
    ends = at + np.cumsum(lengths, dtype=np.int64)
    assert ends[-1] == len(data) == header.wire_size
    strokes = [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return Rows(columns, index, valid, occurrence, strokes)


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def points_of(drawing: bytes) -> list[tuple[float, float, bool]]:
    """x, y and whether the pen is lifted behind the point."""
    head, at = varint(drawing, 0)
    lifted: list[bool] = []
    for _ in range(head >> 2):
        count, at = varint(drawing, at)
        lifted += [False] * (count - 1) + [True] * (count > 0)
    axes: list[list[float]] = []
    for _ in "xy":
        if head & 1:
            steps = np.frombuffer(drawing, np.uint8, len(lifted), at)
            axes.append([float(x) for x in np.cumsum(steps, dtype=np.uint8)])
            at += len(lifted)
        else:
            axes.append(list(struct.unpack_from(f"<{len(lifted)}f", drawing, at)))
            at += 4 * len(lifted)
    if head & 2:
        at += 4 * len(lifted)
    assert at == len(drawing)
    return list(zip(*axes, lifted, strict=True))


def stream(
    channel: grpc.Channel, request: service_pb2.StreamBatchesRequest
) -> Iterator[batch_pb2.BatchPart]:
    call: Any = channel.stream_stream(
        SERVICE + "StreamBatches",
        request_serializer=service_pb2.StreamBatchesRequest.SerializeToString,
        response_deserializer=batch_pb2.BatchPart.FromString,
    )
    yield from call(iter([request]))


def checked(
    header: batch_pb2.BatchHeader, sent: bytes, codes: list[str], data: inkstream.Dataset
) -> Rows:
    """The rows, which are what the server makes tensors of."""
    assert xxhash.xxh3_64_intdigest(sent) == header.rows.checksum
    rows = rows_of(header, sent)
    assert rows.valid.all()
    strokes = Strokes(2000, "points")
    told = data.fetch(rows.index, columns=COLUMNS, strokes=strokes, codec="none")
    for name in COLUMNS:
        np.testing.assert_array_equal(rows.columns[name], told[name], err_msg=name)
    assert codes == list(told.vocabulary["countrycode"])
    for i, drawing in enumerate(rows.strokes):
        points = told["strokes"][i, : told["length"][i]]
        assert points_of(drawing) == [(x, y, bool(up)) for x, y, up in points.tolist()]
    return rows


@pytest.mark.parametrize("sampled", [False, True])
def test_rows_are_read_by_what_the_contract_says(
    server: Server, data: inkstream.Dataset, sampled: bool
) -> None:
    request = service_pb2.StreamBatchesRequest()
    request.open.view.split = "train"
    delivery = request.open.delivery
    delivery.batch_size = 100
    delivery.max_batches = 5
    delivery.columns.extend(COLUMNS)
    delivery.strokes.max_len = 10
    delivery.codec = plan_pb2.CODEC_STROKES
    if sampled:
        weights = [1.0] + [0.01] * (len(data.classes) - 1)
        request.open.order.sampling.weights.weights.extend(weights)
        delivery.augment.jitter = 1
    came = 0
    occurrences = 0
    with grpc.insecure_channel(server.tcp) as channel:
        for part in stream(channel, request):
            if part.HasField("opened"):
                assert part.opened.codec == plan_pb2.CODEC_STROKES
                codes = list(part.opened.countrycodes)
            for header in part.batches:
                begin = header.data_offset
                rows = checked(header, part.data[begin : begin + header.wire_size], codes, data)
                came += 1
                occurrences += int(rows.occurrence.max())
                assert header.rows.occurrences == sampled
    assert came == 5
    assert (occurrences > 0) == sampled


def test_what_is_fetched_is_read_by_the_same_words(server: Server, data: inkstream.Dataset) -> None:
    request = service_pb2.FetchDrawingsRequest(index=[5, 900, 5, 0], epoch=3)
    request.delivery.columns.extend(COLUMNS)
    request.delivery.strokes.max_len = 10
    request.delivery.augment.jitter = 1
    request.delivery.codec = plan_pb2.CODEC_STROKES
    with grpc.insecure_channel(server.tcp) as channel:
        call: Any = channel.unary_stream(
            SERVICE + "FetchDrawings",
            request_serializer=service_pb2.FetchDrawingsRequest.SerializeToString,
            response_deserializer=batch_pb2.BatchPart.FromString,
        )
        first, part = call(request)
    assert first.opened.codec == plan_pb2.CODEC_STROKES
    (header,) = part.batches
    assert header.epoch == 3 and not header.rows.occurrences
    rows = checked(header, part.data, list(first.opened.countrycodes), data)
    assert rows.index.tolist() == [5, 900, 5, 0]
