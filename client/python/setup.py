"""Puts what a built checkout has into the package, so that installing needs no compiler."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
BUILT = Path(os.environ.get("INKSTREAM_BINARY") or HERE.parents[1] / "build" / "inkstream")


class BuildWithBinary(build_py):
    """Adds the server's binary, if there is one, as inkstream/_bin/inkstream."""

    def run(self) -> None:
        """Refuses a checkout whose contract has not been compiled."""
        if not (HERE / "src/inkstream/v1/service_pb2.py").exists():
            raise SystemExit(
                "inkstream/v1/*_pb2.py are missing: build the CMake target "
                "inkstream_python_proto (or everything) first"
            )
        super().run()
        if BUILT.is_file() and not self.editable_mode:
            target = Path(self.build_lib) / "inkstream" / "_bin" / "inkstream"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(BUILT, target)
            target.chmod(0o755)


class PlatformWheel(bdist_wheel):
    """A wheel that carries a binary belongs to one platform, whatever the Python."""

    def finalize_options(self) -> None:
        """Marks the wheel."""
        super().finalize_options()
        if BUILT.is_file():
            self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, this platform."""
        tag = super().get_tag()
        return ("py3", "none", tag[2]) if BUILT.is_file() else tag


setup(cmdclass={"build_py": BuildWithBinary, "bdist_wheel": PlatformWheel})
