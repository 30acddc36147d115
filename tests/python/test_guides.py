"""Every block of the guides runs as it stands, page by page, from above to below."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.processes import Server
from support.stores import ROOT

GUIDES = ROOT / "client" / "python" / "guides"
PAGES = sorted(page for page in GUIDES.glob("*.md") if page.name != "README.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(
    server: Server, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: Path
) -> None:
    text = page.read_text()
    blocks = list(BLOCK.finditer(text))
    assert blocks, f"{page.name} has nothing to run"
    if any("torch" in block[1] for block in blocks):
        # Nets as small as these only wait for each other's threads.
        pytest.importorskip("torch", reason="PyTorch is not installed").set_num_threads(1)
    pytest.importorskip("PIL", reason="Pillow is not installed")
    if "inkstream.plot" in text:
        _without_a_screen()
    (tmp_path / "drawings.ink").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        code = block[1].replace("host:50051", server.tcp)
        # Errors name the page and the line.
        exec(compile("\n" * line + code, str(page), "exec"), names)


def _without_a_screen() -> None:
    try:
        import matplotlib
    except ModuleNotFoundError:
        return  # the page says what to type then
    matplotlib.use("agg")


def test_every_page_is_in_the_list_and_every_link_leads_somewhere() -> None:
    listed = re.findall(
        r"^\| \[[^]]+\]\(([^)]+)\)", (GUIDES / "README.md").read_text(), re.MULTILINE
    )
    assert [name for name in listed if "/" not in name] == sorted(
        (page.name for page in PAGES), key=listed.index
    )
    for page in [*PAGES, GUIDES / "README.md", GUIDES.parent / "README.md"]:
        for link in re.findall(r"\]\(([^)#:]+)[^)]*\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_lines_are_short_enough_to_be_read() -> None:
    for page in [*PAGES, GUIDES / "README.md"]:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            assert len(line) <= 100 or line.startswith("|"), f"{page.name}:{number}"
