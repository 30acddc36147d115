"""libinkstream loads wherever people train, and keeps to its own libraries there.

Whatever else the process has loaded for all to see is not taken, and it wants no newer C or C++
library than RHEL 9, Amazon Linux 2023 and Ubuntu 22.04 have.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.processes import Server, run_python

# What a process may get from elsewhere: TensorFlow brings the first three, py-lmdb and others the
# last two.
FOREIGN = (
    "_ZN6google8protobuf",
    "_ZN4absl",
    "_ZN4grpc",
    "grpc_",
    "gpr_",
    "ZSTD_",
    "mdb_",
    "_ZN3re2",
)
NAMED = ("ZSTD_decompress", "mdb_env_open", "_ZN6google8protobuf11MessageLite14ParseFromArrayEPKvi")

STREAM = """
import ctypes, sys
foreign, target = sys.argv[1:]
if foreign:
    ctypes.CDLL(foreign, mode=ctypes.RTLD_GLOBAL)
import inkstream
here = target.endswith(".ink")
client = inkstream.open(target) if here else inkstream.connect(target)
data = client.dataset()
stream = data.stream("train", batch_size=64, image=inkstream.Image(16), columns=["label"])
assert client.transport.startswith("libinkstream"), client.transport
print(len(list(stream)), data.fetch(index=[1, 2, 3]).index.tolist())
"""


@pytest.fixture(scope="module")
def library(binary: Path) -> Path:
    return Path(os.environ.get("INKSTREAM_LIBRARY") or binary.parent / "libinkstream.so")


@pytest.fixture(scope="module")
def foreign(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with every symbol that libinkstream takes from such libraries; all abort."""
    compiler, nm = shutil.which("cc"), shutil.which("nm")
    if compiler is None or nm is None:
        pytest.skip("no C compiler, or no nm")
    listed = subprocess.run(
        [nm, "-D", "--undefined-only", "--format=posix", library],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.split()[0].split("@")[0] for line in listed.stdout.splitlines()}
    taken = sorted({name for name in names if name.startswith(FOREIGN)} | set(NAMED))
    assert len(taken) > 50, "libinkstream takes next to nothing from elsewhere"
    home = tmp_path_factory.mktemp("foreign")
    source, built = home / "foreign.c", home / "libforeign.so"
    lines = ["#include <stdio.h>", "#include <stdlib.h>"]
    for number, name in enumerate(taken):
        lines.append(f'void f{number}(void) __asm__("{name}");')
        lines.append(f'void f{number}(void) {{ fputs("foreign {name}\\n", stderr); abort(); }}')
    source.write_text("\n".join(lines))
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-w", "-o", str(built), str(source)], check=True, timeout=60
    )
    return built


def test_symbols_that_others_have_loaded_for_all_to_see_are_not_taken(
    server: Server, store: Path, foreign: Path
) -> None:
    for target in (server.tcp, server.unix, str(store)):
        done = run_python(STREAM, str(foreign), target)
        assert (done.returncode, done.stdout) == (0, "24 [1, 2, 3]\n"), done.stderr


# GCC 11's libstdc++ ends there, and the C library of RHEL 9 and Amazon Linux 2023.
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
# What the system has, whatever it is.
SYSTEM = re.compile(r"(ld-linux.*|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+)\.so")
# What none of its work needs.
STRANGERS = ("libgrpc", "libcurl", "libspdlog", "libfmt", "libcairo", "libX11", "libmicrohttpd")


def needed_by(library: Path) -> list[Path]:
    listed = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE)
    return [Path(path) for name, path in found if not SYSTEM.match(name)]


def undefined(library: Path) -> list[str]:
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    )
    return [line.split()[-1] for line in listed.stdout.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def carried(library: Path) -> list[Path]:
    """The library and all that a wheel takes along for it."""
    if shutil.which("nm") is None or shutil.which("ldd") is None:
        pytest.skip("no nm, or no ldd")
    if any("_san_init" in name for name in undefined(library)):
        pytest.skip("a sanitizer's library is of this machine's compiler")
    return [library, *needed_by(library)]


def test_nothing_that_is_carried_wants_a_newer_system(carried: list[Path]) -> None:
    newer = []
    for path in carried:
        for name in undefined(path):
            _, _, version = name.partition("@")
            family, _, number = version.lstrip("@").partition("_")
            if not re.fullmatch(r"[0-9.]+", number) or family not in NEWEST:
                continue
            if tuple(map(int, number.split("."))) > NEWEST[family]:
                newer.append(f"{path.name}: {name}")
    assert not newer


def test_it_brings_nothing_that_its_work_does_not_need(carried: list[Path]) -> None:
    names = [path.name for path in carried]
    assert not [name for name in names if name.startswith(STRANGERS)], names


def test_it_shows_nothing_but_its_own_functions(carried: list[Path]) -> None:
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", carried[0]], capture_output=True, text=True, check=True
    )
    shown = {line.split()[-1] for line in listed.stdout.splitlines()}
    assert shown
    assert not {name for name in shown if not name.startswith("ik_")}


ORDER = """
import importlib, sys
import numpy
names, target = sys.argv[1].split(","), sys.argv[2]

def opened():
    import inkstream
    data = inkstream.connect(target).dataset()
    return data.stream("train", batch_size=64, image=inkstream.Image(16), codec="strokes")

for name in names:
    importlib.import_module(name)
    if name == "inkstream":
        first = next(opened())
stream = opened()
assert numpy.array_equal(next(stream).image, first.image)
print(stream.stats()["codec"])
"""
OTHERS = [n for n in ("torch", "pyarrow", "tensorflow") if importlib.util.find_spec(n)]


@pytest.mark.parametrize(
    "names", [",".join(order) for order in itertools.permutations(("inkstream", *OTHERS))]
)
def test_it_draws_beside_others_in_any_order(server: Server, names: str) -> None:
    done = run_python(ORDER, names, server.tcp)
    assert (done.returncode, done.stdout) == (0, "strokes\n"), done.stderr
