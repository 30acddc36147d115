"""The HTTP port of a server with a certificate: both schemes, and what is for which."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from certificates import Authority, Pair, serial_of, shown_by
from serving import RunningServer, ServerFailed

Run = Callable[..., subprocess.CompletedProcess[str]]
PROBES = ("/livez", "/readyz", "/metrics")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def flags_of(pair: Pair, *more: str, http: str = "0.0.0.0:0") -> tuple[str, ...]:
    return ("--http", http, "--tls-cert", str(pair.cert), "--tls-key", str(pair.key), *more)


@pytest.fixture(scope="module")
def server(
    binary: Path, store: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("encrypted") / "log"
    flags = flags_of(authority.issue("server"))
    with RunningServer(binary, [f"quickdraw={store}"], log, *flags) as running:
        yield running


def port_of(server: RunningServer) -> int:
    return int(server.addresses["http"].rsplit(":", 1)[1])


def ask(
    server: RunningServer, path: str, ca: Path | None = None, token: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; by TLS where there is an authority to trust."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = (
        http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)
        if ca is None
        else http.client.HTTPSConnection(
            "127.0.0.1", port_of(server), timeout=60, context=ssl.create_default_context(cafile=ca)
        )
    )
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def test_probes_are_answered_in_either_scheme_and_the_page_by_tls(
    server: RunningServer, authority: Authority
) -> None:
    for path in PROBES:
        assert ask(server, path)[0] == ask(server, path, authority.ca)[0] == 200
    status, headers, body = ask(server, "/", authority.ca)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<script>" in body
    assert ask(server, "/api/datasets", authority.ca)[0] == 200
    status, headers, _ = ask(server, "/")
    assert (status, headers["Location"]) == (308, f"https://127.0.0.1:{port_of(server)}/")
    status, headers, body = ask(server, "/api/datasets")
    assert (status, "Location" in headers) == (403, False)
    assert b"https" in body


def test_a_certificate_is_reason_enough_to_be_reached_and_nothing_else_is(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with pytest.raises(ServerFailed, match="--tls-cert and --tls-key encrypt the page"):
        RunningServer(binary, [str(store)], tmp_path / "log", "--http", "0.0.0.0:0")


@pytest.mark.parametrize(
    ("version", "taken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)]
)
def test_nothing_older_than_tls_1_2_is_spoken(
    server: RunningServer, authority: Authority, version: str, taken: bool
) -> None:
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port_of(server)}", version),
            *("-cipher", "DEFAULT:@SECLEVEL=0", "-CAfile", str(authority.ca)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = "Server certificate" in done.stdout and "Verify return code: 0 (ok)" in done.stdout
    assert shown == taken, done.stdout + done.stderr


def test_a_certificate_is_replaced_under_requests_and_a_bad_one_is_not_shown(
    binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    old, new = authority.issue("before"), authority.issue("after")
    served = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")

    def put(cert: Path, key: Path) -> None:
        for source, at in ((cert, served.cert), (key, served.key)):
            at.with_suffix(".new").write_bytes(source.read_bytes())
            at.with_suffix(".new").rename(at)

    def await_shown(serial: int) -> None:
        deadline = time.monotonic() + 60
        while shown_by(f"127.0.0.1:{port_of(running)}", authority.ca) != serial:
            assert time.monotonic() < deadline, running.log
            time.sleep(0.05)

    put(old.cert, old.key)
    flags = flags_of(served)
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as running:
        await_shown(serial_of(old.cert))
        put(new.cert, old.key)
        while "stays in use" not in running.log:
            time.sleep(0.05)
        assert shown_by(f"127.0.0.1:{port_of(running)}", authority.ca) == serial_of(old.cert)
        put(new.cert, new.key)
        await_shown(serial_of(new.cert))
        assert ask(running, "/api/datasets", authority.ca)[0] == 200
        put(old.cert, old.key)
        await_shown(serial_of(old.cert))
        assert running.stop() == 0


def test_handshakes_that_drip_keep_nobody_out(server: RunningServer, authority: Authority) -> None:
    with contextlib.ExitStack() as stack:
        dripping = []
        for number in range(700):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), 60))
            one.sendall(b"\x16" if number % 2 else b"\x16\x03\x01\x02\x00\x01")
            dripping.append(one)
        for _ in range(5):
            for one in dripping:
                with contextlib.suppress(OSError):
                    one.send(b"x")
            for path in PROBES:
                assert ask(server, path)[0] == 200
            assert ask(server, "/api/datasets", authority.ca)[0] == 200


def test_wrong_tokens_by_the_thousand_keep_no_right_one_out(
    binary: Path, store: Path, authority: Authority, inkstream: Run, tmp_path: Path
) -> None:
    token, line = inkstream("token", "one").stdout.splitlines()
    (tmp_path / "tokens").write_text(line + "\n")
    flags = flags_of(authority.issue("tokens"), "--tokens", str(tmp_path / "tokens"))
    with (
        RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server,
        ThreadPoolExecutor(8) as others,
    ):
        guesses = [
            others.submit(ask, server, "/api/datasets", authority.ca, f"ink_{i}") for i in range(60)
        ]
        for _ in range(20):
            assert ask(server, "/api/datasets", authority.ca, token)[0] == 200
            assert ask(server, "/livez")[0] == 200
        assert {one.result()[0] for one in guesses} == {401}
        assert "method=page" in server.log
        assert server.log.count("call refused") < 40
        assert token not in server.log
