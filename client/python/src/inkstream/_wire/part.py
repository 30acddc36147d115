"""Protobuf's wire format, as far as this package reads it by hand.

A BatchPart carries megabytes in its last field. Handing it to a protobuf parser would copy
them, so the message is walked field by field here and its bulk stays where gRPC put it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from inkstream.errors import DataLoss
from inkstream.v1 import batch_pb2

_DATA = 15  # BatchPart.data
_EMPTY = memoryview(b"")


class Part(NamedTuple):
    """One BatchPart: its `data`, a view of the message, and the rest of it."""

    head: batch_pb2.BatchPart
    data: memoryview


@dataclass(slots=True)
class StatusDetails:
    """What google.rpc.Status carries beside its code and text."""

    reason: str = ""
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


def _fields(buffer: memoryview) -> Iterator[tuple[int, int | memoryview, int]]:
    """Yields (field number, number or bytes, where it ends). Fixed-width fields come as bytes."""
    position = 0
    while position < len(buffer):
        tag, position = read_varint(buffer, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            plain, position = read_varint(buffer, position)
            yield number, plain, position
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
        value = buffer[position : position + length]
        position += length
        yield number, value, position


def parse_part(message: bytes) -> Part:
    """Reads one BatchPart. DataLoss where it is malformed."""
    buffer, data, behind = memoryview(message), _EMPTY, 0
    head = bytearray()
    for number, value, end in _fields(buffer):
        if number == _DATA and not isinstance(value, int):
            data = value
        else:
            head += buffer[behind:end]
        behind = end
    try:
        return Part(batch_pb2.BatchPart.FromString(bytes(head)), data)
    except DecodeError as error:
        raise DataLoss(f"malformed message: {error}") from None


def parse_status(status: bytes) -> StatusDetails:
    """Reads the ErrorInfo and RetryInfo of a serialised google.rpc.Status.

    Never fails: details that cannot be read are left out.
    """
    found = StatusDetails()
    try:
        for number, value, _ in _fields(memoryview(status)):
            if number == 3 and not isinstance(value, int):
                _read_detail(Any.FromString(bytes(value)), found)
    except (DataLoss, DecodeError, UnicodeDecodeError):
        pass
    return found


def _read_detail(detail: Any, found: StatusDetails) -> None:
    kind = detail.type_url.rpartition("/")[2]
    for number, value, _ in _fields(memoryview(detail.value)):
        if isinstance(value, int):
            continue
        if kind == "google.rpc.ErrorInfo" and number == 1:
            found.reason = bytes(value).decode()
        elif kind == "google.rpc.RetryInfo" and number == 1:
            delay = Duration.FromString(bytes(value))
            found.retry_delay = delay.seconds + delay.nanos / 1e9
