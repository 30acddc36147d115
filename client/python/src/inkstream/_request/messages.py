"""Plain values into the contract's messages.

The server alone judges values; here only names are turned into the contract's numbers, so a
FixRequest from this module means a name that the contract has no number for, or a value of
another kind than its field's. Back, numbers become the names again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, partial
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from inkstream._request.values import flag, one_of, real, text, whole

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_KINDS: dict[int, Callable[[str, Any], Any]] = {
    FieldDescriptor.CPPTYPE_DOUBLE: real,
    FieldDescriptor.CPPTYPE_FLOAT: real,
    FieldDescriptor.CPPTYPE_BOOL: flag,
    FieldDescriptor.CPPTYPE_STRING: text,
}


@cache
def numbers_in(enum: EnumDescriptor) -> dict[str, int]:
    """The contract's numbers, by name as users write it."""
    prefix = _prefix_of(enum)
    named = {v.name.removeprefix(prefix).lower(): v.number for v in enum.values}
    return {name: number for name, number in named.items() if name != "unspecified"}


def name_of(enum: EnumDescriptor, number: int) -> str | None:
    """The name of a number, as users write it; None where this release knows none."""
    known = enum.values_by_number.get(number)
    return None if known is None else known.name.removeprefix(_prefix_of(enum)).lower()


def message_of(kind: type[M], name: str, values: Mapping[str, Any]) -> M:
    """Builds a message; FixRequest names the field that cannot hold its value.

    None: not set. Names of an enum become its numbers.
    """
    plain = {}
    kinds = _kinds_of(kind)  # type: ignore[arg-type]
    for key, value in values.items():
        if value is None:
            continue
        said = f"{name}.{key}" if name else key
        make, repeated = kinds[key]
        if repeated:
            plain[key] = [make(f"{said}[{i}]", each) for i, each in enumerate(value)]
        else:
            plain[key] = make(said, value)
    return kind(**plain)


@cache
def _kinds_of(kind: Any) -> dict[str, tuple[Callable[[str, Any], Any], bool]]:
    """What makes a value of each field, and whether the field is repeated."""
    empty, found = kind(), {}
    for field in kind.DESCRIPTOR.fields:
        make = _KINDS.get(field.cpp_type, _as_it_is)
        if field.cpp_type in _RANGES:
            low, high = _RANGES[field.cpp_type]
            make = partial(whole, low=low, high=high)
        elif field.enum_type is not None:
            make = partial(_number_of, field.enum_type)
        found[field.name] = make, hasattr(getattr(empty, field.name), "extend")
    return found


def _number_of(enum: Any, field: str, name: Any) -> int:
    numbers = numbers_in(enum)
    return numbers[one_of(field, name, tuple(numbers))]


def _prefix_of(enum: EnumDescriptor) -> str:
    """What the contract writes before each name: ON_CORRUPT_ in OnCorrupt."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"


def _as_it_is(_: str, value: Any) -> Any:
    return value


def plain(message: Message) -> dict[str, Any]:
    """A message as plain Python: every field by its name; of messages in it, those that are set.

    Protobuf's own conversion is to JSON, in which 64-bit numbers are texts and zeros are absent.
    """
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if isinstance(value, Message):
            if message.HasField(field.name):
                fields[field.name] = plain(value)
        elif isinstance(value, str | bytes | float | int):
            fields[field.name] = _scalar(field, value)
        else:
            fields[field.name] = [_scalar(field, one) for one in value]
    return fields


def _scalar(field: Any, value: Any) -> Any:
    if isinstance(value, Message):
        return plain(value)
    return value if field.enum_type is None else name_of(field.enum_type, value) or value


def taken(kind: type[T], message: Message, **others: Any) -> T:
    """A dataclass of a message's fields that it has too, by name, but for `others`."""
    names = {field.name for field in fields(kind)} - {*others}  # type: ignore[arg-type]
    return kind(**{name: getattr(message, name) for name in names}, **others)
