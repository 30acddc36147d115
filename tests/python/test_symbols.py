"""libinkstream keeps to its own libraries, whatever else the process has loaded for all to see."""

from __future__ import annotations

import os
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
