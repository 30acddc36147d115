"""Protobuf's wire format, as far as this package reads it by hand.

A BatchPart carries megabytes in its last field. Handing it to a protobuf parser would copy
them, so the message is walked field by field here and its bulk stays where gRPC put it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from inkstream.errors import DataLoss
from inkstream.v1 import batch_pb2

_BATCH_SEQ, _PART, _OFFSET, _BATCHES, _OPENED, _END, _DATA = 1, 2, 3, 4, 5, 6, 15
_EMPTY = memoryview(b"")


@dataclass(slots=True)
class Part:
    """One BatchPart; `data` is a view of the message."""

    batch_seq: int = 0
    part: int = 0
    offset: int = 0
    batches: list[batch_pb2.BatchHeader] = field(default_factory=list)
    opened: batch_pb2.StreamOpened | None = None
    end: batch_pb2.StreamEnd | None = None
    data: memoryview = _EMPTY


@dataclass(slots=True)
class StatusDetails:
    """What google.rpc.Status carries beside its code and text."""

    reason: str = ""
    domain: str = ""
    retry_delay: float | None = None


def read_varint(buffer: memoryview, position: int) -> tuple[int, int]:
    """Returns the number at `position` and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(buffer):
            raise DataLoss("malformed message: it ends within a number")
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
    raise DataLoss("malformed message: a number has more than ten bytes")


def fields(buffer: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields (field number, number or bytes). Fixed-width fields come as bytes."""
    position = 0
    while position < len(buffer):
        tag, position = read_varint(buffer, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = read_varint(buffer, position)
            yield number, value
            continue
        if wire_type == 2:
            length, position = read_varint(buffer, position)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise DataLoss(f"malformed message: field {number} has wire type {wire_type}")
        if length > len(buffer) - position:
            raise DataLoss(
                f"malformed message: field {number} claims {length} bytes, "
                f"{len(buffer) - position} are left"
            )
        yield number, buffer[position : position + length]
        position += length


def parse_part(message: bytes) -> Part:
    """Reads one BatchPart. DataLoss where it is malformed."""
    part = Part()
    try:
        for number, value in fields(memoryview(message)):
            if isinstance(value, int):
                if number == _BATCH_SEQ:
                    part.batch_seq = value
                elif number == _PART:
                    part.part = value
                elif number == _OFFSET:
                    part.offset = value
            elif number == _DATA:
                part.data = value
            elif number == _BATCHES:
                part.batches.append(batch_pb2.BatchHeader.FromString(bytes(value)))
            elif number == _OPENED:
                part.opened = batch_pb2.StreamOpened.FromString(bytes(value))
            elif number == _END:
                part.end = batch_pb2.StreamEnd.FromString(bytes(value))
    except DecodeError as error:
        raise DataLoss(f"malformed message: {error}") from None
    return part


def parse_status(status: bytes) -> StatusDetails:
    """Reads the ErrorInfo and RetryInfo of a serialised google.rpc.Status.

    Never fails: details that cannot be read are left out.
    """
    found = StatusDetails()
    try:
        for number, value in fields(memoryview(status)):
            if number == 3 and not isinstance(value, int):
                _read_detail(value, found)
    except (DataLoss, UnicodeDecodeError):
        pass
    return found


def _read_detail(buffer: memoryview, found: StatusDetails) -> None:
    kind, body = "", _EMPTY
    for number, value in fields(buffer):
        if number == 1 and not isinstance(value, int):
            kind = bytes(value).decode().rpartition("/")[2]
        elif number == 2 and not isinstance(value, int):
            body = value
    for number, value in fields(body):
        if isinstance(value, int):
            continue
        if kind == "google.rpc.ErrorInfo" and number == 1:
            found.reason = bytes(value).decode()
        elif kind == "google.rpc.ErrorInfo" and number == 2:
            found.domain = bytes(value).decode()
        elif kind == "google.rpc.RetryInfo" and number == 1:
            duration = {n: v for n, v in fields(value) if isinstance(v, int)}
            found.retry_delay = duration.get(1, 0) + duration.get(2, 0) / 1e9
