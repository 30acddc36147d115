"""Inputs made to break a reader: each ends in a clear error, in little memory.

The large ones are made on the fly and reach the real binary through a pipe.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MEBIBYTE = 1 << 20
# What every ingest must stay below, whatever its input.
MEMORY_LIMIT = 512 * MEBIBYTE

GOOD = b'{"word":"cat","drawing":[[[1,2],[3,4]]]}\n'
CSV_HEADER = b"countrycode,drawing,key_id,recognized,timestamp,word\n"
CSV_GOOD = b'US,"[[[1, 2], [3, 4]]]",5152802093400064,True,2017-03-29 09:50:21.606480,cat\n'


@dataclass
class Outcome:
    code: int
    stderr: str
    peak: int  # bytes of memory
    report: dict[str, Any]

    @property
    def kinds(self) -> dict[str, int]:
        kinds: dict[str, int] = self.report["by_kind"]
        return kinds


Ingest = Callable[..., Outcome]


@pytest.fixture
def ingest(binary: Path, tmp_path: Path) -> Ingest:
    """Ingests files, or bytes that are piped in; keeps an eye on the memory."""

    def run(*arguments: str | Path, stdin: Iterable[bytes] = ()) -> Outcome:
        errors = tmp_path / "errors.json"
        errors.unlink(missing_ok=True)
        command = [str(binary), "ingest", *map(str, arguments), "--errors", str(errors)]
        command += ["--store", str(tmp_path / "hostile.ink"), "--threads", "2"]
        command += ["--max-errors", "100%"]
        said = (tmp_path / "stderr").open("w+b")
        with said, subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as process:
            feeder = threading.Thread(target=_feed, args=(process, stdin))
            feeder.start()
            peak = 0
            while process.poll() is None:
                peak = max(peak, _high_water(process.pid))
                time.sleep(0.005)
            feeder.join()
            said.seek(0)
            text = said.read().decode()
        report = json.loads(errors.read_text()) if errors.exists() else {}
        outcome = Outcome(process.returncode, text, peak, report)
        assert outcome.code in (0, 1, 2), outcome
        assert outcome.peak < MEMORY_LIMIT, f"{outcome.peak / MEBIBYTE:.0f} MiB"
        assert not (tmp_path / "hostile.ink.partial").exists()
        if outcome.code != 0:
            assert not (tmp_path / "hostile.ink").exists()
        for example in outcome.report.get("examples", ()):
            assert set(example) == {"file", "line", "offset", "kind", "reason", "input"}
            assert len(example["input"]) <= 200
            assert example["input"].isprintable() and example["reason"].isprintable()
        return outcome

    return run


def _high_water(pid: int) -> int:
    """Bytes. Not getrusage's figure, which begins with that of the process that forked."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _feed(process: subprocess.Popen[bytes], pieces: Iterable[bytes]) -> None:
    assert process.stdin is not None
    try:
        for piece in pieces:
            process.stdin.write(piece)
    except BrokenPipeError:  # it has seen enough
        pass
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None


def _run_of(byte: bytes, count: int) -> Iterator[bytes]:
    piece = byte * MEBIBYTE
    for _ in range(count // MEBIBYTE):
        yield piece


def _around(start: bytes, middle: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    yield start
    yield from middle
    yield end


def _zstd(window_log: int, blocks: int, byte: bytes) -> bytes:
    """A frame of blocks that repeat one byte 128 KiB times each."""
    header = (0xFD2FB528).to_bytes(4, "little") + bytes([0x00, (window_log - 10) << 3])
    size = 128 << 10
    block = (size << 3 | 1 << 1).to_bytes(3, "little") + byte
    last = (1).to_bytes(3, "little")
    return header + block * blocks + last


def test_a_gzip_bomb_is_one_line_too_long(ingest: Ingest, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.ndjson.gz"
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    member = squeezer.compress(bytes(64 * MEBIBYTE)) + squeezer.flush()
    bomb.write_bytes(gzip.compress(GOOD) + member * 64 + gzip.compress(b"\n" + GOOD))
    outcome = ingest(bomb)  # 4 GiB
    assert outcome.kinds == {"line_too_long": 1}
    assert outcome.report["kept"] == 2


def test_a_zstd_bomb_is_one_line_too_long(ingest: Ingest, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.ndjson.zst"
    bomb.write_bytes(_zstd(23, 1 << 15, b"x"))  # 4 GiB
    outcome = ingest(bomb)
    assert outcome.code == 1
    assert outcome.kinds == {"line_too_long": 1}


def test_a_zstd_window_over_the_limit_is_refused(ingest: Ingest, tmp_path: Path) -> None:
    wide = tmp_path / "wide.zst"
    wide.write_bytes(_zstd(31, 4, b"\n"))
    outcome = ingest(wide)
    assert outcome.code == 1
    assert "wide.zst" in outcome.stderr
    assert "128 MiB" in outcome.stderr


def test_a_line_of_a_gigabyte_is_one_bad_record(ingest: Ingest) -> None:
    outcome = ingest(
        "-", stdin=_around(GOOD + b'{"word":"', _run_of(b"x", 1 << 30), b'"}\n' + GOOD)
    )
    assert outcome.code == 0
    assert outcome.report["kept"] == 2
    assert outcome.kinds == {"line_too_long": 1}
    example = outcome.report["examples"][0]
    assert (example["line"], example["offset"]) == (2, len(GOOD))
    assert "1048576" in example["reason"]


def test_csv_quotes_open_for_two_gigabytes_refuse_the_input(ingest: Ingest) -> None:
    rows = CSV_HEADER + CSV_GOOD + b'US,"'
    outcome = ingest("-", stdin=_around(rows, _run_of(b"1,\n\n", 2 << 30), b""))
    assert outcome.code == 1
    assert "ends inside quotes" in outcome.stderr
    assert "line 3" in outcome.stderr


def test_a_json_array_open_for_a_gigabyte_refuses_the_input(ingest: Ingest) -> None:
    outcome = ingest("-", stdin=_around(b"[" + GOOD + b",", _run_of(b"[", 1 << 30), b""))
    assert outcome.code == 1
    assert "ends inside its JSON array" in outcome.stderr


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"drawing":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"word":"a\0b","drawing":[[[1],[2]]]}', "nul_byte"),
        (b"\0" * 1000, "nul_byte"),
        (b'{"drawing":[[[1e400],[2]]]}', "bad_number"),
        (b'{"drawing":[[[1],[2],[1e400]]]}', "bad_number"),
        (b'{"drawing":[[[1e300],[2]]]}', "out_of_range"),
        (b'{"drawing":[[[NaN],[2]]]}', "not_a_number"),
        (b'{"drawing":[' + b",".join([b"[[1],[2]]"] * 70_000) + b"]}", "too_large"),
        (b'{"drawing":[' + b",".join([b"[[1],[2]]"] * 1_000_000) + b"]}", "line_too_long"),
        (b'{"word":"a\\u0007b","drawing":[[[1],[2]]]}', "bad_word"),
        (b'{"word":"a\\u009fb","drawing":[[[1],[2]]]}', "bad_word"),
        (b'{"word":"a\x07b","drawing":[[[1],[2]]]}', "broken_json"),
        (b'{"word":"\xff\xfe","drawing":[[[1],[2]]]}', "invalid_utf8"),
        (b'{"word":"\\ud800","drawing":[[[1],[2]]]}', "broken_json"),
        (b'{"word":"' + b"w" * 256 + b'","drawing":[[[1],[2]]]}', "bad_word"),
        (b'{"drawing":[[[1,2],[3]]]}', "unequal_xy"),
        (b'{"drawing":' + str([[[1] * 70_000, [2] * 70_000]]).encode() + b"}", "too_large"),
    ],
)
def test_a_hostile_line_is_one_bad_record_of_its_kind(
    ingest: Ingest, line: bytes, kind: str
) -> None:
    outcome = ingest("-", "--format", "ndjson", stdin=[GOOD + line + b"\n" + GOOD])
    assert outcome.code == 0, outcome.stderr
    assert outcome.kinds == {kind: 1}
    assert outcome.report["examples"][0]["line"] == 2


def test_a_million_distinct_words_are_not_classes(ingest: Ingest) -> None:
    def lines() -> Iterator[bytes]:
        for thousand in range(1000):
            yield b"".join(
                b'{"word":"w%06d","drawing":[[[1,2],[3,4]]]}\n' % (thousand * 1000 + i)
                for i in range(1000)
            )

    outcome = ingest("-", stdin=lines())
    assert outcome.code == 1
    assert "65536" in outcome.stderr
    assert "class" in outcome.stderr


def test_a_million_unknown_keys_are_counted_together(ingest: Ingest) -> None:
    line = b'{"drawing":[[[1],[2]]]%s}\n'
    keys = [b"".join(b',"k%d_%d":0' % (n, k) for k in range(1000)) for n in range(1000)]
    outcome = ingest("-", stdin=(line % key for key in keys))
    assert outcome.code == 0
    assert "(others) (999,9" in outcome.stderr


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named_with_the_way_out(ingest: Ingest, tmp_path: Path, codec: str) -> None:
    file = tmp_path / "wide.ndjson"
    file.write_bytes(GOOD.decode().encode(codec))
    outcome = ingest(file)
    assert outcome.code == 1
    assert "UTF-16" in outcome.stderr
    assert "iconv" in outcome.stderr


def test_a_directory_inside_a_directory_is_a_wrong_command_line(
    ingest: Ingest, tmp_path: Path
) -> None:
    (tmp_path / "in" / "deeper.ndjson").mkdir(parents=True)
    outcome = ingest(tmp_path / "in")
    assert outcome.code == 2
    assert "deeper.ndjson" in outcome.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no drawings"),
        (GOOD[:-20], "none of the 1"),
        (b"PK\x03\x04 not a drawing\n" * 3, "is a zip archive"),
        (CSV_HEADER, "no drawings"),
        (b"[", "ends inside its JSON array"),
        (b"\x1f\x8b\x08", "truncated"),
        (b"\x28\xb5\x2f\xfd\x00", "truncated"),
    ],
)
def test_a_fifo_that_ends_early_is_said_plainly(
    ingest: Ingest, tmp_path: Path, content: bytes, said: str
) -> None:
    fifo = tmp_path / "drawings.fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(content,))
    writer.start()
    outcome = ingest(fifo)
    writer.join()
    assert outcome.code == 1
    assert said in outcome.stderr


def test_no_more_than_a_hundred_examples_of_a_kind_are_kept(ingest: Ingest) -> None:
    outcome = ingest("-", stdin=[GOOD, b"{\n" * 500, b"17\n" * 50])
    assert outcome.kinds == {"broken_json": 500, "not_an_object": 50}
    kept = [example["kind"] for example in outcome.report["examples"]]
    assert (kept.count("broken_json"), kept.count("not_an_object")) == (100, 50)
    assert outcome.report["read"] == outcome.report["kept"] + outcome.report["skipped"] == 551


# What an ordinary input comes to, too: some seconds, or 1 GiB and more with INKSTREAM_LONG=1.
ORDINARY_BYTES = (1100 if os.environ.get("INKSTREAM_LONG") else 160) * MEBIBYTE


def _drawings(binary: Path, into: Path) -> Path:
    command = [str(binary), "generate", "--drawings", "20000", "--seed", "3", "-o", str(into)]
    subprocess.run(command, check=True, capture_output=True)
    return into


def test_memory_does_not_grow_with_a_pipe(ingest: Ingest, binary: Path, tmp_path: Path) -> None:
    text = _drawings(binary, tmp_path / "some.ndjson").read_bytes()
    times = ORDINARY_BYTES // len(text) + 1
    outcome = ingest("-", stdin=itertools.repeat(text, times))
    assert outcome.code == 0, outcome
    assert outcome.report["kept"] == 20000 * times
    assert outcome.peak < MEMORY_LIMIT // 2


def test_memory_does_not_grow_with_a_compressed_file(
    ingest: Ingest, binary: Path, tmp_path: Path
) -> None:
    # Frames one after another are one input.
    packed = _drawings(binary, tmp_path / "some.ndjson.zst").read_bytes()
    times = ORDINARY_BYTES // (8 * MEBIBYTE) + 1
    whole = tmp_path / "whole.ndjson.zst"
    whole.write_bytes(packed * times)
    outcome = ingest(whole)
    assert outcome.code == 0, outcome
    assert outcome.report["kept"] == 20000 * times
    assert outcome.peak < MEMORY_LIMIT // 2
