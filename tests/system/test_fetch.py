"""`inkstream fetch` against a web server that also fails half-way."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Run
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


def fetch(
    inkstream: Run, site: FaultyServer, out: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    return inkstream("fetch", *words, "--base-url", site.url, "-o", out)


def assert_only(out: Path, files: dict[str, bytes]) -> None:
    assert {p.name: p.read_bytes() for p in out.iterdir()} == files


def test_words_become_files(inkstream: Run, tmp_path: Path) -> None:
    with FaultyServer(FILES) as site:
        done = fetch(inkstream, site, tmp_path / "q", "Cat", "dog", "ice_cream", "cat")
    assert done.returncode == 0, done.stderr
    assert "Fetched 3 files" in done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT, "dog.ndjson": DOG, "ice cream.ndjson": DOG})


def test_a_second_run_fetches_nothing(inkstream: Run, tmp_path: Path) -> None:
    with FaultyServer(FILES) as site:
        fetch(inkstream, site, tmp_path / "q", "cat")
        site.log.clear()
        again = fetch(inkstream, site, tmp_path / "q", "cat")
        assert site.gets(CAT_PATH) == []
    assert again.returncode == 0
    assert "1 were there already" in again.stderr


def test_a_transfer_cut_short_goes_on_where_it_was(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(cut_after=[300_000, 100_000]) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
        assert site.gets(CAT_PATH) == ["", "bytes=300000-", "bytes=400000-"]
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


def test_a_later_run_goes_on_where_the_last_gave_up(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(cut_after=[300_000], statuses=[]) as site:
        first = inkstream(
            "fetch", "cat", "--base-url", site.url, "-o", tmp_path / "q", "--retries", "0"
        )
        assert first.returncode == 1
        assert "the same command goes on" in first.stderr
        done = fetch(inkstream, site, tmp_path / "q", "cat")
        assert site.gets(CAT_PATH) == ["", "bytes=300000-"]
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


@pytest.mark.parametrize("status", [500, 503, 429])
def test_passing_failures_are_tried_again(inkstream: Run, tmp_path: Path, status: int) -> None:
    with one_fault(statuses=[status], retry_after="1") as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


def test_ranges_that_are_ignored_begin_anew(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(cut_after=[300_000], ignores_range=True) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


def test_a_file_that_changes_half_way_is_never_mixed(inkstream: Run, tmp_path: Path) -> None:
    other = CAT.replace(b"cat", b"Cat")
    with one_fault(cut_after=[300_000], new_tag_at=2, other=other) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": other})


def test_a_damaged_copy_is_fetched_again(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(flipped=1) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


def test_content_that_stays_damaged_is_refused(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(md5="AAAAAAAAAAAAAAAAAAAAAA==") as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat", "dog")
    assert done.returncode == 1
    assert "MD5" in done.stderr
    assert (tmp_path / "q" / "dog.ndjson").read_bytes() == DOG
    assert not (tmp_path / "q" / "cat.ndjson").exists()


def test_a_missing_file_is_known_before_anything_is_fetched(inkstream: Run, tmp_path: Path) -> None:
    with FaultyServer(FILES) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat", "zebra")
        assert site.gets(CAT_PATH) == []
    assert done.returncode == 1
    assert "zebra.ndjson: the server answers 404" in done.stderr


def test_servers_without_head_serve(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(head_status=405) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
    assert done.returncode == 0, done.stderr
    assert_only(tmp_path / "q", {"cat.ndjson": CAT})


def test_no_room_is_known_before_anything_is_fetched(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(length_lie=1 << 60) as site:
        done = fetch(inkstream, site, tmp_path / "q", "cat")
        assert site.gets(CAT_PATH) == []
    assert done.returncode == 1
    assert "MiB are free" in done.stderr


def test_a_server_that_hangs_is_given_up(inkstream: Run, tmp_path: Path) -> None:
    with one_fault(hangs=True) as site:
        done = inkstream(
            "fetch", "cat", "--base-url", site.url, "-o", tmp_path / "q",
            "--stall", "1", "--retries", "0",
        )  # fmt: skip
    assert done.returncode == 1
    assert "Operation too slow" in done.stderr


def test_an_unreachable_server_is_an_error_that_names_it(inkstream: Run, tmp_path: Path) -> None:
    done = inkstream(
        "fetch", "cat", "--base-url", "http://127.0.0.1:1", "-o", tmp_path / "q", "--retries", "0"
    )
    assert done.returncode == 1
    assert "http://127.0.0.1:1/simplified/cat.ndjson" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_part(binary: Path, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "q"
    with one_fault(hangs=True) as site:
        process = subprocess.Popen(
            [binary, "fetch", "cat", "--base-url", site.url, "-o", out],
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        part = out / "cat.ndjson.part"
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, text = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "goes on" in text
    assert part.read_bytes() == CAT[:1]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["cta", "-o", "q"], '"cat"'),
        (["-o", "q"], "say what to fetch"),
        (["cat", "--all", "-o", "q"], "one of them"),
        (["cat"], "-o is missing"),
        (["cat", "--kind", "npz", "-o", "q"], "simplified"),
    ],
)
def test_a_wrong_command_line_says_what_is_right(
    inkstream: Run, arguments: list[str], hint: str
) -> None:
    done = inkstream("fetch", *arguments)
    assert done.returncode == 2
    assert hint in done.stderr


def test_all_categories_are_listed(inkstream: Run) -> None:
    names = inkstream("fetch", "--list").stdout.splitlines()
    assert len(names) == 345
    assert {"cat", "aircraft carrier", "The Mona Lisa", "zigzag"} <= set(names)


def store_site(store: Path) -> dict[str, bytes]:
    return {f"/s.ink/{p.name}": p.read_bytes() for p in store.iterdir()}


def test_a_ready_store_arrives_verified(inkstream: Run, store: Path, tmp_path: Path) -> None:
    with FaultyServer(store_site(store)) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink/", "-o", tmp_path / "s.ink")
    assert done.returncode == 0, done.stderr
    assert inkstream("verify", tmp_path / "s.ink").returncode == 0
    assert not (tmp_path / "s.ink.fetch").exists()


def test_earlier_generations_come_along(inkstream: Run, store: Path, tmp_path: Path) -> None:
    grown = tmp_path / "grown.ink"
    shutil.copytree(store, grown)
    more = tmp_path / "more.ndjson"
    made = inkstream("generate", "--drawings", "50", "--seed", "9", "-o", more)
    assert made.returncode == 0, made.stderr
    for _ in range(2):
        appended = inkstream("ingest", more, "--store", grown, "--append")
        assert appended.returncode == 0, appended.stderr
    site_files = store_site(grown)
    with FaultyServer(site_files) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert {p.name: p.read_bytes() for p in (tmp_path / "all").iterdir()} == {
        p.name: p.read_bytes() for p in grown.iterdir()
    }
    # What the site has removed ends the row; what is another store's is damage.
    del site_files["/s.ink/MANIFEST.000001"]
    with FaultyServer(site_files) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "some")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "some" / "MANIFEST.000001").exists()
    other = tmp_path / "other.ink"
    assert inkstream("ingest", more, "--store", other).returncode == 0
    site_files["/s.ink/MANIFEST.000002"] = (other / "MANIFEST").read_bytes()
    with FaultyServer(site_files) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "wrong")
    assert done.returncode == 1
    assert "MANIFEST.000002" in done.stderr
    assert not (tmp_path / "wrong").exists()


def test_a_store_goes_on_where_it_was(inkstream: Run, store: Path, tmp_path: Path) -> None:
    files = store_site(store)
    segment = max(files, key=lambda name: len(files[name]))
    site = FaultyServer(files, {segment: Faults(cut_after=[5000])})
    with site:
        first = inkstream(
            "fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "s", "--retries", "0"
        )
        assert first.returncode == 1
        assert not (tmp_path / "s").exists()
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "s")
        assert site.gets(segment)[-1] == "bytes=5000-"
    assert done.returncode == 0, done.stderr


def test_a_damaged_store_never_gets_its_name(inkstream: Run, store: Path, tmp_path: Path) -> None:
    files = store_site(store)
    segment = max(files, key=lambda name: len(files[name]))
    middle = len(files[segment]) // 2
    content = bytearray(files[segment])
    content[middle : middle + 64] = bytes(64)
    files[segment] = bytes(content)
    with FaultyServer(files) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "s")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not any(tmp_path.glob("s*"))


def test_what_is_no_store_is_said(inkstream: Run, tmp_path: Path) -> None:
    with FaultyServer({"/s.ink/MANIFEST": b"<html>"}) as site:
        done = inkstream("fetch", "--store", f"{site.url}/s.ink", "-o", tmp_path / "s")
        missing = inkstream("fetch", "--store", f"{site.url}/t.ink", "-o", tmp_path / "t")
    assert done.returncode == 1
    assert "MANIFEST" in done.stderr
    assert missing.returncode == 1
    assert "404" in missing.stderr
    assert not (tmp_path / "s").exists()
    assert not any(tmp_path.glob("t*"))
