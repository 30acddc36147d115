"""The page of metrics: bounded, documented, and in the form that Prometheus reads."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Literal

import inkstream as client
import pytest
from certificates import Authority
from serving import RunningServer

# Closed sets, all of them: nothing that a peer sends.
LABELS = {
    "cache",
    "certificate",
    "code",
    "codec",
    "dataset",
    "files",
    "fingerprint",
    "generation",
    "grpc",
    "kind",
    "le",
    "method",
    "of",
    "reason",
    "result",
    "stage",
    "state",
    "transport",
    "version",
    "what",
}
CODECS: tuple[Literal["none", "strokes", "auto"], ...] = ("none", "strokes", "auto")
SAMPLE = re.compile(r"^(?P<name>[a-z_:]+)(\{(?P<labels>.*)\})? \S+$")


def page_of(server: RunningServer) -> str:
    with urllib.request.urlopen(f"http://{server.addresses['http']}/metrics", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def samples(page: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        sample = SAMPLE.match(line)
        assert sample is not None, line
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample["labels"] or ""))
        found.append((sample["name"], labels))
    return found


def families(page: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))


@pytest.fixture(scope="module")
def busy_page(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """The page with 4 datasets and 200 streams in all forms open, and the log of that server."""
    folder = tmp_path_factory.mktemp("metrics")
    stores = [f"d{i}={store}" for i in range(4)]
    authority = Authority(folder / "authority")
    pair, mine = authority.issue("server"), authority.issue("client")
    made = subprocess.run(
        [str(binary), "token", "user"], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    token, line = made.stdout.splitlines()
    (folder / "tokens").write_text(line + "\n")
    flags = [
        *("--http", "127.0.0.1:0", "--unix", str(folder / "socket")),
        *("--tls-cert", str(pair.cert), "--tls-key", str(pair.key)),
        *("--tls-client-ca", str(authority.ca), "--tokens", str(folder / "tokens")),
    ]
    with RunningServer(binary, stores, folder / "log", *flags) as server:
        tls = client.TLS(ca=authority.ca, cert=mine.cert, key=mine.key)
        near = [
            client.connect(server.address, tls=tls, token=token),
            client.connect(f"unix:{folder / 'socket'}", token=token),
        ]
        streams = []
        for i in range(200):
            data = near[i % 2].dataset(f"d{i % 4}")
            codec = CODECS[i % 7 % 3]
            stream = data.stream("train", batch_size=4, image=client.Image(8), seed=i, codec=codec)
            next(stream)
            streams.append(stream)
        for word in ("no such", "x" * 100, "\x1b[31m"):
            with pytest.raises(client.InkstreamError):
                near[0].dataset(word)
        text = page_of(server)
        for stream in streams:
            stream.close()
        for one in near:
            one.close()
        server.stop()
        return text, server.log


def test_the_page_has_a_bound_and_nothing_of_a_peer(busy_page: tuple[str, str]) -> None:
    found = samples(busy_page[0])
    assert 150 < len(found) <= 600
    assert len({(name, *sorted(labels.items())) for name, labels in found}) == len(found)
    for name, labels in found:
        assert set(labels) <= LABELS, name
        for key, value in labels.items():
            assert not re.search(r"ipv4|unix:|127\.0|no such|xxx|\x1b", value), (name, key, value)


def test_every_metric_is_documented_and_every_documented_one_is_there(
    busy_page: tuple[str, str], root: Path
) -> None:
    readme = (root / "server" / "ops" / "README.md").read_text().split("| metric |")[1]
    documented = set(re.findall(r"^\| `((?:inkstream|process)_[a-z_]+)", readme, re.MULTILINE))
    assert documented == families(busy_page[0])


def test_the_page_is_what_prometheus_reads(
    busy_page: tuple[str, str], prometheus_tools: Path
) -> None:
    page = busy_page[0]
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    helps = set(re.findall(r"^# HELP (\S+) \S", page, re.MULTILINE))
    assert helps == set(types)
    for name, kind in types.items():
        assert name.endswith("_total") == (kind == "counter"), name
    for name, _ in samples(page):
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in types or types.get(family) == "histogram", name
    done = subprocess.run(
        [str(prometheus_tools / "promtool"), "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_stream_has_a_line_at_its_opening_and_at_its_end(busy_page: tuple[str, str]) -> None:
    log = busy_page[1]
    opened = re.findall(r" stream opened: stream=(\d+) ", log)
    ended = re.findall(r" stream ended: stream=(\d+) ", log)
    assert len(opened) == len(set(opened)) == 200
    assert sorted(opened) == sorted(ended)
    assert re.search(r'stream opened: .*dataset=d1 plan="batch 4, image 8x8, rank 0 of 1', log)
    assert re.search(r"stream ended: .* reason=CLIENT_GONE code=CANCELLED batches=\d+ ", log)
    assert log.count("call refused: method=DescribeDataset") == 3
    assert "\x1b" not in log
