"""Ingests that end at any moment, go on, add, are cut into shards and merged."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
import random
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import inkstream as client
import mounts
import pytest
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]
DRAWINGS = 24_000
# Many small ones, so that most interrupts find some finished.
SEGMENTS = ("--segment-drawings", "7000")


@pytest.fixture(scope="module")
def inputs(inkstream: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Plain and compressed NDJSON and the official format, in index order."""
    folder = tmp_path_factory.mktemp("inputs")
    files = []
    for i, name in enumerate(["a.ndjson", "b.ndjson.gz", "c.ndjson"]):
        plain = folder / f"plain{i}"
        done = inkstream(
            "generate", "--drawings", DRAWINGS, "--seed", i, "--format", "ndjson", "-o", plain
        )
        assert done.returncode == 0, done.stderr
        data = plain.read_bytes()
        plain.unlink()
        path = folder / name
        path.write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
        files.append(path)
    return files


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def content(store: Path) -> dict[str, str]:
    """Hashes of a store's segments."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.glob("segment-*.mdb"))
    }


@pytest.fixture(scope="module")
def whole(inkstream: Run, inputs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an ingest makes that nothing interrupts."""
    store = tmp_path_factory.mktemp("whole") / "s.ink"
    report(inkstream("ingest", *inputs, "--store", store, "--json", *SEGMENTS))
    return store


def fingerprint_of(inkstream: Run, store: Path) -> str:
    return str(report(inkstream("verify", store, "--json"))["fingerprint"])


def interrupted_at_random(
    binary: Path, arguments: list[str | Path], seed: int, longest: float
) -> tuple[subprocess.CompletedProcess[str], int]:
    """Runs until an attempt ends by itself; how many ended otherwise."""
    chance = random.Random(seed)
    killed = 0
    while True:
        process = subprocess.Popen(
            [str(binary), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        number = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        if killed < 6:
            try:
                process.wait(chance.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(number)
        out, err = process.communicate(timeout=300)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if done.returncode == 0:
            return done, killed
        expected = {signal.SIGKILL: -9, signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2)}
        codes = expected[number]
        assert done.returncode in (codes if isinstance(codes, tuple) else (codes,)), err
        killed += 1


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_moments_it_comes_to_the_same_bytes(
    binary: Path, inkstream: Run, inputs: list[Path], whole: Path, tmp_path: Path, seed: int
) -> None:
    store = tmp_path / "s.ink"
    arguments: list[str | Path] = ["ingest", *inputs, "--store", store, "--resume", "--json"]
    arguments += SEGMENTS
    start = time.monotonic()
    report(inkstream(*arguments[:3], *arguments[3:4], "--store", tmp_path / "timed.ink", "--json"))
    longest = time.monotonic() - start
    done, _ = interrupted_at_random(binary, arguments, seed, longest)
    assert report(done)["kept"] == 3 * DRAWINGS
    assert content(store) == content(whole)
    assert fingerprint_of(inkstream, store) == fingerprint_of(inkstream, whole)
    assert sorted(path.name for path in store.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_finished_input_is_not_opened_again(
    binary: Path, inkstream: Run, inputs: list[Path], whole: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    fifo = tmp_path / "first"
    os.mkfifo(fifo)
    arguments = [binary, "ingest", fifo, inputs[1], "-", "--store", store, "--resume", "--json"]
    arguments += SEGMENTS
    process = subprocess.Popen(
        list(map(str, arguments)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    fifo.write_bytes(inputs[0].read_bytes())
    assert process.stdin is not None
    last = inputs[2].read_bytes()
    process.stdin.write(last[: len(last) // 2])
    process.stdin.flush()
    partial = tmp_path / "s.ink.partial"
    # Seven times 7,000 are more drawings than the first two inputs have.
    wait_for(lambda: len(list(partial.glob("segment-*.mdb"))) >= 8)
    process.kill()
    process.communicate()
    # Opening the FIFO would wait for ever.
    done = subprocess.run(
        list(map(str, arguments)), input=last, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["taken_over"] > 2 * DRAWINGS
    assert answer["kept"] == answer["read"] == 3 * DRAWINGS
    assert content(store) == content(whole)


def test_a_full_disk_keeps_the_segments_that_were_finished(
    inkstream: Run, inputs: list[Path], whole: Path, tmp_path: Path
) -> None:
    with mounts.tmpfs(tmp_path / "disk", megabytes=3) as disk:
        arguments = ["ingest", *inputs, "--store", disk / "s.ink", "--resume", "--json", *SEGMENTS]
        done = inkstream(*arguments)
        assert done.returncode == 1, done.stderr
        assert "go on with --resume" in done.stderr
        assert re.search(
            r"s\.ink\.partial/segment-\d+\.mdb: \d+ bytes more were to be written, and \d+ are "
            r"free: No space left on device",
            done.stderr,
        )
        assert not (disk / "s.ink").exists()
        mounts.resize(disk, megabytes=64)
        answer = report(inkstream(*arguments))
        assert answer["taken_over"] > 0 and answer["taken_over"] % 7000 == 0
        assert answer["read"] == answer["kept"] == 3 * DRAWINGS
        assert content(disk / "s.ink") == content(whole)


def test_without_a_finished_segment_nothing_is_kept(
    binary: Path, inputs: list[Path], tmp_path: Path
) -> None:
    arguments = [binary, "ingest", *inputs, "--store", tmp_path / "s.ink", "--resume", *SEGMENTS]
    file_size = functools.partial(
        resource.setrlimit, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY)
    )
    done = subprocess.run(
        list(map(str, arguments)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=file_size,
    )
    assert done.returncode == 1, done.stderr
    assert "nothing is kept" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_reported_before_an_interrupt_is_not_lost(
    inkstream: Run, inputs: list[Path], tmp_path: Path
) -> None:
    lines = inputs[0].read_bytes().splitlines(keepends=True)
    for i in range(0, len(lines), 100):
        lines[i] = b'{"bad\n'
        line = json.loads(lines[i + 1])
        line |= {"key_id": int(line["key_id"]), "countrycode": None, "colour": "red"}
        lines[i + 1] = json.dumps(line).encode() + b"\n"
    (tmp_path / "in.ndjson").write_bytes(b"".join(lines))
    flags = [tmp_path / "in.ndjson", "--max-errors", "2%", "--segment-drawings", "1000", "--json"]
    expected = tmp_path / "expected.json"
    whole = report(inkstream("ingest", *flags, "--store", tmp_path / "whole", "--errors", expected))
    with mounts.tmpfs(tmp_path / "disk", megabytes=1) as disk:
        arguments = ["ingest", *flags, "--store", disk / "s.ink", "--resume"]
        done = inkstream(*arguments)
        assert done.returncode == 1 and "go on with --resume" in done.stderr, done.stderr
        mounts.resize(disk, megabytes=64)
        errors = tmp_path / "errors.json"
        answer = report(inkstream(*arguments, "--errors", errors))
        assert answer["taken_over"] > 0
        assert whole["other_forms"] and whole["unknown_keys"] and whole["null_values"]
        for of_a_run in ("store", "taken_over", "seconds", "drawings_per_second"):
            del answer[of_a_run], whole[of_a_run]
        assert answer == whole
        assert errors.read_bytes() == expected.read_bytes()


def test_other_inputs_or_options_are_not_gone_on_with(
    binary: Path, inkstream: Run, inputs: list[Path], tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    copy = tmp_path / "copy.ndjson"
    copy.write_bytes(inputs[0].read_bytes())
    process = subprocess.Popen(
        [str(binary), "ingest", str(copy), "-", "--store", str(store)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: (tmp_path / "s.ink.partial" / "JOB").exists())
    process.kill()
    process.communicate()
    other = inkstream("ingest", copy, "-", "--store", store, "--resume", "--split", "a=1")
    assert other.returncode == 2
    assert "'--split '" in other.stderr and "'--split a=1'" in other.stderr
    copy.write_bytes(inputs[0].read_bytes()[:-1])
    changed = inkstream("ingest", copy, "-", "--store", store, "--resume")
    assert changed.returncode == 2
    assert "copy.ndjson" in changed.stderr
    anew = inkstream("ingest", inputs[0], "--store", store)
    assert anew.returncode == 0
    assert "begun anew" in anew.stderr
    again = inkstream("ingest", inputs[0], "--store", store, "--resume")
    assert again.returncode == 0
    assert "nothing to resume" in again.stderr


def test_a_refused_input_leaves_nothing(inkstream: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.ndjson"
    bad.write_text("no drawing\n" * 100)
    done = inkstream("ingest", bad, "--store", tmp_path / "s.ink")
    assert done.returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.ndjson"]


@pytest.mark.parametrize("seed", range(2))
def test_appending_is_a_new_generation_and_the_old_one_stays(
    binary: Path, inkstream: Run, inputs: list[Path], whole: Path, tmp_path: Path, seed: int
) -> None:
    store = tmp_path / "s.ink"
    first = report(inkstream("ingest", inputs[0], "--store", store, "--json"))
    before = {path.name: path.read_bytes() for path in store.iterdir()}
    arguments: list[str | Path] = ["ingest", *inputs[1:], "--store", store]
    arguments += ["--append", "--resume", "--json"]
    with RunningServer(binary, [str(store)], tmp_path / "log") as server:
        served = client.connect(server.address).dataset()
        plan: dict[str, Any] = {"batch_size": 100, "image": 8, "codec": "none"}
        due = [batch.index.tolist() for batch in served.stream("train", **plan)]
        with served.stream("train", **plan) as stream:
            found = [next(stream).index.tolist()]
            done, _ = interrupted_at_random(binary, arguments, seed, 1.0)
            found += [batch.index.tolist() for batch in stream]
            assert found == due
            assert stream.stats()["reopened"] == 0
    assert report(done)["fingerprint"] == fingerprint_of(inkstream, whole)
    assert fingerprint_of(inkstream, store) == fingerprint_of(inkstream, whole)
    for name, data in before.items():
        kept = "MANIFEST.000001" if name == "MANIFEST" else name
        assert (store / kept).read_bytes() == data
    assert first["fingerprint"].encode() in before["MANIFEST"]
    assert not store.with_suffix(".ink.partial").exists()


def test_shards_merged_are_one_run(
    inkstream: Run, inputs: list[Path], whole: Path, tmp_path: Path
) -> None:
    expected = fingerprint_of(inkstream, whole)
    for count in range(1, 6):
        parts = []
        for i in range(count):
            part = tmp_path / f"part-{count}-{i}"
            report(
                inkstream("ingest", *inputs, "--store", part, "--shard", f"{i}/{count}", "--json")
            )
            parts.append(part)
        merged = tmp_path / f"merged-{count}"
        answer = report(inkstream("merge", merged, *parts, "--json"))
        assert answer["fingerprint"] == expected
        assert answer["drawings"] == 3 * DRAWINGS
        segments = [hash_ for part in parts for hash_ in content(part).values()]
        assert list(content(merged).values()) == segments
        assert fingerprint_of(inkstream, merged) == expected


def test_duplicates_are_counted_dropped_or_refused(
    inkstream: Run, inputs: list[Path], tmp_path: Path
) -> None:
    a, c = inputs[0], inputs[2]
    unique = report(inkstream("ingest", a, c, "--store", tmp_path / "unique", "--json"))
    twice = ["ingest", a, a, c]
    kept = report(inkstream(*twice, "--store", tmp_path / "kept", "--json"))
    assert kept["kept"] == 3 * DRAWINGS
    assert kept["duplicates"] == DRAWINGS and kept["dropped"] == 0
    first = report(
        inkstream(*twice, "--store", tmp_path / "first", "--duplicates", "first", "--json")
    )
    assert first["dropped"] == DRAWINGS
    assert first["fingerprint"] == unique["fingerprint"]
    assert fingerprint_of(inkstream, tmp_path / "first") == unique["fingerprint"]
    refused = inkstream(*twice, "--store", tmp_path / "refused", "--duplicates", "error")
    assert refused.returncode == 1 and "key_id" in refused.stderr
    assert not (tmp_path / "refused").exists()
    assert not (tmp_path / "refused.partial").exists()
    report(inkstream("ingest", a, "--store", tmp_path / "a", "--json"))
    report(inkstream("ingest", a, c, "--store", tmp_path / "ac", "--json"))
    merge = ["merge", tmp_path / "merged", tmp_path / "a", tmp_path / "ac"]
    merged = report(inkstream(*merge, "--duplicates", "first", "--json"))
    assert merged["fingerprint"] == unique["fingerprint"]
    assert merged["dropped"] == DRAWINGS
    bad = inkstream("merge", tmp_path / "bad", *merge[2:], "--duplicates", "error")
    assert bad.returncode == 1 and "key_id" in bad.stderr
    # What was dropped stays dropped when more is added.
    more = report(
        inkstream("ingest", inputs[1], "--store", tmp_path / "merged", "--append", "--json")
    )
    every = report(inkstream("ingest", a, c, inputs[1], "--store", tmp_path / "all", "--json"))
    assert more["fingerprint"] == every["fingerprint"]
    assert fingerprint_of(inkstream, tmp_path / "merged") == every["fingerprint"]


def splits_of(store: Path) -> dict[str, tuple[int, str]]:
    manifest = json.loads((store / "MANIFEST").read_text())
    return {s["name"]: (s["drawings"], s["rule"].split(":")[0]) for s in manifest["splits"]}


def test_splits_by_rule_and_list(inkstream: Run, inputs: list[Path], tmp_path: Path) -> None:
    by_file = tmp_path / "file"
    report(inkstream("ingest", *inputs, "--store", by_file, "--split-by", "file", "--json"))
    assert splits_of(by_file) == dict.fromkeys("abc", (DRAWINGS, "file"))
    recognized = tmp_path / "recognized"
    arguments = ["ingest", inputs[0], "--store", recognized, "--split-by", "recognized", "--json"]
    report(inkstream(*arguments))
    assert set(splits_of(recognized)) == {"recognized", "unrecognized"}
    keys = [json.loads(line)["key_id"] for line in inputs[0].read_text().splitlines()[:100]]
    (tmp_path / "keys").write_text("\n".join(keys))
    listed = tmp_path / "listed"
    arguments = ["ingest", inputs[0], "--store", listed, "--json"]
    report(inkstream(*arguments, "--split-list", f"held={tmp_path / 'keys'}"))
    assert splits_of(listed)["held"] == (100, "list")
    assert splits_of(listed)["train"] == (DRAWINGS - 100, "hash")
    for store in (by_file, recognized, listed):
        fingerprint_of(inkstream, store)
    # A drawing keeps its split when others are added.
    report(inkstream("ingest", inputs[2], "--store", listed, "--append", "--json"))
    assert splits_of(listed)["held"] == (100, "list")
    assert splits_of(listed)["train"] == (2 * DRAWINGS - 100, "hash")


def test_classes_are_fixed_by_a_file(inkstream: Run, inputs: list[Path], tmp_path: Path) -> None:
    words = sorted({json.loads(line)["word"] for line in inputs[0].read_text().splitlines()})
    listed = tmp_path / "classes"
    listed.write_text("\n".join([*words[1:], "zebra crossing"]))
    arguments = ["ingest", inputs[0], "--store", tmp_path / "s", "--classes-file", listed, "--json"]
    answer = report(inkstream(*arguments, "--max-errors", "100%", "--errors", tmp_path / "e.json"))
    errors = json.loads((tmp_path / "e.json").read_text())
    assert set(errors["by_kind"]) == {"unknown_word"}
    lines = inputs[0].read_bytes().splitlines(keepends=True)
    for example in errors["examples"]:
        line = lines[example["line"] - 1]
        assert json.loads(line)["word"] == words[0]
        assert example["offset"] == sum(map(len, lines[: example["line"] - 1]))
        assert line.decode().startswith(example["input"][:100])
    assert answer["kept"] + errors["skipped"] == DRAWINGS
    manifest = json.loads((tmp_path / "s" / "MANIFEST").read_text())
    assert ["zebra crossing", 0] in manifest["classes"]
    assert words[0] not in [name for name, _ in manifest["classes"]]
