"""deploy/envoy.yaml in a real Envoy, before two servers that encrypt and want tokens."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inkstream as client
import numpy as np
import pytest
import yaml
from certificates import Authority
from serving import RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def envoy(root: Path) -> Path:
    done = subprocess.run(
        [str(root / "tests" / "install_envoy.sh")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip(f"THE PROXY'S CONFIGURATION IS NOT RUN: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def token(inkstream: Run, tmp_path: Path) -> str:
    token, line = inkstream("token", "trainer").stdout.splitlines()
    (tmp_path / "tokens").write_text(line + "\n")
    return str(token)


@pytest.fixture
def servers(
    binary: Path, store: Path, authority: Authority, token: str, tmp_path: Path
) -> Iterator[list[RunningServer]]:
    pair = authority.issue("inkstream", "DNS:inkstream,IP:127.0.0.1")
    flags = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key), "--drain-spread", "0"]
    flags += ["--tokens", str(tmp_path / "tokens"), "--drain-delay", "0", "--http", "127.0.0.1:0"]
    stores = [f"quickdraw={store}"]
    with (
        RunningServer(binary, stores, tmp_path / "a.log", *flags) as a,
        RunningServer(binary, stores, tmp_path / "b.log", *flags) as b,
    ):
        yield [a, b]


@pytest.fixture
def proxy(
    envoy: Path, root: Path, authority: Authority, servers: list[RunningServer], tmp_path: Path
) -> Iterator[str]:
    """Its address. Addresses and paths are the test's, all else is as documented."""
    pair = authority.issue("proxy")
    text = (root / "deploy" / "envoy.yaml").read_text()
    for name, path in (("tls.crt", pair.cert), ("tls.key", pair.key), ("ca.crt", authority.ca)):
        text = text.replace(f"/tls/{name}", str(path))
    settings: Any = yaml.safe_load(text)["static_resources"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = settings["listeners"][0]["address"]["socket_address"]
    place.update(address="127.0.0.1", port_value=port)
    endpoints = settings["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert len(endpoints) == 1
    endpoints[:] = [
        {
            "endpoint": {
                "address": {
                    "socket_address": {
                        "address": "127.0.0.1",
                        "port_value": int(one.address.rsplit(":", 1)[1]),
                    }
                }
            }
        }
        for one in servers
    ]
    file = tmp_path / "envoy.yaml"
    file.write_text(yaml.safe_dump({"static_resources": settings}))
    command = [str(envoy), "-c", str(file), "--use-dynamic-base-id", "--concurrency", "1"]
    with (
        (tmp_path / "envoy.log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        yield f"127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_a_stream_through_it_is_the_stream_and_goes_on_when_its_server_leaves(
    proxy: str, servers: list[RunningServer], authority: Authority, token: str, store: Path
) -> None:
    asked: dict[str, Any] = {"batch_size": 64, "image": client.Image(28), "columns": ["label"]}
    expected = list(client.open(str(store)).dataset().stream("train", **asked))
    data = client.connect(proxy, tls=str(authority.ca), token=token).dataset("quickdraw")
    with data.stream("train", **asked, codec="none") as stream:
        got = [next(stream), next(stream)]
        deadline = time.monotonic() + 60
        while not (leaving := [one for one in servers if "stream opened" in one.log]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "caller=token:trainer" in leaving[0].log
        assert leaving[0].stop() == 0
        got += list(stream)
        assert stream.stats()["reopened"] >= 1
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected, strict=True):
        assert np.array_equal(ours.index, theirs.index)
        assert np.array_equal(ours.image, theirs.image)


def test_who_has_no_token_is_refused_behind_it_too(proxy: str, authority: Authority) -> None:
    with pytest.raises(client.AccessDenied):
        client.connect(proxy, tls=str(authority.ca)).dataset("quickdraw")
