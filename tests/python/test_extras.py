"""What an adapter says where its framework is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.processes import run_python

# The module, its extra, and the framework that is made to be missing.
ADAPTERS = [
    ("torch", "torch", "torch"),
    ("fastai", "fastai", "fastai"),
    ("lightning", "lightning", "lightning"),
    ("hf", "hf", "transformers"),
    ("jax", "jax", "jax"),
    ("grain", "grain", "grain"),
    ("tf", "tf", "tensorflow"),
    ("ray", "ray", "ray"),
]


@pytest.mark.parametrize(("module", "extra", "framework"), ADAPTERS, ids=lambda name: name)
def test_the_line_to_type_is_named(module: str, extra: str, framework: str) -> None:
    program = f"""
import sys
sys.modules[{framework!r}] = None
import inkstream
try:
    inkstream.{module}
except ModuleNotFoundError as error:
    assert error.name == {framework!r}, error.name
    print(error)
"""
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        f"inkstream.{module} needs {framework}, which is not installed: "
        f"pip install 'inkstream[{extra}]'"
    )


def test_a_module_that_a_framework_misses_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "framework.py").write_text("import what_the_framework_needs")
    program = """
from inkstream._python.extras import require
try:
    require("inkstream.framework", "framework", ["framework"])
except ModuleNotFoundError as error:
    print(error)
"""
    done = run_python(program, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "No module named 'what_the_framework_needs'"
