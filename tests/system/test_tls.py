"""TLS: who is let in, by what, and what becomes of files that are replaced."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import inkstream as client
import pytest
from beside import own_mib
from certificates import Authority, Pair, serial_of, shown_by
from serving import RunningServer, ServerFailed

Run = Callable[..., subprocess.CompletedProcess[str]]
# For what must come about; how fast is not what these tests are about.
SOON = 60


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


def flags_of(pair: Pair, *more: str) -> tuple[str, ...]:
    return ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), *more)


@pytest.fixture(scope="module")
def encrypted(
    binary: Path, store: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("encrypted") / "log"
    flags = flags_of(authority.issue("server"), "--http", "127.0.0.1:0")
    with RunningServer(binary, [f"quickdraw={store}"], log, *flags) as server:
        yield server


@pytest.fixture(scope="module")
def mutual(
    binary: Path, store: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("mutual") / "log"
    flags = flags_of(authority.issue("server-m"), "--tls-client-ca", str(authority.ca))
    with RunningServer(binary, [f"quickdraw={store}"], log, *flags) as server:
        yield server


def metric(server: RunningServer, name: str) -> float:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, f"no {name} in {page}"
    return float(found[1])


def await_true(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_health_and_bench_speak_it(
    inkstream: Run, encrypted: RunningServer, authority: Authority
) -> None:
    at = ("--target", encrypted.address, "--tls-ca", authority.ca)
    assert inkstream("health", *at, "--service", "quickdraw").stdout == "SERVING\n"
    figures = inkstream("bench", *at, "--seconds", "0.2", "--image", "28x28", "--json")
    assert json.loads(figures.stdout)["batches"] > 0, figures.stderr


def test_a_python_stream_over_it_is_the_stream_in_plaintext(
    encrypted: RunningServer, authority: Authority, server: RunningServer
) -> None:
    def batches(at: client.Client) -> list[bytes]:
        stream = at.dataset("quickdraw").stream("valid", image=28, batch_size=16)
        return [batch.image.tobytes() for batch in stream]

    by_tls = batches(client.connect(encrypted.address, tls=str(authority.ca)))
    assert by_tls == batches(client.connect(server.address))
    assert by_tls


def test_another_name_than_the_certificate_has_is_refused_and_can_be_given(
    inkstream: Run, binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("elsewhere", "DNS:inkstream.example")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags_of(pair)) as server:
        at = ("--target", server.address, "--tls-ca", authority.ca)
        assert inkstream("health", *at).returncode == 1
        right = inkstream("health", *at, "--tls-server-name", "inkstream.example")
        assert right.stdout == "SERVING\n", right.stderr
        named = client.connect(
            server.address, tls=client.TLS(ca=authority.ca, server_name="inkstream.example")
        )
        assert named.dataset("quickdraw").name == "quickdraw"


def test_plaintext_and_strangers_get_nothing(
    inkstream: Run, encrypted: RunningServer, stranger: Authority
) -> None:
    assert inkstream("health", "--target", encrypted.address).returncode == 1
    distrusting = inkstream("health", "--target", encrypted.address, "--tls-ca", stranger.ca)
    assert distrusting.returncode == 1
    assert "certificate" in distrusting.stderr.lower()
    bench = inkstream("bench", "--target", encrypted.address, "--tls-ca", stranger.ca, timeout=120)
    assert bench.returncode == 1
    assert "certificate" in bench.stderr.lower(), bench.stderr


@pytest.mark.parametrize(
    ("version", "taken"),
    [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)],
)
def test_nothing_older_than_tls_1_2_is_spoken(
    encrypted: RunningServer, authority: Authority, version: str, taken: bool
) -> None:
    # The client is willing: what is refused is refused by the server.
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", encrypted.address, version, "-alpn", "h2"),
            *("-cipher", "DEFAULT:@SECLEVEL=0", "-CAfile", str(authority.ca)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",  # the beginning of HTTP/2
        timeout=60,
        check=False,
    )
    assert (
        "Verify return code: 0 (ok)" in done.stdout and "Server certificate" in done.stdout
    ) == (taken), done.stdout + done.stderr


def test_only_a_right_certificate_is_let_in_and_it_is_the_callers_name(
    inkstream: Run, mutual: RunningServer, authority: Authority, stranger: Authority, grpcurl: Path
) -> None:
    at = ("--target", mutual.address, "--tls-ca", authority.ca)

    def health(pair: Pair) -> subprocess.CompletedProcess[str]:
        return inkstream("health", *at, "--tls-cert", pair.cert, "--tls-key", pair.key)

    assert inkstream("health", *at).returncode == 1
    assert health(stranger.issue("mallory")).returncode == 1
    assert health(authority.issue("late", "", "20210101000000Z")).returncode == 1
    alice = authority.issue("alice", "URI:spiffe://lab/alice,DNS:alice.lab")
    assert health(alice).stdout == "SERVING\n"
    assert "handshake" in mutual.log.lower()

    tls = client.TLS(ca=authority.ca, cert=alice.cert, key=alice.key)
    data = client.connect(mutual.address, tls=tls).dataset("quickdraw")
    with data.stream("train", image=28, epochs="forever") as stream:
        next(stream)
        told = subprocess.run(
            [
                *(str(grpcurl), "-cacert", str(authority.ca), "-cert", str(alice.cert)),
                *("-key", str(alice.key), mutual.address),
                "inkstream.v1.DrawingService/GetStatus",
            ],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
    assert [one["caller"] for one in json.loads(told.stdout)["streams"]] == [
        "cert:spiffe://lab/alice"
    ]


def test_handshakes_that_stop_half_way_keep_within_the_memory(
    binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    memory_mib = 64
    flags = flags_of(authority.issue("half"), "--memory", f"{memory_mib}MiB")
    with (
        RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server,
        contextlib.ExitStack() as opened,
    ):
        host, port = server.address.rsplit(":", 1)
        at = (host, int(port))
        half = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(80)
        for _ in range(1500):
            with contextlib.suppress(ConnectionError):  # others have made room
                opened.enter_context(socket.create_connection(at, SOON)).sendall(half)
            assert own_mib(server.process.pid) < memory_mib
        with client.connect(server.address, tls=authority.ca, retry_for=SOON) as newcomer:
            newcomer.dataset()


def mounted(folder: Path, pair: Pair, name: str) -> None:
    """As kubelet puts a Secret into a pod: `..data` points at a folder and is swapped by rename;
    the files' own links stay."""
    version = folder / f"..{name}"
    version.mkdir()
    shutil.copy(pair.cert, version / "tls.crt")
    shutil.copy(pair.key, version / "tls.key")
    fresh = folder / "..data_tmp"
    fresh.symlink_to(version.name)
    fresh.rename(folder / "..data")
    for file in ("tls.crt", "tls.key"):
        if not (folder / file).is_symlink():
            (folder / file).symlink_to(f"..data/{file}")


def test_a_swapped_link_counts_from_the_next_handshake_on(
    binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    old, new = authority.issue("before"), authority.issue("after")
    mounted(tmp_path, old, "1")
    flags = flags_of(Pair(tmp_path / "tls.crt", tmp_path / "tls.key"), "--http", "127.0.0.1:0")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:
        assert shown_by(server.address, authority.ca) == serial_of(old.cert)
        expires = 'inkstream_tls_expiry_timestamp_seconds{certificate="server"}'
        assert metric(server, expires) == not_after(old)
        data = client.connect(server.address, tls=str(authority.ca)).dataset("quickdraw")
        with data.stream("train", image=28, epochs="forever") as stream:
            next(stream)
            mounted(tmp_path, new, "2")
            await_true(
                lambda: shown_by(server.address, authority.ca) == serial_of(new.cert),
                f"still the old certificate: {server.log}",
            )
            before = stream.stats()["reopened"]
            next(stream)
            assert stream.stats()["reopened"] == before
        assert metric(server, expires) == not_after(new)


def not_after(pair: Pair) -> int:
    told = subprocess.run(
        ["openssl", "x509", "-in", str(pair.cert), "-noout", "-enddate"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    moment = time.strptime(told.strip().removeprefix("notAfter="), "%b %d %H:%M:%S %Y GMT")
    return int(time.mktime(moment) - time.timezone)


def test_a_bad_pair_leaves_the_old_one_in_use_and_says_so(
    binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    old = authority.issue("kept")
    other = authority.issue("mixed")
    served = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    shutil.copy(old.cert, served.cert)
    shutil.copy(old.key, served.key)
    flags = flags_of(served, "--http", "127.0.0.1:0")
    good = 'inkstream_reload_ok{files="tls"}'
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:
        assert metric(server, good) == 1

        def replaced(cert: Path | str, key: Path | str) -> None:
            for text, at in ((cert, served.cert), (key, served.key)):
                fresh = at.with_suffix(".new")
                fresh.write_text(text if isinstance(text, str) else text.read_text())
                fresh.rename(at)

        expired = authority.issue("gone", not_after="20210101000000Z")
        for cert, key, why in (
            (other.cert, old.key, "is not the key of"),
            ("rubbish", old.key, "has no certificate in PEM"),
            (old.cert, "rubbish", "has no private key in PEM"),
            (expired.cert, expired.key, "has expired"),
        ):
            replaced(cert, key)
            await_true(lambda: metric(server, good) == 0, server.log)
            await_true(lambda why=why: why in server.log, server.log)  # type: ignore[misc]
            assert shown_by(server.address, authority.ca) == serial_of(old.cert)
            replaced(old.cert, old.key)
            await_true(lambda: metric(server, good) == 1, server.log)
        replaced(other.cert, other.key)
        await_true(
            lambda: shown_by(server.address, authority.ca) == serial_of(other.cert), server.log
        )


def test_an_expired_certificate_is_the_clients_to_refuse_and_the_server_is_ready(
    inkstream: Run, binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("expired", not_after="20210101000000Z")
    flags = flags_of(pair, "--http", "127.0.0.1:0")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:
        assert metric(server, "inkstream_ready") == 1
        assert "has expired" in server.log
        done = inkstream("health", "--target", server.address, "--tls-ca", authority.ca)
        assert done.returncode == 1
        assert "certificate verify failed" in done.stderr


def test_streams_outlive_the_certificate_that_they_were_opened_with(
    inkstream: Run, binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 8))
    pair = authority.issue("outlived", not_after=soon)
    flags = flags_of(pair, "--http", "127.0.0.1:0")
    with RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags) as server:
        data = client.connect(server.address, tls=authority.ca).dataset("quickdraw")
        with data.stream("train", image=28, epochs="forever") as stream:
            next(stream)
            at = ("--target", server.address, "--tls-ca", authority.ca)
            await_true(lambda: inkstream("health", *at).returncode == 1, "it does not expire")
            for _ in range(100):
                next(stream)
            assert stream.stats()["reopened"] == 0
        assert metric(server, "inkstream_ready") == 1


@pytest.mark.parametrize("wrong", ["another key", "no file", "no key", "an unreadable authority"])
def test_what_is_wrong_at_the_start_is_one_line_and_nothing_listens(
    binary: Path, store: Path, authority: Authority, tmp_path: Path, wrong: str
) -> None:
    pair, other = authority.issue("start"), authority.issue("start-other")
    flags = {
        "another key": ("--tls-cert", str(pair.cert), "--tls-key", str(other.key)),
        "no file": ("--tls-cert", str(tmp_path / "none"), "--tls-key", str(pair.key)),
        "no key": ("--tls-cert", str(pair.cert)),
        "an unreadable authority": flags_of(pair, "--tls-client-ca", str(pair.key)),
    }[wrong]
    named = {
        "another key": str(other.key),
        "no file": str(tmp_path / "none"),
        "no key": "--tls-key",
        "an unreadable authority": str(pair.key),
    }[wrong]
    with pytest.raises(ServerFailed, match=r"exit [12]: ") as failed:
        RunningServer(binary, [f"quickdraw={store}"], tmp_path / "log", *flags)
    lines = [line for line in str(failed.value).splitlines() if "inkstream serve:" in line]
    assert len(lines) == 1
    assert named in lines[0]


def test_other_machines_need_no_word_of_consent_where_all_is_encrypted(
    inkstream: Run, binary: Path, store: Path, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(ServerFailed, match="--tls-cert and --tls-key encrypt it"):
        RunningServer(binary, [f"quickdraw={store}"], tmp_path / "a", listen="0.0.0.0:0")
    flags = flags_of(authority.issue("everywhere"))
    with RunningServer(
        binary, [f"quickdraw={store}"], tmp_path / "b", *flags, listen="0.0.0.0:0"
    ) as server:
        port = server.address.rsplit(":", 1)[1]
        done = inkstream("health", "--target", f"127.0.0.1:{port}", "--tls-ca", authority.ca)
        assert done.stdout == "SERVING\n", done.stderr
