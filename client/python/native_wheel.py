"""Wheels that carry what a checkout has built: which libraries come along, where it then runs."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Part of any system with a C library, or bound to the one that runs.
SYSTEM = re.compile(
    r"(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+)\.so"
)
# libstdc++ is the system's: the C library that came with the first to have these symbols.
_OF_GLIBCXX = {29: 34, 30: 35}
_OLDEST = 17  # no Python that is looked after runs on an older one


def add_built(built: Path, package: Path, folder: str) -> list[Path]:
    """Puts `built` into the package's `folder` and what it needs into `_lib`: all of the files."""
    return [
        _copied(built, package / folder),
        *(_copied(path, package / "_lib") for path in _needed_by(built)),
    ]


def platform_tag(system: str, carried: Iterable[Path]) -> str:
    """`system`, such as linux_x86_64, as the oldest on which what is carried can be loaded.

    So that pip refuses a wheel where the loader would. It looks at what versions of symbols are
    asked for, as auditwheel does, and not at the machine that built it.
    """
    library, version = platform.libc_ver()
    if library != "glibc":
        return system
    newest = int(version.partition(".")[2])
    floor = max((_floor_of(path, newest) for path in carried), default=_OLDEST)
    return system.replace("linux", f"manylinux_2_{max(floor, _OLDEST)}", 1)


def _needed_by(program: Path) -> list[Path]:
    """The shared libraries that `program` needs and that not every system has."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE)
    return [Path(path) for name, path in found if not SYSTEM.match(name)]


def _floor_of(file: Path, newest: int) -> int:
    """The minor version of glibc 2 that `file` wants; `newest`: that of this machine, which has it.

    Nothing better is known where there is no objdump, as on a machine without a compiler.
    """
    if shutil.which("objdump") is None:
        return newest
    told = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True)
    wanted = [int(minor) for minor in re.findall(r"\bGLIBC_2\.(\d+)", told.stdout)]
    for minor in map(int, re.findall(r"\bGLIBCXX_3\.4\.(\d+)", told.stdout)):
        if minor >= min(_OF_GLIBCXX):
            wanted.append(_OF_GLIBCXX.get(minor, newest))
    return max(wanted, default=0)


def _copied(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / source.name
    shutil.copy2(source, copy)
    copy.chmod(0o755)
    return copy
