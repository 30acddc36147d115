"""What to say where a framework that an adapter is for is not installed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence


def require(adapter: str, extra: str, modules: Sequence[str]) -> None:
    """Imports `modules` for `adapter`; ModuleNotFoundError says what to type for a missing one.

    An import that fails within a framework is the framework's own to tell.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0] and error.name != module:
                raise
            raise ModuleNotFoundError(
                f"{adapter} needs {error.name}, which is not installed: "
                f"pip install 'inkstream[{extra}]'",
                name=error.name,
            ) from None
