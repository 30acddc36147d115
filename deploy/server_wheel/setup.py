"""The program and its libraries as a package; made by deploy/build_wheels.sh."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from native_wheel import add_built, platform_tag  # noqa: E402 - put beside this file

BINARY = Path(os.environ["INKSTREAM_BINARY"])


class BuildWithProgram(build_py):
    """Adds inkstream_server/_bin/inkstream and its libraries."""

    def run(self) -> None:
        """As build_py, and the program."""
        super().run()
        add_built(BINARY, Path(self.build_lib) / "inkstream_server", "_bin")


class PlatformWheel(bdist_wheel):
    """A wheel of one platform, whatever the Python."""

    def finalize_options(self) -> None:
        """Marks the wheel."""
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, and a glibc that has what the carried files want."""
        package = Path(self.get_finalized_command("build_py").build_lib) / "inkstream_server"
        carried = list(package.glob("_*/*")) or [BINARY]
        return "py3", "none", platform_tag(super().get_tag()[2], carried)


setup(cmdclass={"build_py": BuildWithProgram, "bdist_wheel": PlatformWheel})
