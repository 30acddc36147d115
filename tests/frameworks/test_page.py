"""The examples of FRAMEWORKS.md run as they stand, where their framework is installed."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.processes import Server, run_python
from support.stores import ROOT

PAGE = ROOT / "client" / "python" / "FRAMEWORKS.md"
SECTIONS = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), flags=re.DOTALL | re.M)
EXAMPLES = [
    (title, code)
    for title, text in SECTIONS
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
]
NEEDS = {
    "fastai": ["fastai"],
    "Lightning": ["lightning"],
    "Hugging Face": ["transformers"],
    "JAX": ["jax", "flax", "optax"],
    "Grain": ["grain"],
    "TensorFlow": ["tensorflow"],
    "Ray": ["ray"],
}


# A process each: TensorFlow and PyTorch do not get along in one.
PREAMBLE = """
import os, sys
os.chdir(sys.argv[2])
import inkstream
data = inkstream.connect(sys.argv[1]).dataset()
"""


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_runs(server: Server, tmp_path: Path, title: str, code: str) -> None:
    for module in NEEDS[title]:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    done = run_python(PREAMBLE + code, server.tcp, str(tmp_path), timeout=500, MPLBACKEND="Agg")
    assert done.returncode == 0, done.stderr
