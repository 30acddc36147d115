"""Plain values as users give them: NumPy's and torch's numbers, flags and names too.

Every function takes the field's name for the FixRequest that says what was given and what fits.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkstream.errors import FixRequest


class TorchDType(Protocol):
    """A torch.dtype, for those who check types without torch."""

    @property
    def is_floating_point(self) -> bool:
        """As torch has it."""

    @property
    def is_signed(self) -> bool:
        """As torch has it."""


def is_bool(value: Any) -> bool:
    """Whether `value` is one flag or an array of flags, whoever made it."""
    kind = getattr(value, "dtype", None)
    return isinstance(value, bool) or (kind is not None and str(kind) in ("bool", "torch.bool"))


def whole(
    field: str,
    value: Any,
    low: int | None = None,
    high: int | None = None,
    error: type[FixRequest] = FixRequest,
) -> int:
    """A whole number in low..high; `error` for one outside. A bool is none, nor is 3.0."""
    try:
        if is_bool(value):
            raise TypeError
        number = operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # torch has one of its own for each
        raise FixRequest(
            f"{field} = {shown(value)} is not a whole number{_range(low, high)}"
        ) from None
    if (low is not None and number < low) or (high is not None and number > high):
        raise error(f"{field} = {number} is out of range{_range(low, high)}")
    return number


def whole_numbers(
    field: str, values: Any, low: int, high: int, error: type[FixRequest] = FixRequest
) -> NDArray[np.int64]:
    """Whole numbers in low..high as one array, whoever holds them; `error` for those outside.

    Flags are refused: they are a mask, and what they mean is not for this to say.
    """
    if isinstance(values, (str, bytes, Mapping)) or not holds_many(values):
        raise FixRequest(f"{field} = {shown(values)} is not a list of whole numbers")
    if hasattr(values, "__array__"):
        array = as_array(field, values)
        if array.ndim != 1:
            raise FixRequest(f"{field} has the shape {list(array.shape)}; give one dimension")
        if array.dtype == object:
            return whole_numbers(field, array.tolist(), low, high, error)
        if array.size and array.dtype.kind not in "iu":
            raise FixRequest(f"{field} is an array of {array.dtype}, not of whole numbers")
    else:
        given = list(values)
        if not {type(value) for value in given} <= {int}:
            given = [whole(f"{field}[{i}]", value) for i, value in enumerate(given)]
        array = np.array(given, dtype=object)
    wrong = np.flatnonzero((array < low) | (array > high))
    if wrong.size:
        at = int(wrong[0])
        raise error(f"{field}[{at}] = {array[at]} is out of range{_range(low, high)}")
    return array.astype(np.int64)


def as_array(field: str, value: Any) -> NDArray[Any]:
    """An array of NumPy's, over the memory of `value` where that can be."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # torch on a device, ragged lists
        raise FixRequest(f"{field} = {shown(value)} cannot be read as an array: {error}") from None


def real(field: str, value: Any) -> float:
    """A number. A bool is none, nor is a str or an array."""
    try:
        if is_bool(value) or isinstance(value, (str, bytes)) or _dimensions(value):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise FixRequest(f"{field} = {shown(value)} is not a number") from None


def flag(field: str, value: Any) -> bool:
    """True or False. 0 and 1 are none: what is given for a flag is mostly a mistake."""
    if not is_bool(value) or _dimensions(value):
        raise FixRequest(f"{field} = {shown(value)} is not True or False")
    return bool(value)


def text(field: str, value: Any) -> str:
    """A str."""
    if not isinstance(value, str):
        raise FixRequest(f"{field} = {shown(value)} is not a str")
    try:
        return value.encode().decode()  # NumPy's is a subclass
    except UnicodeEncodeError:
        raise FixRequest(f"{field} = {shown(value)} is not Unicode text") from None


def one_of(field: str, value: Any, known: Sequence[str]) -> str:
    """One of the names there are, in whatever case."""
    for name in known:
        if isinstance(value, str) and value.lower() == name.lower():
            return name
    near = nearest(value, known) if isinstance(value, str) else ""
    offered = ", ".join(map(repr, known))
    raise FixRequest(f"{field} = {shown(value)} is not known{near}; there are {offered}")


def holds_many(value: Any) -> bool:
    """Whether `value` is a sequence or an array rather than one number, NumPy's or torch's too."""
    return hasattr(value, "__iter__") and _dimensions(value, 1) != 0


def sequence(field: str, value: Any, of: str) -> list[Any]:
    """What `value` holds, as a list. A str or a mapping is no list of anything."""
    if isinstance(value, str):
        raise FixRequest(f"{field} = {value!r} is a str; give a list of {of}, [{value!r}]")
    try:
        if isinstance(value, (bytes, dict)):
            raise TypeError
        return list(value)
    except TypeError:  # a 0-dimensional array too
        raise FixRequest(f"{field} = {shown(value)} is not a list of {of}") from None


def dtype_name(field: str, value: Any, known: Sequence[str]) -> str:
    """The name of an element type given as such, or as NumPy's, torch's or ml_dtypes' own."""
    name = value
    if isinstance(value, type):
        try:
            name = np.dtype(value).name
        except (TypeError, ValueError):
            name = value.__name__
    elif isinstance(value, np.dtype):
        name = value.name
    elif str(value).startswith("torch."):
        name = str(value).removeprefix("torch.")
    return one_of(field, name, known)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest of `known`; empty where none is near."""
    lower = {word.lower(): word for word in known}
    found = get_close_matches(name.lower(), lower, n=1)
    return f"; the nearest is {lower[found[0]]!r}" if found else ""


def shown(value: Any) -> str:
    """A value in an error's text, however large it is."""
    return _short(" ".join(repr(value).split()))


def typed(keywords: Any) -> str:
    """A dict as one types it in a call."""
    return _short(", ".join(f"{name}={value!r}" for name, value in keywords.items()))


def repr_of(spec: Any) -> str:
    """A dataclass's repr with the fields that were set, as one would type them."""
    parts = []
    for i, f in enumerate(f for f in fields(spec) if f.repr):
        value = getattr(spec, f.name)
        standard = f.default_factory() if f.default_factory is not MISSING else f.default
        if standard is MISSING or value != standard:
            parts.append(f"{f.name}={value!r}" if i or f.kw_only else repr(value))
    return f"{type(spec).__name__}({', '.join(parts)})"


def _dimensions(value: Any, without: int = 0) -> int:
    """Those of an array; `without`: what stands for what is none."""
    found: int = getattr(value, "ndim", without)
    return found


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return ""
    if high is None:
        return f": it must be at least {low}"
    powers = {2**32 - 1: "2^32-1", 2**63 - 1: "2^63-1", 2**64 - 1: "2^64-1", -(2**63): "-2^63"}
    return f": it must be in {powers.get(low, low)}..{powers.get(high, high)}"


def _short(line: str) -> str:
    return line if len(line) <= 80 else f"{line[:77]}..."
