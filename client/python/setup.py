"""Puts what a built checkout has into the package, so that installing needs no compiler."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
BINARY = Path(os.environ.get("INKSTREAM_BINARY") or BUILD / "inkstream")
LIBRARY = Path(os.environ.get("INKSTREAM_LIBRARY") or BUILD / "libinkstream.so")
# Part of any system with a C library, or bound to the one that runs.
SYSTEM = re.compile(
    r"(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+)\.so"
)


def needed_by(program: Path) -> list[Path]:
    """The shared libraries that `program` needs and that not every system has."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE)
    return [Path(path) for name, path in found if not SYSTEM.match(name)]


class BuildWithBinary(build_py):
    """Adds what is built: inkstream/_bin/inkstream, inkstream/_lib/libinkstream.so and theirs."""

    def run(self) -> None:
        """Refuses a checkout whose contract has not been compiled."""
        if not (HERE / "src/inkstream/v1/service_pb2.py").exists():
            raise SystemExit(
                "inkstream/v1/*_pb2.py are missing: build the CMake target "
                "inkstream_python_proto (or everything) first"
            )
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / "inkstream"
        libraries: dict[str, Path] = {}
        for built, folder in ((BINARY, "_bin"), (LIBRARY, "_lib")):
            if built.is_file():
                self._add(built, package / folder)
                libraries.update((path.name, path) for path in needed_by(built))
        for path in libraries.values():
            self._add(path, package / "_lib")

    def _add(self, source: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, folder / source.name)
        (folder / source.name).chmod(0o755)


class PlatformWheel(bdist_wheel):
    """A wheel that carries a binary belongs to one platform, whatever the Python."""

    def finalize_options(self) -> None:
        """Marks the wheel."""
        super().finalize_options()
        if BINARY.is_file() or LIBRARY.is_file():
            self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, a glibc no older than this machine's: what is carried was built here."""
        python, abi, system = super().get_tag()
        if not (BINARY.is_file() or LIBRARY.is_file()):
            return python, abi, system
        library, version = platform.libc_ver()
        if library == "glibc":
            # So that pip refuses it on an older system instead of the loader at run time.
            system = system.replace("linux", f"manylinux_{version.replace('.', '_')}", 1)
        return "py3", "none", system


setup(cmdclass={"build_py": BuildWithBinary, "bdist_wheel": PlatformWheel})
