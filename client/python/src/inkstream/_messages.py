"""Plain values into the contract's messages.

The server alone judges values; here only names are turned into the contract's numbers, so a
FixRequest from this module means a name that the contract has no number for, or a value of
another kind than its field's.
"""

from __future__ import annotations

from typing import Any, TypeVar

from google.protobuf.message import Message

from inkstream._errors import FixRequest

M = TypeVar("M", bound=Message)


def number_of(enum: Any, prefix: str, field_name: str, value: str) -> int:
    """The contract's number of a name such as "uint8"; FixRequest lists the names there are."""
    name = f"{prefix}_{value}".upper()
    if name not in enum.keys():  # noqa: SIM118  (not a mapping)
        known = [k[len(prefix) + 1 :].lower() for k in enum.keys()]  # noqa: SIM118
        offered = ", ".join(repr(k) for k in known if k != "unspecified")
        raise FixRequest(f"{field_name} = {value!r} is not known; there are {offered}")
    return int(enum.Value(name))


def message_of(kind: type[M], name: str, values: dict[str, Any]) -> M:
    """Builds a message; FixRequest names the field that cannot hold its value."""
    message = kind()
    for key, value in values.items():
        if value is None:
            continue
        try:
            message.MergeFrom(kind(**{key: value}))
        except (TypeError, ValueError) as error:
            raise FixRequest(f"{name}.{key} = {value!r}: {error}") from None
    return message
