"""The quickstart on a clean copy of the checkout, to its end and cut short."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import termios
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image


@dataclass
class Checkout:
    """A copy with nothing in it that git ignores."""

    path: Path

    @property
    def script(self) -> str:
        return str(self.path / "deploy" / "quickstart.sh")

    def processes(self) -> list[str]:
        """Command lines of all processes that run from this copy."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                where = str((folder / "cwd").readlink())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if str(self.path) in line or where.startswith(str(self.path)):
                found.append(f"{folder.name}: {line}")
        return found


def environment(root: Path, grpcurl: Path) -> dict[str, str]:
    """This one, with grpcurl on PATH: the copy need not compile its own."""
    return os.environ | {"PATH": f"{grpcurl.parent}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    path = tmp_path_factory.mktemp("copy") / "inkstream"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, path / name)
    copy = Checkout(path)
    yield copy
    assert copy.processes() == []


def run_quickstart(
    checkout: Checkout, variables: dict[str, str], *flags: str, timeout: float = 1800
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout.script, *flags],
        cwd="/",
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def first_run(checkout: Checkout, root: Path, grpcurl: Path) -> subprocess.CompletedProcess[str]:
    return run_quickstart(checkout, environment(root, grpcurl))


@pytest.mark.timeout(2400)
def test_a_clean_copy_ends_with_all_that_was_promised(
    checkout: Checkout, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    out = first_run.stdout
    for row in ("drawings/s", "MB/s", "bytes per drawing on disk", "client CPU", "server CPU"):
        assert re.search(rf"{row}.* [\d.,]+", out), row
    assert "20,000 drawings" in out
    assert "import inkstream" in out
    assert re.search(r"grpcurl -plaintext -d .*InspectDrawing", out)
    answer = json.loads(out[out.index("\n{") : out.rindex("\n}") + 2])
    assert answer["index"] == "3"
    assert any(line.strip() for line in answer["preview"])
    assert checkout.processes() == []


def test_the_picture_shows_a_whole_batch(
    checkout: Checkout, first_run: subprocess.CompletedProcess[str]
) -> None:
    sheet = Image.open(checkout.path / ".cache/quickstart/contact_sheet.png")
    assert "contact_sheet.png" in first_run.stdout
    assert sheet.width >= 16 * 128
    assert sheet.height >= 16 * 128
    histogram = sheet.convert("L").histogram()
    assert histogram[0] > 10_000  # ink
    assert histogram[255] > 1_000_000  # ground


@pytest.mark.usefixtures("first_run")
def test_given_files_are_used_and_a_second_run_installs_nothing(
    checkout: Checkout, root: Path, grpcurl: Path, drawings_file: Path
) -> None:
    done = run_quickstart(
        checkout, environment(root, grpcurl), "--data", str(drawings_file), timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2,000 drawings" in done.stdout
    assert "Installing" not in done.stdout
    assert "no work to do" in done.stdout


@pytest.mark.usefixtures("first_run")
def test_a_kept_server_can_be_reached_and_stopped_and_is_replaced_by_the_next(
    checkout: Checkout, root: Path, grpcurl: Path, drawings_file: Path
) -> None:
    variables = environment(root, grpcurl)
    flags = ("--keep", "--data", str(drawings_file))
    first = run_quickstart(checkout, variables, *flags, timeout=300)
    assert first.returncode == 0, first.stdout + first.stderr
    second = run_quickstart(checkout, variables, *flags, timeout=300)
    assert second.returncode == 0, second.stdout + second.stderr
    assert len(checkout.processes()) == 1
    reach = re.search(r"-plaintext (127\.0\.0\.1:\d+) list", second.stdout)
    stop = re.search(r"kill (\d+)", second.stdout)
    assert reach
    assert stop
    health = subprocess.run(
        [str(checkout.path / "build/inkstream"), "health", "--target", reach[1]],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert health.stdout == "SERVING\n"
    look = re.search(r"^Look at it: (http://\S+)$", second.stdout, re.MULTILINE)
    assert look
    with urllib.request.urlopen(look[1], timeout=30) as page:
        assert b"<title>Inkstream</title>" in page.read()
    os.kill(int(stop[1]), signal.SIGTERM)
    assert_all_gone(checkout, 30)


MOMENTS = ("Build", "Drawings into a store", "Serve and stream")
NEXT_STEP = {"Build": "Python client", "Drawings into a store": "Serve", "Serve and stream": "One"}


@pytest.mark.usefixtures("first_run")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", ["Ctrl-C in a terminal", "SIGINT", "SIGTERM"])
def test_cut_short_it_leaves_no_process_and_the_next_run_works(
    checkout: Checkout,
    root: Path,
    grpcurl: Path,
    drawings_file: Path,
    moment: str,
    how: str,
) -> None:
    variables = environment(root, grpcurl)
    if moment == "Build":
        # Something to compile that no cache has.
        with (checkout.path / "server/app/serve/serve_command.cc").open("a") as source:
            source.write(f"extern int touched_{time.time_ns()};\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [checkout.script, "--drawings", "400000"],
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    output = read_until(ours, f"== {moment}")
    time.sleep(1)
    if how == "Ctrl-C in a terminal":
        os.write(ours, b"\x03")
    else:
        # To the script alone: the least that reaches what it has started.
        process.send_signal(signal.Signals[how])
    output += read_until(ours, None)
    assert process.wait(30) == (143 if how == "SIGTERM" else 130), output
    assert f"== {NEXT_STEP[moment]}" not in output, "it had gone on before the signal came"
    assert_all_gone(checkout, 15)
    again = run_quickstart(checkout, variables, "--data", str(drawings_file), timeout=300)
    assert again.returncode == 0, again.stdout + again.stderr


def read_until(terminal: int, text: str | None) -> str:
    """What the terminal shows until the text stands there, or (None) to its end."""
    shown = ""
    while text is None or text not in shown:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            piece = b""
        if not piece:
            assert text is None, f"ended before {text!r}: {shown}"
            break
        shown += piece.decode(errors="replace")
    return shown


def assert_all_gone(checkout: Checkout, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while checkout.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert checkout.processes() == []


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--drawing", "5"), "--drawing"),
        (("--drawings", "none"), "--drawings"),
        (("--data",), "--data"),
        (("--data", "/no/such/file"), "/no/such/file"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(
    checkout: Checkout, flags: tuple[str, ...], says: str
) -> None:
    done = run_quickstart(checkout, dict(os.environ), *flags, timeout=30)
    assert done.returncode == 2
    assert says in done.stderr


def test_help_names_every_flag(checkout: Checkout) -> None:
    done = run_quickstart(checkout, dict(os.environ), "--help", timeout=30)
    assert done.returncode == 0
    for flag in ("--data", "--keep", "--drawings"):
        assert flag in done.stdout
