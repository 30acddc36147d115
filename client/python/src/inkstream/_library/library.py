"""libinkstream: found and loaded. ctypes lets go of the GIL in each call."""

from __future__ import annotations

import ctypes
import os
import threading
from functools import cache
from pathlib import Path

from inkstream._library.functions import declare

ABI = 5
_VARIABLE = "INKSTREAM_LIBRARY"
_NAME = "libinkstream.so"


def beside_the_package(folder: str, name: str) -> list[Path]:
    """Where a part lies that is built: in the package's `folder`, or where a checkout builds it."""
    here = Path(__file__).resolve().parents[1]
    found = [here / folder / name]
    if here.parts[-4:-1] == ("client", "python", "src"):
        found.append(here.parents[3] / "build" / name)
    return found


# Their dlopen refuses RTLD_DEEPBIND.
_SANITIZERS = ("__asan_init", "__hwasan_init", "__msan_init", "__tsan_init")


def _mode() -> int:
    """How it is loaded: so that it finds its own Protobuf and Abseil.

    Whatever was loaded for all to see comes before them else: with TensorFlow's, which are of
    another version, the first stream ended the process.
    """
    this_process = ctypes.CDLL(None)
    if any(hasattr(this_process, name) for name in _SANITIZERS):
        return os.RTLD_NOW
    return os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0)  # not every C library has it


@cache
def _load() -> tuple[ctypes.CDLL | None, str]:
    given = os.environ.get(_VARIABLE)
    if given == "none":
        return None, f"{_VARIABLE}=none"
    paths = (
        [Path(given)] if given else [p for p in beside_the_package("_lib", _NAME) if p.is_file()]
    )
    if not paths:
        return None, f"there is no {_NAME} in the package, and {_VARIABLE} is not set"
    try:
        library = ctypes.CDLL(str(paths[0]), mode=_mode())
        declare(library)
        found = library.ik_abi()
    except (OSError, AttributeError) as error:
        return None, f"{paths[0]} cannot be loaded: {error}"
    if found != ABI:
        return None, f"{paths[0]} has interface {found}, this package needs {ABI}"
    return library, str(paths[0])


_loading = threading.Lock()
# A fork in the middle of loading must not leave the lock held.
os.register_at_fork(
    before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
)


def library() -> tuple[ctypes.CDLL | None, str]:
    """The library and where it lies; or None and why not. It sees to forks itself."""
    with _loading:
        return _load()
