"""What a notebook's cell shows, and completes."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import inkstream
import numpy as np
import pytest
from inkstream import FixRequest, Strokes
from inkstream._display import progress_bar

pytest.importorskip("PIL", reason="Pillow is not installed")
from PIL import Image as Pil


def test_a_batch_in_a_cell_is_its_contact_sheet(data: inkstream.Dataset) -> None:
    batch = data.sample(5, image=28)
    png = batch._repr_png_()
    assert png is not None
    with Pil.open(io.BytesIO(png)) as sheet:
        assert sheet.tobytes() == batch.show().tobytes()
    for drawn in (batch.row(0), data.sample(2, strokes=20), next(data.stream(image=28))):
        assert drawn._repr_png_() is not None
    for bare in (data.fetch([1]), data.fetch([], image=28)):
        assert bare._repr_png_() is None, "its text is shown then"


def test_a_dataset_in_a_cell_is_a_table_and_a_row_of_drawings(data: inkstream.Dataset) -> None:
    page = data._repr_html_()
    for part in ("train 1,575, valid 425", *data.classes, data.fingerprint[:16], "countrycode"):
        assert part in page
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    with Pil.open(io.BytesIO(base64.b64decode(picture))) as sheet:
        assert sheet.width > 4 * sheet.height, "one row"


def test_words_are_no_markup(binary: Path, tmp_path: Path) -> None:
    source, store = tmp_path / "evil.ndjson", tmp_path / "evil.ink"
    word = '<script>alert("x")</script>'
    source.write_text(json.dumps({"word": word, "drawing": [[[0, 9], [0, 9]]]}) + "\n")
    ingest = [str(binary), "ingest", str(source), "--store", str(store)]
    subprocess.run(ingest, check=True, capture_output=True, timeout=60)
    with inkstream.open(store) as client:
        page = client.dataset()._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)" in page


def test_a_dataset_whose_server_is_gone_is_still_shown(data: inkstream.Dataset) -> None:
    client = inkstream.connect("127.0.0.1:1", timeout=0.2, retry_for=0.2)
    gone = inkstream.Dataset(**{**data.__dict__, "client": client})
    page = gone._repr_html_()
    assert "train 1,575" in page and "no drawings to show" in page and "127.0.0.1:1" in page
    assert "base64" not in page


def test_keys_are_completed(data: inkstream.Dataset) -> None:
    table = data.table("valid", columns=["word"])
    assert table._ipython_key_completions_() == ["index", "word"]
    assert "valid" in data._ipython_key_completions_()
    assert {"plot", "shared", "torch", "mix"} <= set(dir(inkstream))


def test_a_notebook_sees_how_far_it_is(
    data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class OutStream(io.StringIO):
        """As a kernel's."""

    monkeypatch.setitem(sys.modules, "ipykernel.iostream", type(sys)("ipykernel.iostream"))
    sys.modules["ipykernel.iostream"].OutStream = OutStream  # type: ignore[attr-defined]
    assert isinstance(progress_bar.progress_of(None, "x"), type(progress_bar._silent))
    cell = OutStream()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", cell)
        meter = progress_bar.progress_of(None, "reading train")
    assert isinstance(meter, progress_bar.Meter)
    for wrong in ("yes", 1):
        with pytest.raises(FixRequest, match="progress"):
            data.table(progress=wrong)  # type: ignore[arg-type]


def test_bars_are_as_long_as_the_counts(data: inkstream.Dataset) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed").use("agg")
    ax = inkstream.plot.classes(data, "train", limit=4)
    counts = sorted(data.counts("train").values(), reverse=True)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == counts[:4]
    assert ax.get_xlabel() == f"drawings; 6 more classes have {sum(counts[4:]):,}"
    named = [label.get_text() for label in ax.get_yticklabels()]
    assert named == sorted(data.classes, key=lambda w: -data.counts("train")[w])[:4]
    again = inkstream.plot.classes(data, "valid", ax=ax)
    assert again is ax


def test_strokes_are_plotted_in_their_order(data: inkstream.Dataset) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed").use("agg")
    batch = data.sample(3, strokes=Strokes(200, format="points"))
    for i in range(3):
        lines = batch.polylines(i)
        ax = inkstream.plot.strokes(batch, i)
        assert [*map(len, lines)] == [len(line.get_xdata()) for line in ax.lines]
        for line, drawn in zip(lines, ax.lines, strict=True):
            assert (np.asarray(drawn.get_xydata(), np.float32) == line).all()
        assert [text.get_text() for text in ax.texts] == [str(n + 1) for n in range(len(lines))]
        assert ax.get_title() == batch.words()[i]
        assert ax.yaxis_inverted()
    with pytest.raises(FixRequest, match="no strokes"):
        inkstream.plot.strokes(data.sample(1))
