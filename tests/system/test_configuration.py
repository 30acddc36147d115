"""Flags, the environment and a file: which wins, what is refused, what a running server takes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import inkstream as client
import pytest
import tomllib
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]
# For what must come about; how fast is not what these tests are about.
SOON = 60


@pytest.fixture
def printed(binary: Path, tmp_path: Path) -> Callable[..., dict[str, object]]:
    """What --print-config says of a file, flags and variables."""

    def ask(text: str, *flags: str, **variables: str) -> dict[str, object]:
        file = tmp_path / "serve.toml"
        file.write_text(text)
        done = subprocess.run(
            [str(binary), "serve", "--config", str(file), *flags, "--print-config"],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return tomllib.loads(done.stdout)

    return ask


def test_flags_win_over_the_environment_and_that_over_the_file(
    printed: Callable[..., dict[str, object]],
) -> None:
    text = 'store = ["a.ink", "b=c.ink"]\nworkers = 1\ngrace = 7\npreload = true\nstall = "2m"\n'
    told = printed(text, "--workers", "3", INKSTREAM_WORKERS="2", INKSTREAM_GRACE="8")
    assert told["store"] == ["a.ink", "b=c.ink"]
    assert (told["workers"], told["grace"], told["stall"]) == (3, 8, 120)
    assert told["preload"] is True
    assert told["drain-delay"] == 5  # the default
    assert told["listen"] == ["127.0.0.1:50051"]
    assert "memory" not in told  # it depends on the machine


def test_what_is_printed_is_a_file_that_says_the_same(
    printed: Callable[..., dict[str, object]], inkstream: Run, tmp_path: Path
) -> None:
    text = (
        'store = "with \\"quotes\\" = and [brackets].ink"\nunix = "/tmp/s"\nunix-mode = "0660"\n'
        'listen = ["127.0.0.1:1", "[::1]:2"]\nmemory = "1GiB"\nchannelz = true\n'
    )
    once = printed(text)
    file = tmp_path / "again.toml"
    done = inkstream("serve", "--config", tmp_path / "serve.toml", "--print-config")
    file.write_text(done.stdout)
    assert inkstream("serve", "--config", file, "--print-config").stdout == done.stdout
    assert once["store"] == ['with "quotes" = and [brackets].ink']
    assert once["listen"] == ["127.0.0.1:1", "[::1]:2"]
    assert once["memory"] == 1 << 30


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('store = "s"\nwrkers = 1\n', 2, 'the nearest is "workers"'),
        ('store = "s"\n\nworkers = 0\n', 3, "--workers"),
        ("workers = [1, 2]\n", 1, "--workers"),
        ("store = s\n", 1, ""),
        ('store = "s"\nstore = "t"\n', 2, "store"),
        ('[serve]\nstore = "s"\n', 1, "serve"),
        ("store = [[1]]\n", 1, "store is neither"),
        ("drain-delay = 1979-05-27\n", 1, "drain-delay is neither"),
        ('config = "other.toml"\n', 1, "there is no option config"),
        ('store = "s"\npreload = 3\n', 2, "preload is true or false"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_with_its_place(
    inkstream: Run, tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text)
    done = inkstream("serve", "--config", file)
    assert done.returncode == 2, done.stderr
    first = done.stderr.splitlines()[0]
    assert f"{file}:{line}: " in first
    assert said in first


def test_a_configuration_is_looked_at_before_it_is_rolled_out(
    inkstream: Run, store: Path, tmp_path: Path
) -> None:
    good = ("serve", "--store", store, "--check-config")
    assert inkstream(*good).returncode == 0
    tokens = tmp_path / "tokens"
    tokens.write_text("not a line\n")
    for wrong, code, said in (
        (("--store", str(tmp_path / "none")), 1, "none"),
        (("--tokens", str(tokens)), 2, "line 1: "),
        (("--tls-cert", str(tokens), "--tls-key", str(tokens)), 2, "no certificate in PEM"),
        (("--listen", "none"), 2, "--listen none"),
        (("--listen", "nonsense"), 2, '"nonsense" is not an address to listen on'),
        (("--listen", "10.0.0.1:0"), 2, "10.0.0.1:0 can be reached from the network"),
        (("--http", "127.0.0.1:99999"), 2, '--http: "127.0.0.1:99999" is not an address'),
        (("--http", "10.0.0.1:0"), 2, "--http: 10.0.0.1:0 can be reached from the network"),
        (("--max-connections", "1000000"), 2, "--max-connections is 1000000"),
        (("--store", str(store)), 1, f"give {store} another name: NAME=PATH"),
        (("--store", f"a b={store}"), 2, 'dataset name "a b"'),
        (("--config", str(tmp_path)), 2, f"{tmp_path}: is a directory"),
        (("--memory", "1EiB"), 2, "this machine or container has"),
    ):
        done = inkstream(*good, *wrong)
        assert done.returncode == code, (wrong, done.stderr)
        assert said in done.stderr
        # What would help here, and there alone.
        assert ("--tls-cert and --tls-key encrypt" in done.stderr) == ("10.0.0.1:0" in wrong)


def config_is_good(server: RunningServer) -> bool:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    found = re.search(r'^inkstream_reload_ok\{files="config"\} (\d)$', page, re.MULTILINE)
    assert found, page
    return found[1] == "1"


def test_sighup_takes_what_can_be_taken_or_nothing(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    file = tmp_path / "serve.toml"

    def write(text: str) -> None:
        file.write_text(f'store = "quickdraw={store}"\nhttp = "127.0.0.1:0"\n{text}')

    def hang_up(server: RunningServer, said: str) -> None:
        before = server.log.count(said)
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SOON
        while server.log.count(said) == before:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.02)

    write("drain-delay = 0.5\ndrain-spread = 0\n")
    with RunningServer(binary, [], tmp_path / "log", "--config", str(file)) as server:
        assert config_is_good(server)
        write("drain-delay = 0.25\ndrain-spread = 0\n")
        hang_up(server, "was read again, and is in use")
        # Half of it could be taken.
        write("drain-delay = 0.75\ndrain-spread = 0\nworkers = 1\nmemory = 300000000\n")
        hang_up(server, "memory, workers can be changed by a restart only")
        assert not config_is_good(server)
        write("drain-delay = 0.75\ndrain-spread = 0\nwrkers = 1\n")
        hang_up(server, f"{file}:5: there is no option wrkers")
        assert not config_is_good(server)
        file.unlink()
        hang_up(server, "stays as it was: " + str(file))
        write("drain-delay = 0.125\ndrain-spread = 0\n")
        hang_up(server, "was read again, and is in use")
        assert config_is_good(server)
        data = client.connect(server.address).dataset("quickdraw")
        with data.stream("train", image=28, epochs="forever") as stream:
            next(stream)
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(SOON)
        assert "streams go on for 125 ms, end over 0 ms" in server.log
