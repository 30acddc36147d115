"""The page to look at, in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import inkstream
import numpy as np
import pytest
from browser import Browser, chromium
from serving import RunningServer

Run = Callable[..., CompletedProcess[str]]

# A word is a stranger's; so is what a script would make of it.
HOSTILE = """<img src=x onerror="document.title='taken'">"""
QUOTES = """'"></a><script>document.title='taken'</script>"""


def drawing(word: str, strokes: list[Any], number: int) -> str:
    return json.dumps({"word": word, "key_id": str(10**15 + number), "drawing": strokes})


@pytest.fixture(scope="module")
def odd_store(inkstream: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hostile words, and a drawing with times: one second, a pause of two, a second."""
    folder = tmp_path_factory.mktemp("odd")
    lines = [drawing(word, [[[0, 255], [0, 255]]], i) for i, word in enumerate([HOSTILE, QUOTES])]
    timed = [[[0, 200], [0, 0], [0, 1000]], [[0, 200], [255, 255], [3000, 4000]]]
    (folder / "odd.ndjson").write_text("\n".join([*lines, drawing("timed", timed, 7)]) + "\n")
    done = inkstream(
        "ingest", folder / "odd.ndjson", "--store", folder / "odd.ink", "--keep", "raw"
    )
    assert done.returncode == 0, done.stderr
    return folder / "odd.ink"


@pytest.fixture(scope="module")
def server(
    binary: Path, store: Path, odd_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("page") / "log"
    stores = [f"quickdraw={store}", f"odd={odd_store}"]
    with RunningServer(binary, stores, log, "--http", "127.0.0.1:0") as running:
        yield running


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("THE PAGE IS NOT TESTED: there is no chromium on this machine")
    with Browser(tmp_path / "profile") as browser:
        yield browser
        assert browser.problems == []


def home(server: RunningServer) -> str:
    return f"http://{server.addresses['http']}/"


def show(browser: Browser, server: RunningServer, address: str) -> None:
    """Opens the page anew at this address, and waits until it is filled."""
    browser.open("about:blank")
    browser.open(home(server) + address)
    browser.wait("document.body?.dataset.shown === location.hash")


def follow(browser: Browser, address: str) -> None:
    """Waits until the page is there."""
    browser.wait(f"document.body?.dataset.shown === {json.dumps(address)}")


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.js(
        f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent)"
    )
    return found


def text(browser: Browser, selector: str) -> str:
    (only,) = texts(browser, selector)
    return only


def move(browser: Browser, name: str, value: float) -> None:
    """Moves the slider of this name in the form."""
    browser.js(
        f"(() => {{ const input = document.querySelector('.request [name={name}]');"
        f"input.value = {value}; input.dispatchEvent(new Event('input')); }})()"
    )


def ask(server: RunningServer, path: str, request: Any = None) -> tuple[int, bytes]:
    query = f"?request={urllib.parse.quote(json.dumps(request))}" if request is not None else ""
    try:
        with urllib.request.urlopen(f"{home(server)}{path}{query}", timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_gallery_has_datasets_classes_splits_and_pages(
    browser: Browser, server: RunningServer
) -> None:
    show(browser, server, "#/quickdraw")
    assert texts(browser, ".card h2") == ["odd", "quickdraw"]
    data = inkstream.connect(server.address).dataset("quickdraw")
    assert data.fingerprint in texts(browser, ".fingerprint code")
    assert text(browser, ".drawings h1 small") == "1\u201360 of 2,000 drawings"
    assert len(texts(browser, ".tile svg")) == 60
    browser.js("document.querySelector('.chips a[href*=train]').click()")
    follow(browser, "#/quickdraw?split=train")
    browser.js("document.querySelector('.classes a[href*=cat]').click()")
    follow(browser, "#/quickdraw?split=train&class=cat")
    view = inkstream.View("train", classes=["cat"])
    assert set(texts(browser, ".tile .word")) == {"cat"}
    assert f"of {data.count(view)} drawings" in text(browser, ".drawings h1 small")
    browser.js("document.querySelector('.chips a[href*=shuffled]').click()")
    follow(browser, "#/quickdraw?split=train&class=cat&order=shuffled")
    shown = [
        int(link.rsplit("/", 1)[1])
        for link in browser.js(
            "[...document.querySelectorAll('.tile')].map(one => one.getAttribute('href'))"
        )
    ]
    line = text(browser, ".drawings > .copyable code")
    planned = eval(line, {"inkstream": inkstream, "data": data})
    assert shown == list(planned.steps[0].index)


def test_the_keyboard_is_enough(browser: Browser, server: RunningServer) -> None:
    show(browser, server, "#/quickdraw")
    browser.press("n")
    follow(browser, "#/quickdraw?page=2")
    browser.press("p")
    follow(browser, "#/quickdraw")
    browser.press("ArrowRight")  # the first one
    browser.press("ArrowRight")
    browser.press("ArrowDown")
    columns = browser.js(
        "new Set([...document.querySelectorAll('.tile')].map(one => one.offsetLeft)).size"
    )
    place = browser.js("[...document.querySelectorAll('.tile')].indexOf(document.activeElement)")
    assert place == columns + 1
    browser.press("Enter")
    follow(browser, f"#/quickdraw/{place}")
    browser.press("n")
    follow(browser, f"#/quickdraw/{place + 1}")
    browser.press("Escape")
    follow(browser, "#/quickdraw")
    focused = browser.js("document.activeElement.getAttribute('href')")
    assert focused == f"#/quickdraw/{place + 1}"
    browser.press("/")
    browser.write("sail")
    assert texts(browser, ".classes li:not([hidden]) span") == ["sailboat"]
    browser.press("Enter")
    follow(browser, "#/quickdraw?class=sailboat")
    browser.press("/")
    browser.write("1234")
    browser.press("Enter")
    follow(browser, "#/quickdraw/1234")
    browser.press("?")
    assert browser.js("document.querySelector('dialog#keys').open")


def test_drawings_are_found_by_key_too(browser: Browser, server: RunningServer) -> None:
    data = inkstream.connect(server.address).dataset("quickdraw")
    key = int(data.fetch(77, columns=["key_id"]).key_id[0])
    show(browser, server, "#/quickdraw")
    for wanted, comes_to in ((str(key), "#/quickdraw/77"), ("77", "#/quickdraw/77")):
        browser.js("location.hash = '#/quickdraw'")
        follow(browser, "#/quickdraw")
        browser.press("/")
        browser.write(wanted)
        browser.press("Enter")
        follow(browser, comes_to)


def test_a_line_of_python_gives_the_pixels_that_are_seen(
    browser: Browser, server: RunningServer
) -> None:
    show(browser, server, "#/quickdraw/17")
    for name, value in (("height", 32), ("padding", 4.0), ("rotation", 25), ("scale", 0.2)):
        move(browser, name, value)
    for name, value in (("stroke_dropout", 0.3), ("views", 3), ("seed", 9)):
        move(browser, name, value)
    browser.js("document.querySelector('.request [value=order]').click()")
    # The last request's, and nobody waits for another one.
    browser.wait("document.querySelectorAll('.pixels canvas').length == 6")
    seen = browser.js(
        "[...document.querySelectorAll('.pixels canvas')].map(canvas => [...canvas"
        ".getContext('2d').getImageData(0, 0, 32, 32).data].filter((_, i) => i % 4 == 0))"
    )
    data = inkstream.connect(server.address).dataset("quickdraw")
    stream, once = texts(browser, ".made > .copyable code")
    batch = eval(once, {"inkstream": inkstream, "data": data})
    assert batch.image.shape == (1, 3, 2, 32, 32)
    assert np.array_equal(np.array(seen, np.uint8).reshape(1, 3, 2, 32, 32), batch.image)
    assert len({pixels.tobytes() for pixels in batch.image[0]}) == 3
    with eval(stream, {"inkstream": inkstream, "data": data}) as opened:
        assert next(opened).image.shape == (256, 3, 2, 32, 32)


def test_strokes_come_in_order_and_in_their_own_time(
    browser: Browser, server: RunningServer
) -> None:
    browser.prefer(prefers_reduced_motion="reduce")  # nothing plays by itself
    show(browser, server, "#/odd/2")

    def at(share: float) -> tuple[str, list[str]]:
        browser.js(
            "(() => { const input = document.querySelector('.replay [type=range]');"
            f"input.value = {1000 * share}; input.dispatchEvent(new Event('input')); }})()"
        )
        paths = browser.js(
            "[...document.querySelectorAll('.replay svg > path')].map(one => one.getAttribute('d'))"
        )
        return text(browser, ".replay .where"), paths

    assert at(1)[0] == "stroke 2 of 2 · 4.0 of 4.0 s"
    where, (first, second) = at(0.125)
    assert where == "stroke 1 of 2 · 0.5 of 4.0 s"
    assert re.search(r"L100(\.\d+)? 0$", first) or re.search(r"L12[78](\.\d+)? 0$", first), first
    assert second == ""
    where, (_, second) = at(0.5)  # between the two
    assert where == "stroke 1 of 2 · 2.0 of 4.0 s"
    assert second == ""
    browser.js("document.querySelector('.replay [type=checkbox]').click()")
    assert at(0.5)[0] == "stroke 1 of 2"
    browser.js("document.activeElement.blur()")
    browser.press(" ")
    browser.wait("document.querySelector('.play').textContent.includes('Pause')")
    browser.wait("document.querySelector('.where').textContent == 'stroke 2 of 2'")


def test_hostile_words_are_words(browser: Browser, server: RunningServer) -> None:
    show(browser, server, "#/odd")
    assert {HOSTILE, QUOTES} < set(texts(browser, ".tile .word"))
    assert {HOSTILE, QUOTES} < set(texts(browser, ".classes span"))
    browser.js(
        "[...document.querySelectorAll('.classes a')].find(one => one.textContent"
        ".includes('onerror')).click()"
    )
    browser.wait("document.querySelectorAll('.tile').length == 1")
    assert text(browser, ".drawings h1 span") == HOSTILE
    browser.js("document.querySelector('.tile').click()")
    browser.wait("document.querySelector('.facts') !== null")
    assert text(browser, "main h1") == HOSTILE
    assert browser.js("document.querySelectorAll('img, script').length") == 1
    assert browser.js("document.title").startswith(HOSTILE)


def test_no_script_but_its_own_is_run(browser: Browser, server: RunningServer) -> None:
    show(browser, server, "#/quickdraw")
    browser.js(
        "(() => { const script = document.createElement('script');"
        "script.textContent = 'document.title = \"taken\"'; document.body.append(script); })()"
    )
    assert browser.js("document.title") != "taken"
    assert "Content Security Policy" in browser.problems.pop()


def test_streams_show_who_waits(browser: Browser, server: RunningServer) -> None:
    show(browser, server, "#/quickdraw")
    browser.js("document.querySelector('[data-page=streams]').click()")
    browser.wait("document.body.innerText.includes('No stream is open')")
    data = inkstream.connect(server.address).dataset("quickdraw")
    with data.stream("train", batch_size=64, image=28, epochs="forever", world=2) as stream:
        for _ in range(5):
            next(stream)
        browser.wait("document.querySelector('article.stream') !== null")
        assert text(browser, "article.stream h2 span") == "quickdraw"
        assert "rank 0 of 2" in text(browser, "article.stream h2")
        # Who reads nothing is waited for.
        browser.wait("/client is the bottleneck/.test(document.body.innerText)")
        shares = [int(s.split()[1]) for s in texts(browser, "article.stream .sides span")]
        assert 98 <= sum(shares) <= 102
        assert shares[0] == max(shares)
    browser.wait("document.querySelector('article.stream') === null")
    assert texts(browser, "header .plain a") == ["metrics", "ready"]


@pytest.mark.parametrize("address", ["#/quickdraw", "#/odd", "#/quickdraw/17", "#/streams"])
def test_a_phone_is_wide_enough(browser: Browser, server: RunningServer, address: str) -> None:
    browser.resize(390, 844)
    show(browser, server, address)
    assert browser.js("document.documentElement.scrollWidth") <= 390
    beyond = browser.js(
        "[...document.querySelectorAll('main *')].filter(one => one.offsetParent !== null"
        " && one.getBoundingClientRect().right > 391).map(one => one.outerHTML.slice(0, 80))"
    )
    assert beyond == []


def luminance(color: str) -> float:
    channels = [int(c) / 255 for c in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(browser: Browser, server: RunningServer, scheme: str) -> None:
    browser.prefer(prefers_color_scheme=scheme)
    show(browser, server, "#/quickdraw")
    ground = luminance(browser.js("getComputedStyle(document.body).backgroundColor"))
    assert (ground < 0.1) == (scheme == "dark")
    for selector in ("body", ".tile .word", "[data-page][aria-current]", "small"):
        ink = luminance(browser.js(f"getComputedStyle(document.querySelector('{selector}')).color"))
        light, dark = max(ground, ink), min(ground, ink)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, selector


def test_a_token_is_asked_for_and_kept_in_memory(browser: Browser, server: RunningServer) -> None:
    # As a server with tokens answers.
    browser.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="""const given = fetch; globalThis.sent = [];
        fetch = (url, options) => {
          const token = options.headers.Authorization;
          sent.push(token ?? '');
          const refusal = {code: 'UNAUTHENTICATED', reason: '', message: 'a token, please'};
          return token === 'Bearer secret-17' ? given(url, options)
            : Promise.resolve(new Response(JSON.stringify(refusal), {status: 401}));
        };""",
    )
    browser.open(home(server))
    for token in ("wrong", "secret-17"):
        browser.wait("document.querySelector('#ask-token')?.open")
        assert text(browser, "#token-why") == "a token, please"
        browser.js("document.querySelector('#token').focus()")
        browser.write(token)
        browser.press("Enter")
        browser.wait(f"sent.includes('Bearer {token}')")
    browser.wait("document.querySelectorAll('.tile').length > 0")
    assert browser.js("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    assert "secret-17" not in browser.js("document.documentElement.outerHTML + location.href")


def test_a_dataset_that_is_lost_says_so_beside_the_others(
    browser: Browser, binary: Path, store: Path, odd_store: Path, tmp_path: Path
) -> None:
    lost = Path(shutil.copytree(store, tmp_path / "lost.ink"))
    stores = [f"lost={lost}", f"odd={odd_store}"]
    with RunningServer(binary, stores, tmp_path / "log", "--http", "127.0.0.1:0") as server:
        os.truncate(lost / "segment-000000.mdb", 4096)
        show(browser, server, "#/lost")
        browser.wait("document.querySelector('#notice').textContent.includes('segment-000000')")
        show(browser, server, "#/lost")
        assert "segment-000000" in text(browser, ".card .problem")
        show(browser, server, "#/")
        assert len(texts(browser, ".tile")) == 3
        # As the server says it.
        assert any("503" in problem for problem in browser.problems)
        browser.problems.clear()


def test_probes_answer_while_the_page_is_much_asked(server: RunningServer) -> None:
    request = {
        "dataset": "quickdraw",
        "index": [5],
        "delivery": {"views": 3, "image": {"height": 1024, "quality": "QUALITY_EXACT"}},
    }
    begun = threading.Barrier(61)

    def one() -> int:
        begun.wait()
        return ask(server, "api/pixels", request)[0]

    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(one) for _ in range(60)]
        begun.wait()
        while not all(done.done() for done in asked):
            for path in ("livez", "readyz", "metrics"):
                assert ask(server, path)[0] == 200
        codes = {done.result() for done in asked}
    assert 200 in codes and codes <= {200, 503}
    assert ask(server, "api/pixels", request)[0] == 200


def resident_mib(server: RunningServer) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


def test_answers_that_nobody_reads_take_little_memory(
    binary: Path, store: Path, tmp_path: Path
) -> None:
    # Three megabytes each, sixty times.
    wanted = {"index": [5], "delivery": {"views": 3, "image": {"height": 1024}}}
    query = urllib.parse.quote(json.dumps(wanted))
    flags = ("--http", "127.0.0.1:0", "--memory", "256MiB")
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as server:
        assert ask(server, "api/pixels", wanted)[0] == 200
        before = most = resident_mib(server)
        host, port = server.addresses["http"].rsplit(":", 1)
        with contextlib.ExitStack() as opened:
            unanswered = set()
            for _ in range(60):
                one = opened.enter_context(socket.create_connection((host, int(port))))
                line = f"GET /api/pixels?request={query} HTTP/1.1"
                one.sendall(f"{line}\r\nHost: localhost\r\n\r\n".encode())
                unanswered.add(one)
            while unanswered:
                unanswered -= set(select.select(unanswered, [], [], 0.01)[0])
                most = max(most, resident_mib(server))
        # What malloc keeps of answers that were thrown away is in it.
        assert most - before < 128, f"{most - before:.0f} MiB"
        assert ask(server, "api/pixels", wanted)[0] == 200


def test_a_stranger_has_no_way_in(server: RunningServer) -> None:
    def code(path: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = urllib.request.Request(home(server) + path, headers=named)
        try:
            with urllib.request.urlopen(wanted, timeout=60) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] is None
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            return error.code

    assert code("", Host="evil.example") == code("api/datasets", Host="evil.example:80") == 403
    assert code("api/datasets", Sec_Fetch_Site="cross-site") == 403
    assert code("api/datasets", Origin="http://evil.example") == 200
    assert code("livez", Host="evil.example") == code("api/datasets", Host="localhost") == 200
