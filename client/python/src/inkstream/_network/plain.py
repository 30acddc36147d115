"""Messages of the contract as plain Python: numbers are numbers, and nothing is left out."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from inkstream._request.messages import name_of


def plain(message: Message) -> dict[str, Any]:
    """Every field by its name; of messages in it, those that are set.

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
