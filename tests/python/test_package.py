"""What `pip install ./client/python` gives in a checkout that is built, and the wheels of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.stores import ROOT

OFFLINE = ["--no-deps", "--no-index"]
ALONE = {
    k: v
    for k, v in os.environ.items()
    if k not in ("INKSTREAM_BINARY", "INKSTREAM_LIBRARY", "PYTHONPATH", "PATH")
} | {"PATH": "/usr/bin:/bin"}


def run(*command: object, timeout: float = 120, **options: object) -> str:
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    output: str = done.stdout
    return output


def installed(home: Path, *wheels: Path) -> dict[str, str]:
    """The environment of a program that sees these wheels and no checkout."""
    run(sys.executable, "-m", "pip", "install", *OFFLINE, "--target", home, *wheels)
    return {**ALONE, "PYTHONPATH": str(home)}


def minor_of(wheel: Path) -> int:
    matched = re.search(r"-py3-none-manylinux_2_(\d+)_x86_64", wheel.name)
    assert matched, f"{wheel.name}: pip refuses it where glibc is older"
    return int(matched[1])


def wanted_by(folder: Path) -> set[int]:
    """The minor versions of glibc whose symbols the files of a folder want."""
    wanted: set[int] = set()
    for file in folder.rglob("_*/*"):
        if file.is_file() and file.read_bytes()[:4] == b"\x7fELF":
            symbols = run("objdump", "-T", file)
            wanted |= {int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", symbols)}
    return wanted


def test_without_binutils_a_wheel_is_of_this_machine(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "client" / "python"))
    import native_wheel

    monkeypatch.setattr(native_wheel.platform, "libc_ver", lambda: ("glibc", "2.99"))
    asked = native_wheel.platform_tag("linux_x86_64", [binary])
    assert 17 <= int(asked.split("_")[2]) < 99, "by what the program wants"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert native_wheel.platform_tag("linux_x86_64", [binary]) == "manylinux_2_99_x86_64"


STREAMS = """
import sys, inkstream
print(inkstream.__file__)
with inkstream.open(sys.argv[1]) as client:
    print(client.transport, len(client.dataset()))
    stream = client.dataset().stream(batch_size=8)
    next(stream), print(stream.stats()['transport']), stream.close()
"""


def test_a_wheel_carries_the_program_and_works_alone(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    source = tmp_path / "client"
    shutil.copytree(
        ROOT / "client" / "python",
        source,
        ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "_bin"),
    )
    built = {"INKSTREAM_BINARY": binary, "INKSTREAM_LIBRARY": binary.parent / "libinkstream.so"}
    run(
        *(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation"),
        *("-w", tmp_path, source),
        env={**os.environ, **{name: str(path) for name, path in built.items()}},
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("py.typed", "_bin/inkstream", "_lib/libinkstream.so", "_lib/libgrpc.so"):
        assert any(f"inkstream/{part}" in name for name in names), part
    environment = installed(tmp_path / "site", wheel)
    assert wanted_by(tmp_path / "site") <= {*range(minor_of(wheel) + 1)}
    package = tmp_path / "site" / "inkstream"
    said = run(sys.executable, "-c", STREAMS, store, env=environment, cwd=tmp_path)
    expected = [str(package / "__init__.py"), "libinkstream, in this process 2000", "here"]
    assert said.splitlines() == expected
    version = run(tmp_path / "site/bin/inkstream", "--version", env=environment, cwd=tmp_path)
    assert version == run(binary, "--version")


@pytest.fixture(scope="module")
def wheels(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What deploy/build_wheels.sh makes: "pure", "native" and "server"."""
    out = tmp_path_factory.mktemp("dist")
    run(
        *(ROOT / "deploy/build_wheels.sh", "--out", out),
        timeout=300,
        env={
            **os.environ,
            "INKSTREAM_BUILD": str(binary.parent),
            "PYTHON": sys.executable,
            "PIP_FLAGS": "--no-build-isolation --no-index",
        },
    )
    found = {
        "pure": [*out.glob("inkstream-*-py3-none-any.whl")],
        "native": [*out.glob("inkstream-*-manylinux_*.whl")],
        "server": [*out.glob("inkstream_server-*-manylinux_*.whl")],
    }
    assert {name: len(files) for name, files in found.items()} == dict.fromkeys(found, 1)
    assert len([*out.iterdir()]) == 3
    return {name: files[0] for name, files in found.items()}


def test_the_wheels_are_a_client_and_a_program(
    wheels: dict[str, Path], binary: Path, store: Path, tmp_path: Path
) -> None:
    environment = installed(tmp_path / "site", wheels["native"], wheels["server"])
    assert not (tmp_path / "site/inkstream/_bin").exists()
    assert wanted_by(tmp_path / "site/inkstream") <= {*range(minor_of(wheels["native"]) + 1)}
    assert minor_of(wheels["native"]) <= 34, "RHEL 9 and Amazon Linux 2023 refuse it"
    assert wheels["native"].stat().st_size <= 8 << 20
    assert wanted_by(tmp_path / "site/inkstream_server") <= {*range(minor_of(wheels["server"]) + 1)}
    for command in (
        [tmp_path / "site/bin/inkstream"],
        [tmp_path / "site/bin/inkstream-server"],
        [sys.executable, "-m", "inkstream_server"],
    ):
        said = run(*command, "--version", env=environment, cwd=tmp_path)
        assert said == run(binary, "--version")
    # The first five minutes.
    ways: dict[str, object] = {"env": environment, "cwd": tmp_path}
    program = tmp_path / "site/bin/inkstream"
    run(program, "generate", "--drawings", 200, "--seed", 1, "-o", "a.ndjson", **ways)
    run(sys.executable, "-m", "inkstream", "ingest", "a.ndjson", "--store", "a.ink", **ways)
    said = run(sys.executable, "-c", STREAMS, "a.ink", **ways)
    assert "libinkstream, in this process 200" in said


def test_ctrl_c_before_the_servers_wheel_becomes_the_program_is_told_as_by_it() -> None:
    early = "import os, signal; os.execv = lambda *_: os.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run(
        [sys.executable, "-c", f"{early}\nfrom inkstream_server.__main__ import main\nmain()"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**ALONE, "PYTHONPATH": str(ROOT / "deploy/server_wheel/src")},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_client_alone_says_what_is_missing(
    wheels: dict[str, Path], server: object, tmp_path: Path
) -> None:
    environment = installed(tmp_path / "site", wheels["pure"])
    assert not [*(tmp_path / "site").rglob("*.so")]
    for command in (
        [str(tmp_path / "site/bin/inkstream")],
        [sys.executable, "-m", "inkstream", "ingest"],
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path
        )
        assert done.returncode == 1 and done.stderr.endswith("pip install inkstream-server\n")
    target = server.tcp  # type: ignore[attr-defined]
    listed = run(sys.executable, "-m", "inkstream", "ls", target, env=environment, cwd=tmp_path)
    assert "quickdraw" in listed
