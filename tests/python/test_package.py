"""What `pip install ./client/python` gives in a checkout that is built."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from support.stores import ROOT


def test_a_wheel_carries_the_program_and_works_alone(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    source = tmp_path / "client"
    shutil.copytree(
        ROOT / "client" / "python",
        source,
        ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "_bin"),
    )
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*build, "--no-index", "-w", str(tmp_path), str(source)],
        env={
            **os.environ,
            "INKSTREAM_BINARY": str(binary),
            "INKSTREAM_LIBRARY": str(binary.parent / "libinkstream.so"),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("inkstream-")
    floor = platform.libc_ver()[1].replace(".", "_")
    assert f"-py3-none-manylinux_{floor}_" in wheel.name, "pip refuses it where glibc is older"
    installed = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target"]
    subprocess.run(
        [*install, str(installed), str(wheel)], check=True, capture_output=True, timeout=120
    )
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("inkstream/py.typed") for name in names)
    for carried in ("_bin/inkstream", "_lib/libinkstream.so", "_lib/libgrpc.so"):
        assert any(f"inkstream/{carried}" in name for name in names), carried

    environment = {
        k: v
        for k, v in os.environ.items()
        if k not in ("INKSTREAM_BINARY", "INKSTREAM_LIBRARY", "PYTHONPATH", "PATH")
    }
    environment |= {"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"}
    program = (
        "import sys, inkstream; print(inkstream.__file__)\n"
        "with inkstream.open(sys.argv[1]) as client:\n"
        "    print(client.transport, len(client.dataset()))\n"
        "    stream = client.dataset().stream(batch_size=8)\n"
        "    next(stream), print(stream.stats()['transport']), stream.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(store)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    package = installed / "inkstream"
    expected = [str(package / "__init__.py"), "libinkstream, in this process 2000", "here"]
    assert done.stdout.splitlines() == expected, done.stderr
