"""The examples of the README run as they stand, against a real server."""

from __future__ import annotations

import re
from pathlib import Path

import inkstream
import pytest
from support.processes import Server
from support.stores import ROOT

README = ROOT / "client" / "python" / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n", 1)[0][:40])
def test_an_example_runs(
    server: Server,
    data: inkstream.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    example: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code = example.replace("host:50051", server.tcp).replace('"quickdraw"', repr(data.name))
    names: dict[str, object] = {"data": data, "inkstream": inkstream, "__name__": "example"}
    exec(compile(code, str(README), "exec"), names)
