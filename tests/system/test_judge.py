"""What `tests/judge.sh` makes of stages that fail, on logs as ctest and pytest write them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PYTEST = "FAILED python/test_a.py::test_b[x y] - assert 1 == 2\\n1 failed in 0.1s\\n"
CTEST = "0%% tests passed, 1 tests failed\\n\\t  7 - Suite.Name (Failed)\\n"

SCRIPT = """
set -euo pipefail
source {root}/deploy/steps.sh
root={folder} logs={folder} quarantine={folder}/quarantine.txt
source {root}/tests/judge.sh
judged fake ' (passed|failed)' bash -c "printf '{said}'; exit 1" -- bash -c "{again}"
verdict
"""

Judge = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def judge(root: Path, tmp_path: Path) -> Judge:
    def run(said: str, again: str, quarantine: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "quarantine.txt").write_text(quarantine)
        script = SCRIPT.format(root=root, folder=tmp_path, said=said, again=again)
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("said", "name"),
    [(PYTEST, "python/test_a.py::test_b[x y]"), (CTEST, "Suite.Name")],
)
class TestAStageThatPassesWhenItRunsAgain:
    def test_fails_and_names_the_test(self, judge: Judge, said: str, name: str) -> None:
        ended = judge(said, "echo 1 passed")
        assert ended.returncode == 1
        assert f"not in quarantine.txt: {name}" in ended.stdout
        assert "failed: fake" in ended.stderr

    def test_passes_where_the_quarantine_has_it_with_a_reason(
        self, judge: Judge, said: str, name: str
    ) -> None:
        ended = judge(said, "echo 1 passed", f"{name}  # waits for a port\n")
        assert ended.returncode == 0
        assert "unsteady: fake" in ended.stdout

    def test_fails_where_the_quarantine_gives_no_reason(
        self, judge: Judge, said: str, name: str
    ) -> None:
        assert judge(said, "echo 1 passed", f"{name}\n").returncode == 1

    def test_fails_beside_another_that_is_in_quarantine(
        self, judge: Judge, said: str, name: str
    ) -> None:
        ended = judge(said, "echo 1 passed", "Suite.Other  # slow\n")
        assert ended.returncode == 1


def test_a_stage_that_fails_again_fails_though_it_is_in_quarantine(judge: Judge) -> None:
    ended = judge(CTEST, "echo 1 failed; exit 1", "Suite.Name  # slow\n")
    assert ended.returncode == 1


def test_a_stage_that_names_no_test_fails(judge: Judge) -> None:
    assert judge("died\\n", "echo 1 passed").returncode == 1
