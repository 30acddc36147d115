"""What people give to ingest: archives, leavings, other tools' files, pipes without a writer."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import struct
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

GOOD = '{"word":"cat","key_id":"%d","drawing":[[[1,2],[3,4]]]}\n'


def _lines(count: int, first: int = 1) -> str:
    return "".join(GOOD % key for key in range(first, first + count))


def _bin(count: int, first: int = 1) -> bytes:
    record = struct.pack("<2sbIHH", b"US", 1, 1485297513, 1, 2) + b"\1\2\3\4"
    return b"".join(struct.pack("<Q", key) + record for key in range(first, first + count))


def _tar(path: Path, mode: Any) -> None:
    with tarfile.open(path, mode) as archive:
        for first, name in ((1, "a.ndjson"), (151, "b.ndjson")):
            member = tarfile.TarInfo(name)
            content = _lines(150, first).encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "mode"),
    [("two.tar", "w"), ("two.tgz", "w:gz"), ("two.tbz2", "w:bz2"), ("two.tar.xz", "w:xz")],
)
def test_a_tar_is_refused_and_its_command_reads_every_drawing(
    binary: Path, inkstream: Run, tmp_path: Path, name: str, mode: str
) -> None:
    archive = tmp_path / name
    _tar(archive, mode)
    refused = inkstream("ingest", archive, "--store", tmp_path / "x.ink")
    assert refused.returncode == 1
    assert not (tmp_path / "x.ink").exists()
    assert str(archive) in refused.stderr
    command = refused.stderr.strip().rpartition(": ")[2]
    assert command == f"tar -xOf {archive} | inkstream ingest -"
    store = tmp_path / "y.ink"
    command = command.replace("inkstream ingest -", f"{binary} ingest - --json --store {store}")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kept"] == 300


def test_a_zip_is_refused_before_it_is_read(inkstream: Run, tmp_path: Path) -> None:
    archive = tmp_path / "train simplified.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("cat.csv", "word,drawing\n")
    done = inkstream("ingest", archive, "--store", tmp_path / "x.ink", "--max-errors", "100%")
    assert done.returncode == 1
    assert f"unzip -p '{archive}' | inkstream ingest -" in done.stderr


def test_unfinished_files_stop_a_directory(inkstream: Run, tmp_path: Path) -> None:
    folder = tmp_path / "dl"
    folder.mkdir()
    (folder / "cat.ndjson").write_text(_lines(5))
    (folder / "dog.ndjson.part").write_text(_lines(5)[:-9])
    done = inkstream("ingest", folder, "--store", tmp_path / "x.ink", "--max-errors", "100%")
    assert done.returncode == 2
    assert "dog.ndjson.part is not finished: fetch it again" in done.stderr
    assert not (tmp_path / "x.ink").exists()


def test_what_lies_beside_data_is_named_and_not_read(inkstream: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cat.ndjson").write_text(_lines(5))
    for name in ("README.txt", "Thumbs.db", ".DS_Store"):
        (folder / name).write_bytes(b"\xd0\xcf\x11\xe0 not drawings\n")
    done = inkstream("ingest", folder, "--store", tmp_path / "x.ink", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["read"] == 5
    for name in ("README.txt", "Thumbs.db", ".DS_Store"):
        assert str(folder / name) in done.stderr


@pytest.mark.parametrize("errors", [True, False])
def test_a_refusal_shows_an_example_of_each_kind(
    inkstream: Run, tmp_path: Path, errors: bool
) -> None:
    file = tmp_path / "a\x1b[31m\nb.ndjson"
    file.write_text(_lines(3) + '{"drawing":[]}\n' * 4 + '{"drawing":[[[300],[1]]]}\n')
    report = tmp_path / "e.json"
    more = ("--errors", report) if errors else ()
    done = inkstream("ingest", file, "--store", tmp_path / "x.ink", *more)
    assert done.returncode == 1
    assert "5 of 8 drawings are bad (no_strokes: 4, out_of_range: 1)" in done.stderr
    name = str(file).replace("\x1b", "\\u001b").replace("\n", "\\u000a")
    assert f"no_strokes: {name}, line 4: drawing: no strokes\n" in done.stderr
    assert f"out_of_range: {name}, line 8: drawing: x[0] of stroke 0 is 300" in done.stderr
    assert (str(report) if errors else "--errors FILE.json") in done.stderr
    assert "\x1b" not in done.stderr


def test_an_accepted_file_shows_them_too(inkstream: Run, tmp_path: Path) -> None:
    file = tmp_path / "cat.ndjson"
    file.write_text(_lines(3) + '{"drawing":[]}\n')
    done = inkstream("ingest", file, "--store", tmp_path / "x.ink", "--max-errors", "2")
    assert done.returncode == 0, done.stderr
    assert f"no_strokes: {file}, line 4: drawing: no strokes\n" in done.stderr


def test_escapes_in_names_do_not_reach_the_terminal(inkstream: Run, tmp_path: Path) -> None:
    file = tmp_path / "\x1b]0;x\x07\n.ndjson"
    for content in (b"PK\x03\x04", b"\x1f\x8b\x08"):
        file.write_bytes(content)
        done = inkstream("ingest", file, "--store", tmp_path / "x.ink")
        assert done.returncode == 1
        assert "\\u001b]0;x\\u0007\\u000a.ndjson" in done.stderr
        assert done.stderr.rstrip("\n").isprintable()


def test_what_is_dropped_is_not_counted_as_stored(inkstream: Run, tmp_path: Path) -> None:
    file = tmp_path / "cat.ndjson"
    file.write_text(_lines(300))
    report, store = tmp_path / "e.json", tmp_path / "x.ink"
    first = ("--duplicates", "first", "--json", "--errors", report, "--store", store)
    done = inkstream("ingest", file, file, *first)
    assert done.returncode == 0, done.stderr
    assert "Stored 300 drawings" in done.stderr
    assert "read 600, kept 300, skipped 0" in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["read"], summary["kept"], summary["dropped"]) == (600, 300, 300)
    assert json.loads(report.read_text())["kept"] == 300
    more = tmp_path / "more.ndjson"
    more.write_text(_lines(10, first=296))
    done = inkstream("ingest", more, "--append", *first)
    assert done.returncode == 0, done.stderr
    assert "Stored 5 drawings" in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["read"], summary["kept"], summary["dropped"]) == (10, 5, 5)


def test_words_of_bin_files_and_drawings_without_any(inkstream: Run, tmp_path: Path) -> None:
    named = tmp_path / "full%2Fbinary%2FThe%20Eiffel%20Tower (1).BIN"
    named.write_bytes(_bin(3))
    unnamed = tmp_path / "drawings"
    unnamed.write_bytes(_bin(2, first=4))
    store = tmp_path / "x.ink"
    done = inkstream("ingest", named, unnamed, "--store", store, "--json")
    assert done.returncode == 0, done.stderr
    assert "without a word, of no class: 2 (--word gives one to .bin files)" in done.stderr
    assert json.loads(done.stdout)["unlabelled"] == 2
    assert json.loads(inkstream("stats", store, "--json").stdout)["classes"] == {
        "The Eiffel Tower": 3
    }


@pytest.mark.parametrize("word", ["a\nb", "\x1b[31m", b"caf\xe9", "w" * 256])
def test_a_word_that_is_no_text_is_a_wrong_command_line(
    binary: Path, tmp_path: Path, word: str | bytes
) -> None:
    (tmp_path / "drawings").write_bytes(_bin(2))
    command: list[Any] = [binary, "ingest", tmp_path / "drawings", "--store", tmp_path / "x.ink"]
    done = subprocess.run([*command, "--word", word], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"--word: " in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_table_that_went_through_pandas_is_counted(inkstream: Run, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    official = tmp_path / "cat.ndjson"
    official.write_text(
        "".join(
            f'{{"word":"cat","countrycode":"US","timestamp":"2017-03-01 20:41:36.7{10 + i}1 UTC",'
            f'"recognized":true,"key_id":"{5 * 10**15 + i}","drawing":[[[1,2],[3,4]]]}}\n'
            for i in range(20)
        )
    )
    plain = inkstream("ingest", official, "--store", tmp_path / "plain.ink", "--json")
    table = pandas.read_json(official, lines=True)
    through = tmp_path / "through.ndjson"
    table.to_json(through, orient="records", lines=True, date_format="iso", date_unit="us")
    done = inkstream("ingest", through, "--store", tmp_path / "iso.ink", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["fingerprint"] == json.loads(plain.stdout)["fingerprint"]
    assert summary["other_forms"] == {"key_id as a number": 20, "timestamp in ISO 8601": 20}
    table.to_json(through, orient="records", lines=True, date_format="epoch")
    refused = inkstream("ingest", through, "--store", tmp_path / "epoch.ink")
    assert refused.returncode == 1
    assert 'date_format="iso"' in refused.stderr
    table.to_json(through)
    refused = inkstream("ingest", through, "--store", tmp_path / "columns.ink")
    assert refused.returncode == 1
    assert "lines=True" in refused.stderr


def _sleeps(pid: int) -> bool:
    """Whether no thread of the process has anything to do."""
    states = [
        task.read_text().rpartition(") ")[2][0] for task in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) == {"S"}


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", ["fifo", "pipe"])
def test_the_first_signal_ends_the_wait_for_a_writer(
    binary: Path, tmp_path: Path, sig: signal.Signals, kind: str
) -> None:
    fifo = tmp_path / "drawings.fifo"
    os.mkfifo(fifo)
    command: list[Any] = [
        binary,
        "ingest",
        fifo if kind == "fifo" else "-",
        "--store",
        tmp_path / "x.ink",
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        partial = tmp_path / "x.ink.partial"
        while not (partial.exists() and _sleeps(process.pid)):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(sig)
        assert process.wait(60) == 128 + sig
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def test_a_fifo_waits_for_its_writer(binary: Path, inkstream: Run, tmp_path: Path) -> None:
    fifo, store = tmp_path / "drawings.fifo", tmp_path / "x.ink"
    os.mkfifo(fifo)
    process = subprocess.Popen([binary, "ingest", fifo, "--store", store], stderr=subprocess.PIPE)
    with fifo.open("w") as writer:  # opens once somebody reads
        writer.write(_lines(2))
        writer.flush()
        writer.write(_lines(3, first=3))
    assert process.communicate()[1] is not None
    assert process.returncode == 0
    assert "5" in inkstream("stats", store).stdout
