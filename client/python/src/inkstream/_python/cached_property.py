"""functools.cached_property as Python 3.12 has it: without a lock.

Until 3.11 it has one, for all objects of a class. A process that forks while another thread
holds it has a child in which nobody lets go of it, and which waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:  # noqa: N801, as its model is called
        """Worked out when first asked for; by two threads at once perhaps twice."""

        def __init__(self, work: Callable[[Any], Any]) -> None:
            self._work = work
            self.__doc__ = work.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            values = instance.__dict__
            if self._name not in values:
                values[self._name] = self._work(instance)
            return values[self._name]


__all__ = ["cached_property"]
