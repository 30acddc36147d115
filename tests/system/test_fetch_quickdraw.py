"""`deploy/fetch_quickdraw.sh` against a web server that also fails half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from faulty_server import Faults, FaultyServer

CAT = b"".join(
    b'{"word": "cat", "drawing": [[[%d, 5], [6, 7]]]}\n' % (i % 250) for i in range(20000)
)
DOG = b'{"word": "dog", "drawing": [[[1, 2], [3, 4]]]}\n'
FILES = {
    "/simplified/cat.ndjson": CAT,
    "/simplified/dog.ndjson": DOG,
    "/simplified/ice%20cream.ndjson": DOG,
}
CAT_PATH = "/simplified/cat.ndjson"


def one_fault(**faults: object) -> FaultyServer:
    return FaultyServer(FILES, {CAT_PATH: Faults(**faults)})  # type: ignore[arg-type]


@pytest.fixture
def script(root: Path) -> Path:
    return root / "deploy" / "fetch_quickdraw.sh"


class Fetch:
    """The script into `out`."""

    def __init__(self, script: Path, out: Path) -> None:
        self.script, self.out = script, out

    def command(self, site: FaultyServer | str, *arguments: str) -> list[str]:
        url = site if isinstance(site, str) else site.url
        return [str(self.script), "--base-url", url, "-o", str(self.out), *arguments]

    def __call__(
        self, site: FaultyServer | str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(site, *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def files(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.out.iterdir()}


@pytest.fixture
def fetch(script: Path, tmp_path: Path) -> Fetch:
    return Fetch(script, tmp_path / "q")


def test_words_become_files_that_ingest_reads(fetch: Fetch, binary: Path, tmp_path: Path) -> None:
    with FaultyServer(FILES) as site:
        done = fetch(site, "Cat", "dog", "ice_cream", "cat")
    assert done.returncode == 0, done.stderr
    assert "Fetched 3 files" in done.stderr
    assert fetch.files() == {"cat.ndjson": CAT, "dog.ndjson": DOG, "ice cream.ndjson": DOG}
    command = [str(binary), "ingest", str(fetch.out), "--store", str(tmp_path / "s.ink")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_second_run_fetches_nothing(fetch: Fetch) -> None:
    with FaultyServer(FILES) as site:
        fetch(site, "cat")
        site.log.clear()
        again = fetch(site, "cat")
        assert site.gets(CAT_PATH) == []
    assert again.returncode == 0
    assert "1 were there already" in again.stderr


def test_a_file_that_differs_is_fetched_again(fetch: Fetch) -> None:
    fetch.out.mkdir()
    (fetch.out / "cat.ndjson").write_bytes(CAT.replace(b"cat", b"Cat"))
    with FaultyServer(FILES) as site:
        assert fetch(site, "cat").returncode == 0
    assert fetch.files() == {"cat.ndjson": CAT}


def test_a_transfer_cut_short_goes_on_where_it_was(fetch: Fetch) -> None:
    with one_fault(cut_after=[300_000, 100_000]) as site:
        done = fetch(site, "cat", "dog")
        assert site.gets(CAT_PATH) == ["", "bytes=300000-", "bytes=400000-"]
        assert len(site.gets("/simplified/dog.ndjson")) == 1
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT, "dog.ndjson": DOG}


def test_a_later_run_goes_on_where_the_last_gave_up(fetch: Fetch, binary: Path) -> None:
    with one_fault(cut_after=[300_000]) as site:
        first = fetch(site, "cat", "--rounds", "1")
        assert first.returncode == 1
        assert "the same command goes on" in first.stderr
        # What is left is no input.
        ingested = subprocess.run(
            [binary, "ingest", fetch.out, "--store", fetch.out.with_name("s.ink")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ingested.returncode == 2
        assert "cat.ndjson.part is not finished" in ingested.stderr
        done = fetch(site, "cat")
        assert site.gets(CAT_PATH) == ["", "bytes=300000-"]
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_passing_failures_are_tried_again(fetch: Fetch, status: int) -> None:
    with one_fault(statuses=[status], retry_after="1") as site:
        done = fetch(site, "cat")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT}


def test_ranges_that_are_ignored_begin_anew(fetch: Fetch) -> None:
    with one_fault(cut_after=[300_000], ignores_range=True) as site:
        done = fetch(site, "cat")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT}


def test_a_file_that_changes_half_way_is_never_mixed(fetch: Fetch) -> None:
    other = CAT.replace(b"cat", b"Cat")
    with one_fault(cut_after=[300_000], new_tag_at=2, other=other) as site:
        done = fetch(site, "cat")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": other}


def test_a_damaged_copy_is_fetched_again(fetch: Fetch) -> None:
    with one_fault(flipped=1) as site:
        done = fetch(site, "cat")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT}


def test_content_that_stays_damaged_is_refused(fetch: Fetch) -> None:
    with one_fault(md5="AAAAAAAAAAAAAAAAAAAAAA==") as site:
        done = fetch(site, "cat", "dog", "--rounds", "2")
    assert done.returncode == 1
    assert "cat.ndjson: its MD5" in done.stderr
    assert fetch.files() == {"dog.ndjson": DOG}


def test_an_html_page_is_no_drawing(fetch: Fetch) -> None:
    page = b"<!DOCTYPE html><html>log in</html>"
    with FaultyServer({**FILES, CAT_PATH: page}) as site:
        done = fetch(site, "cat", "dog", "--rounds", "1")
    assert done.returncode == 1
    assert "cat.ndjson: what came is an HTML page" in done.stderr
    assert fetch.files() == {"dog.ndjson": DOG}


def test_a_missing_file_is_known_before_anything_is_fetched(fetch: Fetch) -> None:
    with FaultyServer(FILES) as site:
        done = fetch(site, "cat", "zebra")
        assert site.gets(CAT_PATH) == []
    assert done.returncode == 1
    assert "zebra.ndjson: the server answers 404" in done.stderr


def test_servers_without_head_serve(fetch: Fetch) -> None:
    with one_fault(head_status=405) as site:
        done = fetch(site, "cat")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"cat.ndjson": CAT}


def test_no_room_is_known_before_anything_is_fetched(fetch: Fetch) -> None:
    with one_fault(length_lie=1 << 60) as site:
        done = fetch(site, "cat")
        assert site.gets(CAT_PATH) == []
    assert done.returncode == 1
    assert "MiB are free" in done.stderr


def test_a_server_that_hangs_is_given_up(fetch: Fetch) -> None:
    with one_fault(hangs=True) as site:
        done = fetch(site, "cat", "--stall", "1", "--rounds", "1")
    assert done.returncode == 1
    assert "cat.ndjson: Operation too slow" in done.stderr


def test_an_unreachable_server_is_an_error_that_names_it(fetch: Fetch) -> None:
    done = fetch("http://127.0.0.1:1", "cat", "--rounds", "1")
    assert done.returncode == 1
    assert "http://127.0.0.1:1/simplified/cat.ndjson" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_part_and_leaves_no_process(
    fetch: Fetch, number: signal.Signals
) -> None:
    with one_fault(hangs=True) as site:
        process = subprocess.Popen(
            fetch.command(site, "cat"), stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        while not site.gets(CAT_PATH):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, text = process.communicate(timeout=60)  # the pipe ends with curl
    assert process.returncode == 128 + number
    assert "goes on" in text
    assert not (fetch.out / "cat.ndjson").exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["caz"], "is it one of cactus"),
        (["a\x1b[31mb"], "control characters"),
        (["../cat"], "no word"),
        ([], "say what to fetch"),
        (["cat", "--all"], "one of them"),
        (["cat", "-o"], "-o has no value"),
        (["cat", "--kind", "npz"], "simplified"),
        (["cat", "--jobs", "0"], "--jobs"),
        (["cat", "--frobnicate"], "no option"),
    ],
)
def test_a_wrong_command_line_says_what_is_right(
    fetch: Fetch, arguments: list[str], hint: str
) -> None:
    done = fetch("http://127.0.0.1:1", *arguments)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "\x1b" not in done.stderr
    assert not fetch.out.exists()


def test_all_words_are_fetched_side_by_side(fetch: Fetch, root: Path) -> None:
    words = (root / "deploy/quickdraw_words.txt").read_text().splitlines()
    assert len(words) == len(set(words)) == 345
    files = {f"/binary/{word.replace(' ', '%20')}.bin": word.encode() for word in words}
    with FaultyServer(files) as site:
        done = fetch(site, "--all", "--kind", "bin")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {f"{word}.bin": word.encode() for word in words}
