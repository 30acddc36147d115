"""`inkstream export` of a view: those drawings and no others, in the order of the store."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Drawing = dict[str, Any]


@pytest.fixture(scope="module")
def whole(inkstream: Run, store: Path) -> list[Drawing]:
    return drawings_of(inkstream("export", store, "-o", "-"))


def drawings_of(done: subprocess.CompletedProcess[str]) -> list[Drawing]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_classes_and_terms_choose(inkstream: Run, store: Path, whole: list[Drawing]) -> None:
    words = sorted({drawing["word"] for drawing in whole})[:2]
    flags = ("--classes", ",".join(words), "--where", "recognized==1", "--where", "strokes>=2")
    done = inkstream("export", store, *flags, "-o", "-")
    wanted = [
        drawing
        for drawing in whole
        if drawing["word"] in words and drawing["recognized"] and len(drawing["drawing"]) >= 2
    ]
    assert 0 < len(wanted) < len(whole)
    assert drawings_of(done) == wanted
    assert f"Exported {len(wanted)} drawings" in done.stderr


def test_splits_and_folds_take_the_whole_apart(
    inkstream: Run, store: Path, whole: list[Drawing]
) -> None:
    for parts in (
        [("--split", name) for name in ("train", "valid", "test")],
        [("--fold", "0/3"), ("--fold", "0/3:held-out")],
    ):
        shares = [drawings_of(inkstream("export", store, *part, "-o", "-")) for part in parts]
        assert all(shares)
        keys = [drawing["key_id"] for share in shares for drawing in share]
        assert sorted(keys) == sorted(drawing["key_id"] for drawing in whole)


def test_files_of_keys_choose(
    inkstream: Run, store: Path, whole: list[Drawing], tmp_path: Path
) -> None:
    chosen, refused = tmp_path / "chosen.txt", tmp_path / "refused.txt"
    chosen.write_text("".join(f"{drawing['key_id']}\n" for drawing in whole[90:100][::-1]))
    refused.write_text("".join(f"{drawing['key_id']}\n" for drawing in whole[::2]))
    flags = ("--include-keys", chosen, "--exclude-keys", refused)
    assert drawings_of(inkstream("export", store, *flags, "-o", "-")) == whole[91:100:2]
    plan = ("plan", store, "--split", "all", "--batch", "5", *flags, "--json")
    planned = json.loads(inkstream(*plan).stdout)
    assert planned["view_drawings"] == 5


def test_other_formats_take_a_view_too(
    inkstream: Run, store: Path, whole: list[Drawing], tmp_path: Path
) -> None:
    word = whole[0]["word"]
    wanted = [drawing["key_id"] for drawing in whole if drawing["word"] == word]
    rows = inkstream("export", store, "--classes", word, "--format", "csv", "-o", "-").stdout
    assert [row["key_id"] for row in csv.DictReader(io.StringIO(rows))] == wanted
    done = inkstream(
        "export", store, "--classes", word, "--format", "bin", "-o", tmp_path / "words"
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "words").iterdir()] == [f"{word}.bin"]


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (("--where", "recognized"), 2, "COLUMN OP VALUE"),
        (("--fold", "3"), 2, "INDEX/COUNT"),
        (("--include-keys", "/no/such/keys.txt"), 2, "/no/such/keys.txt"),
        (("--classes", "no such word"), 1, "no class"),
        (("--split", "trian"), 1, "train"),
        (("--where", "colour==1"), 1, "colour"),
    ],
)
def test_what_is_no_view_is_named_and_leaves_no_file(
    inkstream: Run, store: Path, tmp_path: Path, flags: tuple[str, ...], status: int, said: str
) -> None:
    done = inkstream("export", store, *flags, "-o", tmp_path / "out.ndjson")
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
