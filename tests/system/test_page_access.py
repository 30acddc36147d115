"""Who gets to see the page of a server that wants tokens or certificates."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from certificates import Authority
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]


def ask(server: RunningServer, path: str, token: str = "") -> tuple[int, Any]:
    wanted = urllib.request.Request(f"http://{server.addresses['http']}{path}")
    if token:
        wanted.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(wanted, timeout=60) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    return status, json.loads(body) if body.startswith(b"{") else body


def test_a_token_shows_its_datasets_and_probes_want_none(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    done = inkstream("token", "one", "--datasets", "mine")
    assert done.returncode == 0, done.stderr
    token, line = done.stdout.splitlines()
    (tmp_path / "tokens").write_text(line + "\n")
    stores = [f"mine={store}", f"theirs={store}"]
    flags = ("--tokens", str(tmp_path / "tokens"), "--http", "127.0.0.1:0")
    with RunningServer(binary, stores, tmp_path / "log", *flags) as server:
        for path in ("/", "/livez", "/readyz", "/metrics"):
            assert ask(server, path)[0] == 200
        for path in ("datasets", "dataset", "drawings", "drawing", "pixels", "status"):
            assert ask(server, f"/api/{path}")[0] == 401
            assert ask(server, f"/api/{path}", token[:-1])[0] == 401
        status, listed = ask(server, "/api/datasets", token)
        assert status == 200
        assert [one["dataset"] for one in listed["datasets"]] == ["mine"]
        for dataset, code in (("mine", 200), ("theirs", 403), ("nobodys", 403)):
            request = f'/api/drawing?request={{"dataset":"{dataset}","index":1}}'
            assert ask(server, request, token)[0] == code
        status, refusal = ask(server, '/api/drawing?request={"index":1}', token)
        assert status == 400
        assert "theirs" not in refusal["message"]
        assert token not in server.log
        metrics = ask(server, "/metrics")[1].decode()
        counted = re.findall(
            r'^inkstream_calls_total{method="page",code="(\w+)"} (\d+)$', metrics, re.M
        )
        # The file, a list and a drawing; twelve without a right token.
        expected = {
            "OK": "3",
            "INVALID_ARGUMENT": "1",
            "UNAUTHENTICATED": "12",
            "PERMISSION_DENIED": "2",
        }
        assert dict(counted) == expected


def test_there_is_no_page_where_only_a_certificate_will_do(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server")
    flags = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
    more = ("--tls-client-ca", str(authority.ca), "--http", "127.0.0.1:0")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags, *more) as server:
        assert ask(server, "/readyz")[0] == 200
        assert ask(server, "/")[0] == ask(server, "/api/datasets")[0] == 404


def test_without_tokens_or_authorities_the_page_of_this_machine_is_anybodys(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    pair = Authority(tmp_path).issue("server")
    flags = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--http", "127.0.0.1:0")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        assert ask(server, "/")[0] == ask(server, "/api/datasets")[0] == 200


def test_tokens_do_not_cross_a_network_in_plaintext(
    binary: Path, store: Path, inkstream: Run, tmp_path: Path
) -> None:
    line = inkstream("token", "one").stdout.splitlines()[1]
    (tmp_path / "tokens").write_text(line + "\n")
    flags = ("--tokens", str(tmp_path / "tokens"), "--http", "0.0.0.0:0", "--insecure-network")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        server.addresses["http"] = server.addresses["http"].replace("0.0.0.0", "127.0.0.1")
        assert ask(server, "/readyz")[0] == 200
        assert ask(server, "/")[0] == ask(server, "/api/datasets")[0] == 404
