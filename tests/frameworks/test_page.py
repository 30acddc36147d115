"""The examples of FRAMEWORKS.md run as they stand, where their framework is installed."""

from __future__ import annotations

import re
from pathlib import Path

import inkstream
import pytest
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


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_runs(
    data: inkstream.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    title: str,
    code: str,
) -> None:
    for module in NEEDS[title]:
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"data": data, "inkstream": inkstream, "__name__": "example"}
    exec(compile(code, str(PAGE), "exec"), names)
