"""deploy/monitoring/dashboard.json against a real Prometheus that scraped a real run."""

from __future__ import annotations

import json
import math
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inkstream as client
import pytest
from certificates import Authority
from prometheus_server import PrometheusServer
from serving import RunningServer


@pytest.fixture(scope="module")
def dashboard(root: Path) -> dict[str, Any]:
    page: dict[str, Any] = json.loads((root / "deploy/monitoring/dashboard.json").read_text())
    return page


@pytest.fixture(scope="module")
def expressions(dashboard: dict[str, Any]) -> list[str]:
    """All queries, with what Grafana puts in."""
    found = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in (
                ("$__rate_interval", "1m"),
                ("$job", "inkstream"),
                ("$dataset", ".*"),
            ):
                expression = expression.replace(name, value)
            assert "$" not in expression, expression
            found.append(expression)
    assert len(found) > 15
    return found


@pytest.fixture(scope="module")
def replicas(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[RunningServer]]:
    """Two, each with room for one stream."""
    folder = tmp_path_factory.mktemp("replicas")
    flags = ("--http", "127.0.0.1:0", "--max-streams", "1", "--drain-delay", "0")
    with (
        RunningServer(binary, [f"quickdraw={store}"], folder / "a.log", *flags) as a,
        RunningServer(binary, [f"quickdraw={store}"], folder / "b.log", *flags) as b,
    ):
        yield [a, b]


@pytest.fixture(scope="module")
def secure_server(
    binary: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """One with a certificate, which has an end to tell of."""
    folder = tmp_path_factory.mktemp("secure")
    pair = Authority(folder / "authority").issue("server")
    flags = ("--http", "127.0.0.1:0", "--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
    with RunningServer(binary, [f"quickdraw={store}"], folder / "log", *flags) as server:
        yield server


@pytest.fixture(scope="module")
def prometheus(
    replicas: list[RunningServer],
    secure_server: RunningServer,
    root: Path,
    prometheus_tools: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PrometheusServer]:
    with PrometheusServer(
        prometheus_tools / "prometheus",
        tmp_path_factory.mktemp("prometheus"),
        root / "deploy/monitoring/alerts.yaml",
        [server.addresses["http"] for server in [*replicas, secure_server]],
    ) as running:
        yield running


@pytest.fixture(scope="module")
def go_on(replicas: list[RunningServer]) -> Iterator[Callable[[], None]]:
    """Takes a batch from each replica, and asks each for a stream that it has no room for."""
    near = [client.connect(server.address, retry_for=0) for server in replicas]
    streams = [
        one.dataset("quickdraw").stream("train", image=client.Image(28), epochs=None)
        for one in near
    ]

    def read_and_be_refused() -> None:
        for one, stream in zip(near, streams, strict=True):
            next(stream)
            second = one.dataset("quickdraw").stream("train", image=client.Image(28), seed=1)
            with pytest.raises(client.InkstreamError, match="max_streams"):
                next(second)

    yield read_and_be_refused
    for stream in streams:
        stream.close()
    for one in near:
        one.close()


def names_in(prometheus: PrometheusServer) -> set[str]:
    """Of all metrics that it has of servers."""
    named = 'label_replace({job="inkstream"}, "name", "$1", "__name__", "(.*)")'
    return {sample["metric"]["name"] for sample in prometheus.query(f"count by (name) ({named})")}


def has_data(samples: list[dict[str, Any]]) -> bool:
    return any(math.isfinite(float(sample["value"][1])) for sample in samples)


def test_every_query_returns_data(
    prometheus: PrometheusServer, go_on: Callable[[], None], expressions: list[str]
) -> None:
    deadline = time.monotonic() + 120  # rates take two scrapes
    missing = expressions
    while missing and time.monotonic() < deadline:
        go_on()
        missing = [
            expression for expression in missing if not has_data(prometheus.query(expression))
        ]
    assert not missing


def test_a_query_without_data_is_seen(prometheus: PrometheusServer) -> None:
    assert not has_data(prometheus.query("inkstream_no_such_metric"))


def test_every_metric_of_the_rules_is_one_of_the_servers(
    prometheus: PrometheusServer, go_on: Callable[[], None], root: Path
) -> None:
    """An alert on a name that nobody has would be silent for ever."""
    text = (root / "deploy/monitoring/alerts.yaml").read_text()
    for either, names in re.findall(r"(\w+)_\((\w+(?:\|\w+)+)\)_total", text):
        text += "".join(f" {either}_{name}_total" for name in names.split("|"))
    used = set(re.findall(r"(?<![\w:-])(?:inkstream|process)_[a-z_]+[a-z](?![\w(:])", text))
    assert len(used) > 12
    deadline = time.monotonic() + 60
    while missing := used - names_in(prometheus):
        assert time.monotonic() < deadline, missing
        go_on()


def test_every_rule_is_evaluated(prometheus: PrometheusServer) -> None:
    deadline = time.monotonic() + 60
    while True:
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        health = {rule["name"]: rule["health"] for rule in rules}
        if "unknown" not in health.values() or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert set(health.values()) == {"ok"}, health


def test_the_share_of_waiting_for_the_server_adds_up(
    prometheus: PrometheusServer, go_on: Callable[[], None]
) -> None:
    """Of the states that alerts and autoscaling call the server's, none is misspelt."""
    states = 'dataset_state:inkstream_stream_seconds:share5m{state!~"opening|client|network"}'
    difference = f"dataset:inkstream_wait_for_server:share5m - sum by (job, dataset) ({states})"
    deadline = time.monotonic() + 60
    samples: list[dict[str, Any]] = []
    while not samples and time.monotonic() < deadline:
        go_on()
        samples = prometheus.query(difference)
    (sample,) = samples
    assert abs(float(sample["value"][1])) < 1e-9
    (whole,) = prometheus.query("sum(dataset_state:inkstream_stream_seconds:share5m)")
    assert float(whole["value"][1]) == pytest.approx(1)


def test_the_panels_are_those_that_grafana_shows(dashboard: dict[str, Any]) -> None:
    """Each has a place of its own, and the first row says who waits for whom."""
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert panels[0]["title"] == "Who waits for whom"
    row = panels[1 : [panel["type"] for panel in panels].index("row", 1)]
    shown = " ".join(target["expr"] for panel in row for target in panel["targets"])
    for name in ("stream_seconds_total", "drawings_sent_total", "streams", "rejected_total"):
        assert f"inkstream_{name}{{" in shown, name
    assert "inkstream_store_info{" in shown
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_the_configuration_for_compose_is_one(root: Path, prometheus_tools: Path) -> None:
    done = subprocess.run(
        [
            str(prometheus_tools / "promtool"),
            "check",
            "config",
            str(root / "deploy/monitoring/prometheus.yaml"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
