"""Plain values into the contract's messages.

The server alone judges values; here only names are turned into the contract's numbers, so a
FixRequest from this module means a name that the contract has no number for, or a value of
another kind than its field's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from inkstream._request.values import flag, one_of, real, text, whole

M = TypeVar("M", bound=Message)

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
def names_in(enum: Any, prefix: str) -> tuple[str, ...]:
    """The names that the contract has numbers for, as users write them."""
    known = [k[len(prefix) + 1 :].lower() for k in enum.keys()]  # noqa: SIM118  (not a mapping)
    return tuple(k for k in known if k != "unspecified")


def number_of(
    enum: Any, prefix: str, field_name: str, value: str, known: Sequence[str] = ()
) -> int:
    """The contract's number of a name such as "drop"; FixRequest lists the names there are,
    `known` if not all of the contract's fit here."""
    name = one_of(field_name, value, known or names_in(enum, prefix))
    return int(enum.Value(f"{prefix}_{name}".upper()))


def message_of(kind: type[M], name: str, values: dict[str, Any]) -> M:
    """Builds a message; FixRequest names the field that cannot hold its value.

    None: not set.
    """
    plain = {}
    kinds = _kinds_of(kind)
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


def _kinds_of(kind: type[Message]) -> dict[str, tuple[Callable[[str, Any], Any], bool]]:
    """What makes a value of each field, and whether the field is repeated."""
    name = kind.DESCRIPTOR.full_name
    if name not in _known_kinds:
        empty, found = kind(), {}
        for field in kind.DESCRIPTOR.fields:
            make = _KINDS.get(field.cpp_type, _as_it_is)
            if field.cpp_type in _RANGES:
                low, high = _RANGES[field.cpp_type]
                make = partial(whole, low=low, high=high)
            found[field.name] = make, hasattr(getattr(empty, field.name), "extend")
        _known_kinds[name] = found
    return _known_kinds[name]


_known_kinds: dict[str, dict[str, tuple[Callable[[str, Any], Any], bool]]] = {}


def _as_it_is(_: str, value: Any) -> Any:
    return value
