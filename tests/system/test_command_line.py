"""What a stranger tries with the one binary, right and wrong."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serving import RunningServer, ServerFailed

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMANDS = (
    "generate",
    "ingest",
    "serve",
    "verify",
    "inspect",
    "export",
    "bench",
    "health",
    "stats",
)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def read_records(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".gz":
        return records(gzip.decompress(path.read_bytes()).decode())
    return records(path.read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_shows_an_example(inkstream: Run, command: str) -> None:
    done = inkstream(command, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"inkstream {command}" in done.stdout


def test_help_names_every_command(inkstream: Run) -> None:
    done = inkstream("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)


def test_a_mistyped_command_or_flag_is_told_the_nearest(inkstream: Run) -> None:
    command = inkstream("ingets")
    assert command.returncode == 2
    assert "ingest" in command.stderr
    flag = inkstream("generate", "--drawing", "5", "-o", "-")
    assert flag.returncode == 2
    assert "--drawings" in flag.stderr


def test_no_command_is_a_usage_error(inkstream: Run) -> None:
    done = inkstream()
    assert done.returncode == 2
    assert "--help" in done.stdout + done.stderr


def test_generate_repeats_itself_and_has_all_six_keys(inkstream: Run, tmp_path: Path) -> None:
    flags = ("generate", "--drawings", "300", "--seed", "5", "-o")
    first = inkstream(*flags, "-").stdout
    inkstream(*flags, tmp_path / "again.ndjson")
    assert (tmp_path / "again.ndjson").read_text() == first
    drawings = records(first)
    assert len(drawings) == 300
    keys = {"word", "countrycode", "timestamp", "recognized", "key_id", "drawing"}
    assert all(set(drawing) == keys for drawing in drawings)
    assert len({drawing["word"] for drawing in drawings}) >= 20
    assert inkstream("generate", "--drawings", "300", "--seed", "6", "-o", "-").stdout != first


def test_export_gives_back_what_went_in(
    inkstream: Run, store: Path, drawings_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.ndjson"
    done = inkstream("export", store, "-o", out)
    assert done.returncode == 0, done.stderr
    assert read_records(out) == read_records(drawings_file)


@pytest.mark.parametrize("name", ["simplified.ndjson.gz", "simplified_no_metadata.ndjson.gz"])
def test_real_drawings_come_back_as_they_went_in(
    inkstream: Run, shared_data: Path, tmp_path: Path, name: str
) -> None:
    store, out = tmp_path / "real.ink", tmp_path / "out.ndjson"
    done = inkstream("ingest", shared_data / name, "--store", store)
    assert done.returncode == 0, done.stderr
    assert inkstream("export", store, "-o", out).returncode == 0
    assert read_records(out) == read_records(shared_data / name)
    assert inkstream("verify", store).returncode == 0


def test_standard_input_is_an_input(
    inkstream: Run, store: Path, drawings_file: Path, tmp_path: Path
) -> None:
    piped = tmp_path / "piped.ink"
    text = drawings_file.read_text()
    split = ("--split", "train=0.8,valid=0.1,test=0.1")
    done = inkstream("ingest", "-", "--store", piped, *split, stdin=text)
    assert done.returncode == 0, done.stderr
    assert inkstream("export", piped, "-o", tmp_path / "out.ndjson").returncode == 0
    assert read_records(tmp_path / "out.ndjson") == read_records(drawings_file)


def test_inspect_shows_a_drawing_and_refuses_one_that_is_not_there(
    inkstream: Run, store: Path, drawings_file: Path
) -> None:
    fourth = read_records(drawings_file)[3]
    by_index = inkstream("inspect", store, "3")
    assert by_index.returncode == 0
    assert fourth["word"] in by_index.stdout
    assert fourth["key_id"] in by_index.stdout
    by_key = inkstream("inspect", store, f"key:{fourth['key_id']}")
    assert by_key.stdout == by_index.stdout
    past = inkstream("inspect", store, "2000")
    assert past.returncode == 1
    assert "2000" in past.stderr


def test_ingest_onto_a_store_names_what_to_add(
    inkstream: Run, store: Path, drawings_file: Path
) -> None:
    done = inkstream("ingest", drawings_file, "--store", store)
    assert done.returncode == 2
    assert "--append" in done.stderr
    assert "--resume" in done.stderr
    assert inkstream("verify", store).returncode == 0


def test_a_missing_input_leaves_no_store(inkstream: Run, tmp_path: Path) -> None:
    done = inkstream("ingest", tmp_path / "none.ndjson", "--store", tmp_path / "s.ink")
    assert done.returncode in (1, 2)
    assert "none.ndjson" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_gzip_is_named_and_leaves_no_store(
    inkstream: Run, drawings_file: Path, tmp_path: Path
) -> None:
    whole = gzip.compress(drawings_file.read_bytes())
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    done = inkstream("ingest", cut, "--store", tmp_path / "s.ink")
    assert done.returncode == 1
    assert "cut.ndjson.gz" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cut.ndjson.gz"]


def test_bad_lines_are_counted_with_their_reasons(
    inkstream: Run, drawings_file: Path, tmp_path: Path
) -> None:
    good = drawings_file.read_text().splitlines()[:200]
    bad = [
        "{not json",
        '{"word":"cat","drawing":[[[1,2],[3]]]}',
        '{"word":"cat","drawing":[]}',
        '{"word":"cat","drawing":[[[1,300],[3,4]]]}',
    ]
    mixed = tmp_path / "mixed.ndjson"
    mixed.write_text("\n".join(good[:100] + bad + good[100:]) + "\n")
    report = tmp_path / "errors.json"
    ingest = ("ingest", mixed, "--store", tmp_path / "s.ink", "--errors", report)
    refused = inkstream(*ingest, "--max-errors", "3")
    assert refused.returncode == 1
    assert not (tmp_path / "s.ink").exists()
    assert report.exists()
    accepted = inkstream(*ingest, "--max-errors", "4")
    assert accepted.returncode == 0, accepted.stderr
    counts = json.loads(report.read_text())
    assert (counts["read"], counts["kept"], counts["skipped"]) == (204, 200, 4)
    assert sorted(example["line"] for example in counts["examples"]) == [101, 102, 103, 104]
    assert all(example["file"].endswith("mixed.ndjson") for example in counts["examples"])
    assert all(example["reason"] for example in counts["examples"])


def test_an_interrupted_ingest_goes_on_with_resume(
    binary: Path, inkstream: Run, drawings_file: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    process = subprocess.Popen(
        [str(binary), "ingest", "-", "--store", str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(drawings_file.read_bytes())
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not store.exists()
    again = inkstream("ingest", "-", "--store", store, "--resume", stdin=drawings_file.read_text())
    assert again.returncode == 0, again.stderr
    assert inkstream("verify", store).returncode == 0


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_one_line_and_ends_well(
    binary: Path, store: Path, tmp_path: Path, sig: signal.Signals
) -> None:
    server = RunningServer(binary, [str(store)], tmp_path / "log")
    assert server.ready_line.startswith("inkstream ready grpc=127.0.0.1:")
    assert server.stop(sig) == 0
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""


def test_serve_on_a_unix_socket_replaces_a_dead_one(
    binary: Path, inkstream: Run, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "s.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with RunningServer(binary, [str(store)], tmp_path / "log", "--unix", str(path)) as server:
        assert server.addresses["unix"] == str(path)
        health = inkstream("health", "--target", f"unix:{path}")
        assert (health.returncode, health.stdout) == (0, "SERVING\n")
        with pytest.raises(ServerFailed, match=r"s\.sock"):
            RunningServer(binary, [str(store)], tmp_path / "log2", "--unix", str(path))


def test_serve_without_tcp_is_reached_by_its_socket_alone(
    binary: Path, inkstream: Run, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "s.sock"
    log = tmp_path / "log"
    with RunningServer(binary, [str(store)], log, "--unix", str(path), listen="none") as server:
        assert server.ready_line.strip() == f"inkstream ready unix={path}"
        assert inkstream("health", "--target", f"unix:{path}").returncode == 0
    with pytest.raises(ServerFailed, match=r"(?s)exit [12]: .*--unix"):
        RunningServer(binary, [str(store)], log, listen="none")


@pytest.mark.parametrize("command", ["health", "bench"])
def test_a_target_that_can_be_none_is_refused_with_what_was_meant(
    inkstream: Run, command: str
) -> None:
    for target, meant in (("http://h:1", "h:1"), ("localhost", "localhost:50051")):
        done = inkstream(command, "--target", target)
        assert done.returncode == 2
        assert f'target "{target}"' in done.stderr
        assert f'"{meant}" is probably meant' in done.stderr


def test_health_tells_serving_from_nothing_there(inkstream: Run, server: RunningServer) -> None:
    for service in ((), ("--service", "quickdraw")):
        done = inkstream("health", "--target", server.address, *service)
        assert (done.returncode, done.stdout) == (0, "SERVING\n")
    unknown = inkstream("health", "--target", server.address, "--service", "quickdrew")
    assert unknown.returncode == 1
    absent = inkstream("health", "--target", "127.0.0.1:1", "--timeout", "2")
    assert absent.returncode == 1
    assert "127.0.0.1:1" in absent.stderr


def test_serve_refuses_what_is_no_store(binary: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.ink"
    with pytest.raises(ServerFailed, match=r"(?s)exit 1: .*none\.ink"):
        RunningServer(binary, [str(missing)], tmp_path / "log")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "data.mdb").write_bytes(b"\0" * 8192)
    with pytest.raises(ServerFailed, match=r"(?s)exit 1: .*foreign"):
        RunningServer(binary, [str(foreign)], tmp_path / "log")


def test_serve_says_which_address_is_taken(
    binary: Path, store: Path, server: RunningServer, tmp_path: Path
) -> None:
    with pytest.raises(ServerFailed, match=f"(?s)exit 1: .*{server.address}"):
        RunningServer(binary, [str(store)], tmp_path / "log", listen=server.address)


def test_plaintext_on_the_network_must_be_asked_for(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with pytest.raises(ServerFailed, match="--insecure-network"):
        RunningServer(binary, [str(store)], tmp_path / "log", listen="0.0.0.0:0")


def test_stats_count_what_the_input_has(inkstream: Run, drawings_file: Path, store: Path) -> None:
    drawings = [record["drawing"] for record in read_records(drawings_file)]
    done = inkstream("stats", store, "--json")
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    points = sorted(sum(len(stroke[0]) for stroke in drawing) for drawing in drawings)
    assert stats["drawings"] == len(drawings)
    assert stats["points"]["most"] == points[-1]
    assert stats["points"]["median"] == points[len(points) // 2 - 1]
    assert stats["strokes"]["most"] == max(map(len, drawings))
    assert sum(b["drawings"] for b in stats["points"]["histogram"]) == len(drawings)
    assert sum(stats["classes"].values()) == len(drawings)
    assert stats["splits"].keys() == {"train", "valid", "test"}
    text = inkstream("stats", store).stdout
    assert "strokes a drawing: mean" in text
    assert "####" in text
    assert all(len(line) <= 80 for line in text.splitlines() if "#" in line)
