"""`python -m inkstream` and the command `inkstream`, as typed."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import closing, suppress
from pathlib import Path

import grpc
import inkstream
import numpy as np
import pytest
from inkstream._command import program
from inkstream._command.asking import view_of
from inkstream._command.findings import BAD, FINE, ODD, Finding, available_memory, versions
from inkstream._command.network_findings import network_findings, reaches
from inkstream._display.terminal import CELL_HEIGHT, CELL_WIDTH, SIDE, drawings_in_text
from inkstream.errors import FixRequest
from support.processes import Server
from support.stores import ROOT

Done = subprocess.CompletedProcess[str]


def run(*arguments: str, **environment: str) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "inkstream", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def said(*arguments: str, **environment: str) -> str:
    done = run(*arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_command_it_says_which_there_are() -> None:
    done = run()
    assert done.returncode == 2 and not done.stdout
    for command in ("describe", "doctor", "ingest", "examples:"):
        assert command in done.stderr


@pytest.mark.parametrize(("tls", "name"), [(False, "HTTP/2"), (True, "TLS")])
def test_a_server_that_hangs_is_not_taken_for_another_one(tls: bool, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stopped:  # the kernel takes its connections
        address = f"127.0.0.1:{stopped.getsockname()[1]}"
        found = {f.name: f for f in network_findings(address, tls, 0.2)}
    assert found[name].state == BAD
    assert "says nothing" in found[name].said
    assert "stopped, or hangs" in found[name].advice


def test_ls_and_describe_say_what_there_is(data: inkstream.Dataset, server: Server) -> None:
    for target in (server.tcp, server.unix):
        assert re.search(r"quickdraw +2,000 +10 ", said("ls", target))
    (listed,) = json.loads(said("ls", server.tcp, "--json"))
    assert listed["splits"] == data.splits
    assert listed["fingerprint"] == data.fingerprint
    text = said("describe", server.tcp)
    for part in (*data.classes, data.fingerprint, "train 1,575", "countrycode"):
        assert part in text
    about = json.loads(said("describe", server.tcp, "--json"))
    assert about["classes"] == data.stats["classes"]


def test_a_store_needs_no_server(store: Path, data: inkstream.Dataset) -> None:
    assert json.loads(said("ls", str(store), "--json"))[0]["fingerprint"] == data.fingerprint


def test_head_has_the_columns_of_a_view(server: Server, data: inkstream.Dataset) -> None:
    arguments = ["--split", "valid", "--classes", data.classes[3], "-n", "4"]
    rows = json.loads(said("head", server.tcp, *arguments, "--json"))
    view = inkstream.View("valid", classes=[data.classes[3]])
    batch = data.split(view, columns=["word", "key_id", "recognized"])[:4]
    assert [row["index"] for row in rows] == batch.index.tolist()
    assert [row["key_id"] for row in rows] == batch.key_id.tolist()
    assert [row["recognized"] for row in rows] == [bool(flag) for flag in batch.recognized]
    assert {row["word"] for row in rows} == {data.classes[3]}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", row["timestamp"]) for row in rows)
    lines = said("head", server.tcp, *arguments).splitlines()
    assert len(lines) == 5
    assert len({len(line.rstrip()) for line in lines[1:]}) == 1, "columns stand below each other"
    assert str(batch.key_id[0]) in lines[1], "a key is no quantity"


def test_terms_of_a_view_are_read_as_the_program_reads_them() -> None:
    flags = argparse.Namespace(
        split="train[:10%]", classes=None, where=["recognized==1", "points>10", "points <= 250"]
    )
    where = {"recognized": "1", "points": [(">", "10"), ("<=", "250")]}
    assert view_of(flags) == inkstream.View("train[:10%]", where=where)
    with pytest.raises(FixRequest, match="recognized==1"):
        view_of(argparse.Namespace(split=None, classes=None, where=["recognized"]))


def test_show_writes_a_picture_or_draws_in_the_terminal(
    server: Server, data: inkstream.Dataset, tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    file = tmp_path / "sheet.png"
    about = json.loads(said("show", server.tcp, "-n", "9", "-o", str(file), "--json"))
    assert about["index"] == data.sample(9, "").index.tolist()
    with image.open(file) as sheet:
        assert sheet.format == "PNG" and sheet.width > 200
    text = said("show", server.tcp, "-n", "3", COLUMNS="80")
    assert len(re.findall("[\u2801-\u28ff]", text)) > 3 * CELL_WIDTH
    assert max(map(len, text.splitlines())) <= 80
    sample = data.sample(3, "")
    assert [word for word in sample.words() if word[:CELL_WIDTH] not in text] == []
    plain = said("show", server.tcp, "-n", "1", PYTHONIOENCODING="ascii")
    assert plain.isascii() and "=" in plain
    wrong = run("show", server.tcp, "-o", str(tmp_path / "none" / "x.png"))
    assert wrong.returncode == 1 and "none/x.png" in wrong.stderr


def test_dots_stand_where_the_ink_is() -> None:
    # As Unicode numbers them: 1 2 3 7 downwards at the left, 4 5 6 8 at the right.
    dots = {0: (1, 2, 3, 7), 1: (4, 5, 6, 8)}
    for x, column in dots.items():
        for y, dot in enumerate(column):
            pixels = np.zeros((1, SIDE[1], SIDE[0]), np.uint8)
            pixels[0, 4 + y, SIDE[0] - 2 + x] = 255
            lines = drawings_in_text(pixels, ["x"], 80).splitlines()
            assert len(lines) == CELL_HEIGHT + 1
            assert lines[1][CELL_WIDTH - 1] == chr(0x2800 + (1 << (dot - 1)))
            assert {*"".join(lines[:-1])} == {chr(0x2800), lines[1][-1]}


def test_words_do_not_steer_the_terminal(binary: Path, tmp_path: Path) -> None:
    source, evil = tmp_path / "evil.ndjson", "\u202eevil\u2066"  # from right to left
    source.write_text(json.dumps({"word": evil, "drawing": [[[0, 9], [0, 9]]]}) + "\n")
    store = tmp_path / "evil.ink"
    ingest = [str(binary), "ingest", str(source), "--store", str(store)]
    subprocess.run(ingest, check=True, capture_output=True, timeout=60)
    for command in ("describe", "head", "show"):
        text = said(command, str(store))
        assert "\u202e" not in text and r"\u202eevil\u2066" in text, command


def test_bench_measures(server: Server) -> None:
    figures = json.loads(said("bench", server.tcp, "--seconds", "0.2", "--image", "16", "--json"))
    assert figures["batches"] > 0 and figures["drawings_per_second"] > 0
    assert figures["transport"] == "grpc"
    text = said("bench", server.unix, "--seconds", "0.1", "--image", "16x24")
    assert "drawings/s" in text and "bottleneck" in text
    assert "HEIGHTxWIDTH" in run("bench", server.tcp, "--image", "large").stderr


def test_wrong_lines_are_told(server: Server, tmp_path: Path) -> None:
    for arguments in (["list"], ["ls"], ["show", server.tcp, "-n", "many"]):
        done = run(*arguments)
        assert done.returncode == 2 and "usage:" in done.stderr
    done = run("ls", "127.0.0.1:1", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "127.0.0.1:1" in done.stderr and "Traceback" not in done.stderr
    done = run("describe", server.tcp, "--dataset", "quickdrow", "--json")
    assert "quickdraw" in json.loads(done.stdout)["error"]
    done = run("describe", server.tcp, "--token-file", str(tmp_path / "none"))
    assert done.returncode == 1 and "--token-file" in done.stderr


def findings(*arguments: str, **environment: str) -> dict[str, dict[str, str]]:
    done = run("doctor", *arguments, "--json", "--timeout", "2", **environment)
    found = json.loads(done.stdout)
    assert done.returncode == (BAD in {finding["state"] for finding in found})
    for finding in found:
        assert finding["state"] == FINE or finding["advice"], finding
    return {finding["name"]: finding for finding in found}


def test_the_doctor_finds_nothing_where_nothing_is_wrong(server: Server, store: Path) -> None:
    for target in (server.tcp, server.unix, str(store)):
        found = findings(target, INKSTREAM_BINARY=sys.executable)
        assert {finding["state"] for finding in found.values()} == {FINE}, found
        assert {"package", "library", "program", "clock", "memory", "answer", "stream"} <= {*found}
    assert said("doctor", server.tcp).endswith("Nothing is wrong.\n")


def test_the_doctor_names_what_a_server_of_an_earlier_release_lacks(server: Server) -> None:
    with inkstream.connect(server.tcp) as client:
        stats = client.dataset().stats
    assert versions(stats).state == FINE
    limits = {k: v for k, v in stats["limits"].items() if k != "max_weights"}
    found = versions({**stats, "limits": limits})
    assert found.state == ODD and "was built before this package" in found.said
    assert "it has no Weights, no Strokes(times=True): update it" in found.advice
    found = versions({**stats, "codecs": ["none"], "server_version": "0.0.9"})
    assert "the server is 0.0.9" in found.said and "no batches that travel as" in found.advice


def test_the_doctor_names_what_is_in_between(server: Server, tmp_path: Path) -> None:
    assert findings("host")["address"]["state"] == BAD
    assert findings("no.such.name.invalid:50051")["DNS"]["state"] == BAD
    assert "inkstream serve" in findings("127.0.0.1:1")["connect"]["advice"]
    assert "--unix" in findings(f"unix:{tmp_path}/none")["connect"]["advice"]
    wrong = findings(server.tcp, "--tls")
    assert wrong["TLS"]["state"] == BAD and "--tls" in wrong["TLS"]["advice"]
    proxied = findings("host.invalid:50051", grpc_proxy="http://proxy.invalid:8080")
    assert "no_proxy" in proxied["proxy"]["advice"]
    other = findings(server.tcp, "--dataset", "quickdrow")
    assert "quickdraw" in other["dataset"]["advice"]
    assert findings(server.tcp, INKSTREAM_LIBRARY="none")["library"]["state"] == ODD
    assert findings(server.tcp, INKSTREAM_BINARY="")["clock"]["state"] == FINE


def test_of_several_addresses_one_is_enough(server: Server) -> None:
    both = findings(f"ipv4:127.0.0.1:1,{server.tcp}")
    assert both["stream"]["state"] == FINE
    none = findings("ipv4:127.0.0.1:1,127.0.0.1:2")
    assert "answer" not in none
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("\0inkstream-doctor")
        listening.listen()
        (_, found) = network_findings("unix-abstract:inkstream-doctor", False, 2)
    assert (found.name, found.state) == ("connect", FINE)
    assert [f.name for f in network_findings("vsock:1:2", False, 2)] == ["address"]
    assert reaches(network_findings("vsock:1:2", False, 2))


def test_the_doctor_finds_a_clock_that_is_behind(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkstream._command import findings as own

    monkeypatch.setattr(own.time, "time", lambda: 1_000_000_000.0)
    clock = next(f for f in own.own_findings() if f.name == "clock")
    assert clock.state == BAD and "2001-09-09" in clock.said and "timedatectl" in clock.advice


def test_the_doctor_knows_how_little_memory_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from inkstream._command import findings as own

    free = available_memory()
    assert free is not None and free > 0
    files = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    8000000 kB\n",
        "/proc/self/cgroup": "0::/job\n",
        "/sys/fs/cgroup/job/memory.max": "1000000000\n",
        "/sys/fs/cgroup/job/memory.current": "900000000\n",
        "/sys/fs/cgroup/memory.max": "max\n",
        "/sys/fs/cgroup/memory.current": "5\n",
    }
    monkeypatch.setattr(
        "inkstream._library.available_memory._read", lambda path: files.get(path, "")
    )
    assert available_memory() == 100_000_000
    memory = next(f for f in own.own_findings() if f.name == "memory")
    assert memory.state == ODD and "batch_size" in memory.advice


class Guarded(grpc.GenericRpcHandler):
    """Answers nobody who has no token; others have no such method."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        told = dict(details.invocation_metadata).get("authorization")
        known = told == "Bearer sesame"
        code = grpc.StatusCode.UNIMPLEMENTED if known else grpc.StatusCode.UNAUTHENTICATED

        def refuse(_: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(code, "no" if known else f"token {told!r} is not known")

        return grpc.unary_unary_rpc_method_handler(refuse)


def test_the_doctor_tells_a_missing_token_from_a_wrong_one(tmp_path: Path) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[Guarded()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    target, token = f"127.0.0.1:{port}", tmp_path / "token"
    token.write_text("sesame\n")
    try:
        assert "--token-file" in findings(target, INKSTREAM_TOKEN="")["token"]["advice"]
        assert "another" in findings(target, INKSTREAM_TOKEN="simsim")["token"]["advice"]
        for given in (["--token-file", str(token)], []):
            found = findings(target, *given, INKSTREAM_TOKEN="sesame")
            assert "token" not in found and found["answer"]["state"] == BAD
    finally:
        server.stop(None)


def test_whoever_reads_only_the_beginning_hears_no_more(server: Server) -> None:
    command = [sys.executable, "-m", "inkstream", "describe", server.tcp, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening


def answered(listener: socket.socket, answer: bytes) -> dict[str, Finding]:
    """What is found of a server that says `answer` to whatever comes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    found = {f.name: f for f in network_findings(f"127.0.0.1:{port}", False, 5)}
    thread.join()
    return found


def test_the_doctor_tells_what_listens_there(listener: socket.socket) -> None:
    settings = struct.pack(">I", 0)[1:] + b"\x04\x00\x00\x00\x00\x00"
    assert answered(listener, settings)["HTTP/2"].state == FINE
    assert "port" in answered(listener, b"SSH-2.0-OpenSSH_9.2\r\n")["HTTP/2"].advice
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    assert "--tls" in answered(listener, alert)["HTTP/2"].advice
    assert "--tls" in answered(listener, b"")["HTTP/2"].advice


def test_the_doctor_reads_certificates(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make certificates with")
    found = [
        (certified(tmp_path, "one", 300), "127.0.0.1", FINE, "299 more days"),
        (certified(tmp_path, "two", 5), "127.0.0.1", ODD, "renew"),
        (certified(tmp_path, "three", 300, "DNS:other.invalid"), "127.0.0.1", BAD, "name"),
    ]
    for (cert, key), host, state, part in found:
        finding = handshaken(cert, key, host, str(cert))
        assert finding.state == state, finding
        assert part in finding.said + finding.advice
    (cert, key), *_ = found[0]
    assert "--tls-ca" in handshaken(cert, key, "127.0.0.1", True).advice


def certified(home: Path, name: str, days: int, who: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    cert, key = home / f"{name}.pem", home / f"{name}.key"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", str(days), "-subj", "/CN=test", "-addext", f"subjectAltName={who}"]
    make += ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    return cert, key


def handshaken(cert: Path, key: Path, host: str, tls: bool | str) -> Finding:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with closing(socket.create_server((host, 0))) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):  # the other side may not like it
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        found = {f.name: f for f in network_findings(f"{host}:{port}", tls, 5)}
        thread.join()
    return found["TLS"]


def test_the_programs_commands_are_the_programs(binary: Path, tmp_path: Path) -> None:
    arguments = ["generate", "--drawings", "20", "--seed", "1", "-o", str(tmp_path / "a.ndjson")]
    said(*arguments, INKSTREAM_BINARY=str(binary))
    assert len((tmp_path / "a.ndjson").read_text().splitlines()) == 20
    helped = subprocess.run([str(binary), "--help"], capture_output=True, text=True, timeout=60)
    known = re.findall(r"^  (\w+) {2,}", helped.stdout.partition("Subcommands:")[2], re.MULTILINE)
    ours = {"ls", "describe", "show", "head", "bench", "doctor"}
    assert set(known) - ours <= set(program.COMMANDS)
    done = run("ingest", "none.ndjson", INKSTREAM_BINARY=str(binary))
    assert done.returncode == 2 and "store" in done.stderr.lower()


def test_a_checkout_that_is_built_has_the_program(
    binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKSTREAM_BINARY", raising=False)
    found = program.find_program()
    assert found is not None and found.name == "inkstream"
    assert os.access(found, os.X_OK)


def test_a_missing_program_is_named_with_the_line_to_type(tmp_path: Path) -> None:
    package = tmp_path / "inkstream"
    source = Path(inkstream.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("_bin", "_lib", "__pycache__"))
    for arguments in (["-m", "inkstream", "ingest"], ["-c", SCRIPT]):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={k: v for k, v in os.environ.items() if k != "INKSTREAM_BINARY"}
            | {"PYTHONPATH": str(tmp_path)},
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"inkstream: {program.MISSING}\n"
        assert "pip install inkstream-server" in done.stderr


SCRIPT = """
import sys
sys.argv = ["inkstream", "ingest"]
from _inkstream_command import main
sys.exit(main())
"""


@pytest.mark.parametrize("start", ["-c", "-m"])
def test_ctrl_c_while_a_command_is_loaded_ends_it_without_a_traceback(
    start: str, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    name, _, function = entry_point().partition(":")
    called = f"import sys; from {name} import {function}; sys.exit({function}())"
    done = subprocess.run(
        [sys.executable, start, {"-c": called, "-m": "inkstream"}[start], "ls", "x:1"],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def entry_point() -> str:
    """What the command `inkstream` calls."""
    said = (ROOT / "client/python/pyproject.toml").read_text()
    found = re.search(r'^inkstream = "(.*)"$', said, re.MULTILINE)
    assert found
    return found[1]
