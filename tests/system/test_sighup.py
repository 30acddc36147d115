"""SIGHUP: what a running server takes of its configuration, and generations that it names."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import grpc
import inkstream as client
import pytest
from google.protobuf.message import Message
from raw_calls import RawCalls
from serving import RunningServer, ServerFailed

Run = Callable[..., subprocess.CompletedProcess[str]]
# For what must come about; how fast is not what these tests are about.
SOON = 60


class Configured:
    """A server whose configuration file may be written anew; `store` None: all of it."""

    def __init__(self, file: Path, store: Path | None, server: RunningServer) -> None:
        self._file = file
        self._store = store
        self.server = server

    def hang_up(self, text: str, said: str) -> None:
        """With this file; until the log has what was said once more."""
        write(self._file, self._store, text)
        before = self.server.log.count(said)
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SOON
        while self.server.log.count(said) == before:
            assert time.monotonic() < deadline, self.server.log
            time.sleep(0.02)

    def take(self, text: str) -> None:
        self.hang_up(text, "was read again, and is in use")
        assert self.metric('reload_ok{files="config"}') == 1

    def refuse(self, text: str, why: str) -> None:
        self.hang_up(text, why)
        assert self.metric('reload_ok{files="config"}') == 0

    def metric(self, name: str) -> float:
        url = f"http://{self.server.addresses['http']}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            page = answer.read().decode()
        found = re.search(rf"^inkstream_{re.escape(name)} (\S+)$", page, re.MULTILINE)
        assert found, (name, page)
        return float(found[1])


def write(file: Path, store: Path | None, text: str) -> None:
    always = f'store = "quickdraw={store}"\nhttp = "127.0.0.1:0"\n' if store else ""
    file.write_text(always + text)


@contextmanager
def configured(binary: Path, folder: Path, store: Path, text: str = "") -> Iterator[Configured]:
    file = folder / "serve.toml"
    write(file, store, text)
    with RunningServer(binary, [], folder / "log", "--config", str(file)) as server:
        yield Configured(file, store, server)


def fingerprint_of(inkstream: Run, store: Path) -> str:
    done = inkstream("stats", store, "--json")
    assert done.returncode == 0, done.stderr
    told: str = json.loads(done.stdout)["fingerprint"]
    return told


def nothing_until(over: Event) -> Iterator[Message]:
    """What a call that says nothing sends."""
    over.wait()
    yield from ()


def test_what_is_logged_and_let_in_changes_without_a_restart(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    with configured(binary, tmp_path, store, 'log-level = "warn"\n') as running:
        assert "listens on" not in running.server.log
        # What says that it was taken is of the lower level.
        running.take('log-level = "info"\nmax-connections = 64\nmax-connections-per-peer = 16\n')
        assert running.metric('connections{of="all",what="limit"}') == 64
        assert running.metric('connections{of="peer",what="limit"}') == 16
        running.take("rebalance = 0.2\n")
        data = client.connect(running.server.address).dataset("quickdraw")
        with data.stream("train", batch_size=8, image=28, epochs="forever") as stream:
            deadline = time.monotonic() + SOON
            while stream.stats()["reopened"] < 2:
                next(stream)
                assert time.monotonic() < deadline
        with grpc.insecure_channel(running.server.address) as channel:
            over = Event()
            silent = RawCalls(channel).UploadKeys.future(nothing_until(over))
            running.take("stall = 0.2\n")
            error = silent.exception(timeout=SOON)
            assert isinstance(error, grpc.RpcError)
            assert "no request has come in within 200ms" in str(error)
            over.set()
        lines = "max-connections = 1000000\nrebalance = 0\n"
        running.refuse(lines, "stays as it was: --max-connections")
        running.refuse('log-format = "json"\n', "log-format can be changed by a restart only")
        running.take("")


# What a running server takes, and another value of each.
TAKEN = {
    "drain-delay": "0.25",
    "drain-spread": "0.125",
    "grace": "7",
    "log-level": '"debug"',
    "max-connections": "100",
    "max-connections-per-peer": "50",
    "rebalance": "0",
    "stall": "7",
}
# Of every other option, which some have to stand beside.
RESTART = {
    "channelz": "true",
    "handshake-timeout": "1",
    "http": '"127.0.0.1:1"',
    "idle-timeout": "1",
    "insecure-network": "true",
    "listen": '"127.0.0.1:2"',
    "log-format": '"json"',
    "max-streams": "7",
    "memory": '"300MiB"',
    "preload": "true",
    "retain-generations": "3",
    "scrub": "0",
    "store": '"/elsewhere.ink"',
    "tls-cert": '"c"',
    "tls-client-ca": '"a"',
    "tls-key": '"k"',
    "tokens": '"t"',
    "unix": '"/elsewhere.sock"',
    "unix-group": '"0"',
    "unix-mode": '"0600"',
    "workers": "1",
}
BESIDE = {
    "tls-cert": ["tls-key"],
    "tls-client-ca": ["tls-cert", "tls-key"],
    "tls-key": ["tls-cert"],
}


def test_every_option_is_taken_or_is_said_to_need_a_restart(
    binary: Path, inkstream: Run, store: Path, root: Path, tmp_path: Path
) -> None:
    told = inkstream("serve", "--help").stdout
    taken = TAKEN | {"generation": f'"quickdraw={fingerprint_of(inkstream, store)}"'}
    options = set(re.findall(r"^ +--([a-z-]+)", told, re.MULTILINE))
    about_the_file = {"config", "print-config", "check-config", "help"}
    of_the_program = {"log-format", "log-level"}
    assert options - about_the_file == (set(taken) | set(RESTART)) - of_the_program
    readme = (root / "deploy/README.md").read_text()
    listed = readme.split("SIGHUP has the file read again.\n")[1].split(" count at once")[0]
    assert set(re.findall(r"`([a-z-]+)`", listed)) == set(taken)
    lines = {"store": f'"quickdraw={store}"', "http": '"127.0.0.1:0"', "workers": "2"}
    lines["listen"] = '"127.0.0.1:0"'

    def text(changed: dict[str, str]) -> str:
        return "".join(f"{name} = {value}\n" for name, value in (lines | changed).items())

    file = tmp_path / "serve.toml"
    file.write_text(text({}))
    flags = ("--config", str(file))
    with RunningServer(binary, [], tmp_path / "log", *flags, listen="") as server:
        running = Configured(file, None, server)
        before = running.metric('connections{of="all",what="limit"}')
        for name, value in RESTART.items():
            changed = {name: value} | {other: RESTART[other] for other in BESIDE.get(name, [])}
            said = f"{file}: {', '.join(sorted(changed))} can be changed by a restart only"
            running.refuse(text(changed | taken), said)
            # Nor is what could be taken beside it.
            assert running.metric('connections{of="all",what="limit"}') == before
        for name, value in taken.items():
            running.take(text({name: value}))
        running.take(text(taken))
        server.stop()
        assert "for 250 ms, end over 125 ms and have 7000 ms" in server.log


def test_the_level_and_form_of_the_log_may_be_in_the_file_and_a_flag_wins(
    binary: Path, inkstream: Run, store: Path, tmp_path: Path
) -> None:
    with configured(binary, tmp_path, store, 'log-format = "json"\n') as running:
        assert all(json.loads(line) for line in running.server.log.splitlines())
    file = tmp_path / "serve.toml"
    write(file, store, 'log-level = "warn"\n')
    for flags, level in (
        (("serve", "--config", file), "warn"),
        (("--log-level", "error", "serve", "--config", file), "error"),
        (("serve", "--config", file, "--log-level", "debug"), "debug"),
    ):
        printed = inkstream(*flags, "--print-config").stdout
        assert f'log-level = "{level}"' in printed, printed


@pytest.fixture
def generations(
    inkstream: Run, store: Path, drawings_file: Path, tmp_path: Path
) -> tuple[Path, Path, str, str]:
    """A store, its next generation somewhere else, and the fingerprints of both."""
    served = Path(shutil.copytree(store, tmp_path / "served.ink"))
    later = Path(shutil.copytree(store, tmp_path / "later.ink"))
    done = inkstream("ingest", drawings_file, "--store", later, "--append")
    assert done.returncode == 0, done.stderr
    return served, later, fingerprint_of(inkstream, served), fingerprint_of(inkstream, later)


def bring(later: Path, served: Path) -> None:
    for path in later.iterdir():
        if not (served / path.name).exists():
            shutil.copy2(path, served / path.name)
    shutil.copy2(later / "MANIFEST", served / "MANIFEST.new")
    (served / "MANIFEST.new").rename(served / "MANIFEST")


def test_opens_without_a_name_stay_on_the_generation_of_the_configuration_until_it_moves(
    binary: Path, generations: tuple[Path, Path, str, str], tmp_path: Path
) -> None:
    served, later, old, new = generations

    def pin(fingerprint: str) -> str:
        return f'generation = "quickdraw={fingerprint}"\n'

    with configured(binary, tmp_path, served, pin(old)) as running:
        connected = client.connect(running.server.address)
        # One that is not here, and one of a dataset that is not.
        running.refuse(pin(new), f"{new}")
        running.refuse(pin(old).replace("quickdraw", "quickdrew"), 'the nearest is "quickdraw"')
        bring(later, served)
        running.take(pin(old))
        assert connected.dataset("quickdraw").fingerprint == old
        assert connected.dataset("quickdraw", fingerprint=new).fingerprint == new
        info = f'store_info{{dataset="quickdraw",generation="1",fingerprint="{old}"}}'
        assert running.metric(info) == 1
        with connected.dataset("quickdraw").stream("train", image=28) as stream:
            first = next(stream)
            running.take(pin(new))
            assert client.connect(running.server.address).dataset("quickdraw").fingerprint == new
            for batch in stream:
                assert batch.cursor["fingerprint"] == first.cursor["fingerprint"] == old
        # And back.
        running.take(pin(old))
        assert client.connect(running.server.address).dataset("quickdraw").fingerprint == old
        running.take("")
        assert client.connect(running.server.address).dataset("quickdraw").fingerprint == new


def test_a_restart_finds_the_generation_that_is_named_beneath_a_newer_one(
    binary: Path, inkstream: Run, generations: tuple[Path, Path, str, str], tmp_path: Path
) -> None:
    served, later, old, new = generations
    bring(later, served)
    flags = ("--generation", f"quickdraw={old}", "--retain-generations", "1")
    with RunningServer(binary, [str(served)], tmp_path / "log", *flags) as server:
        connected = client.connect(server.address)
        assert connected.dataset("quickdraw").fingerprint == old
        assert connected.dataset("quickdraw", fingerprint=new).fingerprint == new
    absent = "0" * 64
    for name, fingerprint, code, said in (
        ("quickdraw", absent, 1, f"--generation quickdraw: {served}: fingerprint {absent}"),
        ("quickdrew", old, 2, 'no dataset "quickdrew"; the nearest is "quickdraw"'),
        ("quickdraw", "abc", 2, "NAME=FINGERPRINT"),
    ):
        pinned = ("--generation", f"{name}={fingerprint}")
        done = inkstream("serve", "--store", served, *pinned, "--check-config")
        assert done.returncode == code, done.stderr
        assert said in done.stderr
        if code == 1:
            with pytest.raises(ServerFailed, match="exit 1"):
                RunningServer(binary, [str(served)], tmp_path / "failed", *pinned)
