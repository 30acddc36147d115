"""`cmake --install`, and a project outside the tree that finds what it installed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from serving import RunningServer

LISTS = """
cmake_minimum_required(VERSION 3.25)
project(reader LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(Inkstream 0.1 REQUIRED)
add_executable(reader reader.cc)
target_link_libraries(reader PRIVATE Inkstream::client)
"""

READER = """
#include <iostream>

#include <inkstream/batch_range.h>

int main(int, char** argv) {
  auto client = inkstream::Client::Connect({argv[1]});
  if (!client.ok()) return std::cerr << client.status() << "\\n", 1;
  inkstream::Plan plan;
  plan.delivery.image.emplace();
  plan.delivery.batch_size = 500;
  auto stream = (*client)->Stream(plan);
  if (!stream.ok()) return std::cerr << stream.status() << "\\n", 1;
  inkstream::BatchRange batches(stream->get());
  int64_t drawings = 0;
  for (const inkstream::Batch& batch : batches) drawings += batch.rows();
  std::cout << drawings << " " << batches.status() << "\\n";
}
"""


def run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(600)
def test_a_project_outside_the_tree_finds_the_client(
    root: Path, server: RunningServer, tmp_path: Path
) -> None:
    prefix, project, build = (tmp_path / name for name in ("prefix", "project", "build"))
    run(["cmake", "--install", root / "build", "--prefix", prefix])
    project.mkdir()
    (project / "CMakeLists.txt").write_text(LISTS)
    (project / "reader.cc").write_text(READER)
    run(["cmake", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", build])
    assert run([build / "reader", server.address]) == "2000 OK\n"
    assert run([prefix / "bin" / "inkstream", "--version"]).startswith("inkstream ")
