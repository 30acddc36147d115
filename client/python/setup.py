"""Puts what a built checkout has into the package, so that installing needs no compiler."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from native_wheel import add_built, platform_tag  # noqa: E402 - pip does not look beside this file

BUILD = HERE.parents[1] / "build"
BINARY = Path(os.environ.get("INKSTREAM_BINARY") or BUILD / "inkstream")
LIBRARY = Path(os.environ.get("INKSTREAM_LIBRARY") or BUILD / "libinkstream.so")
CARRIED = {
    folder: built for folder, built in (("_bin", BINARY), ("_lib", LIBRARY)) if built.is_file()
}


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
        if not self.editable_mode:
            for folder, built in CARRIED.items():
                add_built(built, Path(self.build_lib) / "inkstream", folder)


class PlatformWheel(bdist_wheel):
    """A wheel that carries a binary belongs to one platform, whatever the Python."""

    def finalize_options(self) -> None:
        """Marks the wheel."""
        super().finalize_options()
        if CARRIED:
            self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, and a glibc that has what the carried files want."""
        python, abi, system = super().get_tag()
        if not CARRIED:
            return python, abi, system
        package = Path(self.get_finalized_command("build_py").build_lib) / "inkstream"
        carried = [file for folder in ("_bin", "_lib") for file in package.glob(f"{folder}/*")]
        # Asked for before anything is built, too: by what stands in the checkout then.
        return "py3", "none", platform_tag(system, carried or CARRIED.values())


setup(cmdclass={"build_py": BuildWithBinary, "bdist_wheel": PlatformWheel})
