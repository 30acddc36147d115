"""What signals do to a server, also where something stands in their way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import inkstream as client
import pytest
from blocked_open import BlockedOpen
from serving import RunningServer

SOON = 60.0  # seconds, for what must come about
HARMLESS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGHUP)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def readyz(http: str, query: str = "") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{http}/readyz{query}", timeout=SOON) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def blocked(path: Path) -> BlockedOpen:
    try:
        with BlockedOpen(path):
            pass
    except OSError as error:
        pytest.skip(f"no way here to make an open hang (fanotify): {error}")
    return BlockedOpen(path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_other_signals_leave_a_server_as_it_is(binary: Path, store: Path, tmp_path: Path) -> None:
    with RunningServer(binary, [str(store)], tmp_path / "log") as server:
        for sig in HARMLESS:
            server.process.send_signal(sig)
        until(lambda: "nothing new" in server.log, "SIGHUP says what it found")
        assert "SIGHUP: reads the configuration again" in server.log
        client.connect(server.address).dataset()
        assert server.stop() == 0


def test_sighup_says_which_generation_it_found(
    binary: Path, inkstream: Callable[..., object], drawings_file: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.ink"
    inkstream("ingest", drawings_file, "--store", store)
    with RunningServer(binary, [str(store)], tmp_path / "log") as server:
        inkstream("ingest", drawings_file, "--store", store, "--append")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "generation 2" in server.log, "the new generation is served")


def test_a_second_signal_ends_at_once(binary: Path, store: Path, tmp_path: Path) -> None:
    flags = ("--http", "127.0.0.1:0", "--drain-delay", "1h")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        stream = client.connect(server.address).dataset().stream("train", batch_size=8)
        next(stream)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: readyz(server.addresses["http"])[0] == 503, "it drains")
        assert server.stop() == -signal.SIGTERM
        stream.close()


def test_a_mount_that_hangs_holds_up_neither_start_nor_signal(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    http = f"127.0.0.1:{free_port()}"
    with blocked(store / "MANIFEST") as manifest:
        command = [binary, "serve", "--store", store, "--listen", "127.0.0.1:0", "--http", http]
        with (tmp_path / "log").open("w") as log:
            server = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        try:
            assert manifest.wait_for_somebody(SOON)
            with urllib.request.urlopen(f"http://{http}/livez", timeout=SOON) as answer:
                assert answer.status == 200
            status, said = readyz(http)
            assert status == 503
            assert f"stores: reading {store}, 1 of 1" in said
            assert "inkstream ready" not in (tmp_path / "log").read_text()
            server.send_signal(signal.SIGTERM)
            assert server.wait(SOON) == 0
        finally:
            server.kill()
            server.wait()
    assert "before the server was ready" in (tmp_path / "log").read_text()


def test_a_mount_that_hangs_while_it_is_watched_does_not_hold_up_the_end(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "s.ink"
    shutil.copytree(store, copy)
    flags = ("--http", "127.0.0.1:0", "--drain-delay", "0", "--drain-spread", "0", "--grace", "1s")
    with (
        RunningServer(binary, [str(copy)], tmp_path / "log", *flags) as server,
        blocked(copy / "MANIFEST") as manifest,
    ):
        os.utime(copy / "MANIFEST")  # another one, as far as can be told
        assert manifest.wait_for_somebody(SOON)
        client.connect(server.address).dataset()
        assert readyz(server.addresses["http"])[0] == 200
        assert server.stop(seconds=SOON) in (0, 1)


def test_streams_end_one_by_one_and_probes_are_answered_to_the_end(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    flags = ("--http", "127.0.0.1:0", "--drain-delay", "1s", "--drain-spread", "2s")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        http = server.addresses["http"]
        assert readyz(http, "?verbose") == (200, "[+]stores ok\n[+]serving ok\n[+]files ok\n")
        near = client.connect(server.address)
        streams = [
            near.dataset().stream("train", batch_size=8, epochs="forever", seed=seed)
            for seed in range(20)
        ]
        for stream in streams:
            next(stream)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: readyz(http)[0] == 503, "not ready from the signal on")
        assert readyz(http)[1] == "serving: draining: streams go elsewhere\n"
        health = [str(binary), "health", "--target", server.address]
        done = subprocess.run(health, stdout=subprocess.PIPE, text=True, timeout=SOON, check=False)
        assert (done.returncode, done.stdout) == (1, "NOT_SERVING\n")
        # Still serving, also those who come now.
        late = near.dataset().stream("train", batch_size=8, epochs="forever", seed=99)
        next(late)
        assert near.status()["draining"]
        open_then = []
        while server.process.poll() is None:
            try:
                for sig in HARMLESS:
                    server.process.send_signal(sig)
                open_then.append(len(near.status().get("streams", [])))
                assert readyz(http)[0] == 503
            except (client.InkstreamError, urllib.error.URLError, ConnectionError):
                break
        assert server.process.wait(SOON) == 0
        assert open_then[0] == 21
        # Neither all at once nor none before the end.
        assert any(0 < count < 21 for count in open_then), open_then
        near.close()


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_nobody_is_waited_for_where_nobody_is_there(
    binary: Path, store: Path, tmp_path: Path, sig: signal.Signals
) -> None:
    flags = ("--http", "127.0.0.1:0", "--drain-delay", "1h", "--drain-spread", "1h")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        if sig == signal.SIGINT:
            stream = client.connect(server.address).dataset().stream("train", batch_size=8)
            next(stream)
        assert server.stop(sig) == 0


def filled_pipe() -> tuple[int, int]:
    """A pipe that nobody reads, with no room left."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write_end, True)
    return read_end, write_end


def serve_with_log(binary: Path, store: Path, stderr: int) -> tuple[subprocess.Popen[str], str]:
    command = [binary, "serve", "--store", store, "--listen", "127.0.0.1:0", "--log-level", "debug"]
    server = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=stderr, text=True
    )
    assert server.stdout is not None
    os.set_blocking(server.stdout.fileno(), False)
    line = ""
    deadline = time.monotonic() + SOON
    while not line.endswith("\n"):
        line += server.stdout.readline()
        if time.monotonic() > deadline:
            server.kill()
            server.wait()
            pytest.fail("the server is not ready")
        time.sleep(0.01)
    return server, line.split("grpc=")[1].split()[0]


def test_a_log_that_nobody_reads_stops_neither_calls_nor_the_end(binary: Path, store: Path) -> None:
    read_end, write_end = filled_pipe()
    try:
        server, address = serve_with_log(binary, store, write_end)
        try:
            near = client.connect(address)
            for _ in range(200):
                server.send_signal(signal.SIGHUP)
                near.status()
            with near.dataset().stream("train", batch_size=8) as stream:
                next(stream)
            near.close()
            server.send_signal(signal.SIGTERM)
            assert server.wait(SOON) == 0
        finally:
            server.kill()
            server.wait()
    finally:
        os.close(read_end)
        os.close(write_end)


def test_a_ready_line_that_nobody_reads_holds_up_no_signal(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    port = free_port()
    read_end, write_end = filled_pipe()
    command = [binary, "serve", "--store", store, "--listen", f"127.0.0.1:{port}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(list(map(str, command)), stdout=write_end, stderr=log)
    try:
        with client.connect(f"127.0.0.1:{port}", timeout=SOON) as near:
            near.dataset()
        server.send_signal(signal.SIGHUP)
        until(lambda: "nothing new" in (tmp_path / "log").read_text(), "SIGHUP is obeyed")
        server.send_signal(signal.SIGTERM)
        assert server.wait(SOON) == 0
    finally:
        server.kill()
        server.wait()
        os.close(read_end)
        os.close(write_end)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_socket_gets_the_number_of_an_output_that_was_closed(
    binary: Path, store: Path, closed: str
) -> None:
    port = free_port()
    command = [binary, "serve", "--store", store, "--listen", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with client.connect(f"127.0.0.1:{port}", timeout=SOON) as near:
            near.dataset()
        outputs = [os.readlink(f"/proc/{server.pid}/fd/{number}") for number in (1, 2)]
        assert outputs == ["/dev/null"] * 2
        server.send_signal(signal.SIGTERM)
        assert server.wait(SOON) == 0
    finally:
        server.kill()
        server.wait()


def test_a_log_whose_reader_has_gone_ends_nothing(binary: Path, store: Path) -> None:
    read_end, write_end = os.pipe()
    server, address = serve_with_log(binary, store, write_end)
    try:
        os.close(write_end)
        os.close(read_end)
        near = client.connect(address)
        for _ in range(10):
            server.send_signal(signal.SIGHUP)
            near.status()
        near.close()
        server.send_signal(signal.SIGTERM)
        assert server.wait(SOON) == 0
    finally:
        server.kill()
        server.wait()


def test_a_log_in_json_is_one_object_a_line(binary: Path, store: Path, tmp_path: Path) -> None:
    flags = ("--log-format", "json")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "nothing new" in server.log, "SIGHUP is logged")
        server.stop()
        lines = [json.loads(line) for line in server.log.splitlines()]
    assert {"time", "level", "message"} <= set(lines[0])
    assert lines[-1]["message"] == "done"
