"""inkstream.open: one private server a store, as long as it has users."""

from __future__ import annotations

import os
import pickle
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import pytest
from inkstream import Augment, Image, Strokes
from support.processes import eventually, run_python


@pytest.fixture(autouse=True)
def home(binary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of this test's own; no server may be left when it ends."""
    with tempfile.TemporaryDirectory(prefix="ink") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        monkeypatch.setenv("INKSTREAM_BINARY", str(binary))
        home = Path(directory) / "inkstream"
        yield home
        assert eventually(lambda: not servers_in(home)), servers_in(home)


def servers_in(home: Path) -> list[int]:
    """Processes whose command line names `home` and is a server's."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[1:2] == [b"serve"] and str(home).encode() in b" ".join(words):
                found.append(int(entry.name))
    return found


USER = """
import sys, inkstream
data = inkstream.open(sys.argv[1]).dataset()
print(len(data), flush=True)
sys.stdin.read()
"""


def user(store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_users_share_one_server_which_goes_with_the_last(
    store: Path, home: Path, tmp_path: Path
) -> None:
    with inkstream.open(store) as first:
        pids = servers_in(home)
        assert len(pids) == 1
        second = inkstream.open(str(store) + "/.")
        link = tmp_path / "link.ink"
        link.symlink_to(store)
        third = inkstream.open(link)
        assert servers_in(home) == pids
        assert len(first.dataset()) == len(third.dataset()) == 2000
        third.close()
    assert len(second.dataset()) == 2000
    second.close()
    assert eventually(lambda: not servers_in(home))
    # And there can be another one.
    with inkstream.open(store) as again:
        assert len(again.dataset()) == 2000


def test_it_serves_streams_over_a_socket_only_this_user_can_reach(store: Path, home: Path) -> None:
    with inkstream.open(store) as client:
        batch = next(client.dataset().stream(batch_size=32, image=Image(28)))
        assert batch.image.shape == (32, 1, 28, 28)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_crowd_that_comes_at_once_gets_one_server(store: Path, home: Path) -> None:
    crowd = [user(store) for _ in range(4)]
    assert [said(process) for process in crowd] == ["2000\n"] * 4
    assert len(servers_in(home)) == 1
    for process in crowd[:3]:
        process.kill()
        process.wait()
    assert len(servers_in(home)) == 1
    crowd[3].kill()
    crowd[3].wait()
    assert eventually(lambda: not servers_in(home))


def test_an_interpreter_that_ends_without_closing_lets_go(store: Path, home: Path) -> None:
    done = run_python("import sys, inkstream; inkstream.open(sys.argv[1]).dataset()", str(store))
    assert (done.returncode, done.stderr) == (0, "")
    assert eventually(lambda: not servers_in(home))


@pytest.mark.parametrize("victim", ["server", "watcher"])
def test_a_stream_survives_the_death_of_its_server(store: Path, home: Path, victim: str) -> None:
    with inkstream.open(store) as client:
        data = client.dataset()
        wanted = [b.index.tolist() for b in data.stream(batch_size=10, epochs=4)]
        stream = data.stream(batch_size=10, epochs=4)
        found = [next(stream).index.tolist()]
        (server,) = servers_in(home)
        status = Path(f"/proc/{server}/status").read_text()
        watcher = int(status.split("PPid:")[1].split()[0])
        os.kill(server if victim == "server" else watcher, signal.SIGKILL)
        found += [batch.index.tolist() for batch in stream]
        assert found == wanted
        assert eventually(lambda: len(servers_in(home)) == 1)
        assert servers_in(home) != [server]


def test_a_client_that_is_pickled_joins_where_it_arrives(store: Path) -> None:
    with inkstream.open(store) as client:
        program = (
            "import sys, pickle; data = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
            "print(len(list(data.stream('valid', batch_size=10))))"
        )
        data = client.dataset()
        done = run_python(program, pickle.dumps(data).hex())
        assert done.stdout == f"{len(data['valid']) // 10}\n", done.stderr
        assert len(client.dataset()) == 2000


def test_what_is_no_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(inkstream.NotFound, match=r"nothing\.ink"):
        inkstream.open(tmp_path / "nothing.ink")
    (tmp_path / "empty.ink").mkdir()
    with pytest.raises(inkstream.InkstreamError, match=r"empty\.ink"):
        inkstream.open(tmp_path / "empty.ink")


def test_a_missing_program_says_where_it_was_looked_for(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKSTREAM_BINARY", "/nowhere/inkstream")
    with pytest.raises(inkstream.NotFound, match="/nowhere/inkstream"):
        inkstream.open(store)


def test_a_runtime_directory_that_others_can_enter_is_refused(store: Path, home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(inkstream.InkstreamError, match="0700"):
        inkstream.open(store)
    home.chmod(0o700)


def test_augmentation_is_the_same_as_over_the_network(data: inkstream.Dataset, store: Path) -> None:
    keywords: dict[str, Any] = {
        "image": Image(28, dtype="float16"),
        "strokes": Strokes(80),
        "augment": Augment(rotation=20, jitter=2, line_width=0.3),
        "views": 2,
        "batch_size": 32,
    }
    served = next(data.stream("train", **keywords))
    with inkstream.open(store) as client:
        embedded = next(client.dataset().stream("train", **keywords))
    for name in served:
        assert (served[name] == embedded[name]).all()
