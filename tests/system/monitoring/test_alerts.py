"""deploy/monitoring/alerts.yaml: each alert fires where it must and is silent next to it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

A = 'job="inkstream", instance="a:9101"'
B = 'job="inkstream", instance="b:9101"'
AT_A = {"job": "inkstream", "instance": "a:9101"}
ALL_STATES = ("opening", "client", "network", "memory", "queue", "disk", "decode", "draw", "pack")


def seconds_in(**seconds_a_minute: int) -> dict[str, str]:
    """Where a stream's life goes: series that grow by these seconds a minute in each state."""
    return {
        f'inkstream_stream_seconds_total{{{A}, dataset="d", state="{state}"}}': (
            f"0+{seconds_a_minute.get(state, 0)}x200"
        )
        for state in ALL_STATES
    }


def always(*numbers: tuple[str, float]) -> dict[str, str]:
    return {series: f"{number}x200" for series, number in numbers}


@dataclass
class Case:
    """Series (one value a minute) with which an alert fires `at` that minute, and nearly does."""

    fires: dict[str, str]
    silent: dict[str, str]
    at: int
    labels: dict[str, str]
    summary: str


DAY = 86_400  # seconds
EXPIRY = f'inkstream_tls_expiry_timestamp_seconds{{{A}, certificate="server"}}'
OF_D = {"job": "inkstream", "dataset": "d"}
USED, LIMIT = (
    f'inkstream_budget_bytes{{{A}, kind="batch", what="{what}"}}' for what in ("used", "limit")
)
ENDS = f'inkstream_stream_ends_total{{{A}, code="DATA_LOSS", reason="ERROR"}}'
CALLS = f'inkstream_calls_total{{{A}, method="FetchDrawings", code="DATA_LOSS"}}'
INFO = 'inkstream_store_info{{{}, dataset="d", generation="{}", fingerprint="{}"}}'

CASES = {
    "InkstreamAllDown": Case(
        always((f"up{{{A}}}", 0), (f"up{{{B}}}", 0)),
        always((f"up{{{A}}}", 0), (f"up{{{B}}}", 1)),
        2,
        {},
        "No Inkstream server answers; training stands still.",
    ),
    "InkstreamDown": Case(
        always((f"up{{{A}}}", 0), (f"up{{{B}}}", 1)),
        {f"up{{{A}}}": "1 0 1x100"},
        3,
        AT_A,
        "The server a:9101 does not answer; its streams went on elsewhere.",
    ),
    "InkstreamNotReady": Case(
        always((f"inkstream_ready{{{A}}}", 0), (f"inkstream_draining{{{A}}}", 0)),
        always((f"inkstream_ready{{{A}}}", 0), (f"inkstream_draining{{{A}}}", 1)),
        11,
        AT_A,
        "The server a:9101 runs and has not been ready for 10 minutes.",
    ),
    "InkstreamRestartLoop": Case(
        {f"process_start_time_seconds{{{A}}}": "100x5 400x5 700x5 1000x5"},
        {f"process_start_time_seconds{{{A}}}": "100x5 400x5 700x15"},
        20,
        AT_A,
        "The server a:9101 has started 3 times in 30 minutes.",
    ),
    "InkstreamStarving": Case(
        seconds_in(draw=30, queue=10, client=20),
        seconds_in(draw=12, client=24, network=24),
        30,
        OF_D,
        "Trainers on d wait for the server for 66.67% of their time.",
    ),
    "InkstreamNetworkBound": Case(
        seconds_in(network=45, client=15),
        seconds_in(network=24, client=36),
        30,
        OF_D | {"state": "network"},
        "Streams of d wait for the network for 75% of their time.",
    ),
    "InkstreamTrainerBound": Case(
        seconds_in(client=59, draw=1),
        seconds_in(client=54, draw=6),
        150,
        OF_D | {"state": "client"},
        "Streams of d wait for their trainers; fewer servers would do.",
    ),
    "InkstreamColdStore": Case(
        seconds_in(disk=15, client=45),
        seconds_in(disk=3, client=57),
        30,
        OF_D | {"state": "disk"},
        "Streams of d wait for the store's disk for 25% of their time.",
    ),
    "InkstreamOverloaded": Case(
        {f'inkstream_rejected_total{{{A}, reason="OVERLOADED"}}': "0+1x30"},
        {
            f'inkstream_rejected_total{{{A}, reason="DRAIN"}}': "0+1x30",
            f'inkstream_rejected_total{{{A}, reason="OVERLOADED"}}': "7x30",
        },
        10,
        AT_A | {"reason": "OVERLOADED"},
        "The server a:9101 refuses streams and calls as OVERLOADED.",
    ),
    "InkstreamBudgetAbove90": Case(
        always((USED, 95), (LIMIT, 100)),
        always((USED, 89), (LIMIT, 100)),
        11,
        AT_A | {"kind": "batch"},
        "The server a:9101 has used 95% of its batch memory.",
    ),
    "InkstreamDescriptorsShort": Case(
        always((f"process_open_fds{{{A}}}", 900), (f"process_max_fds{{{A}}}", 1000)),
        always((f"process_open_fds{{{A}}}", 700), (f"process_max_fds{{{A}}}", 1000)),
        6,
        AT_A,
        "The server a:9101 has 90% of its descriptors open.",
    ),
    "InkstreamCertExpires": Case(
        always((EXPIRY, 13 * DAY + 60)),
        always((EXPIRY, 15 * DAY)),
        1,
        AT_A | {"certificate": "server"},
        "The certificate server of a:9101 expires in 13d 0h 0m 0s.",
    ),
    "InkstreamCertExpiresSoon": Case(
        always((EXPIRY, DAY + 60)),
        always((EXPIRY, 3 * DAY)),
        1,
        AT_A | {"certificate": "server"},
        "The certificate server of a:9101 expires in 1d 0h 0m 0s.",
    ),
    "InkstreamReloadFailed": Case(
        always((f'inkstream_reload_ok{{{A}, files="tls"}}', 0)),
        always((f'inkstream_reload_ok{{{A}, files="tls"}}', 1)),
        6,
        AT_A | {"files": "tls"},
        "What replaced the files of tls on a:9101 is no good; the old is in use.",
    ),
    "InkstreamAuthFailures": Case(
        {CALLS.replace("DATA_LOSS", "UNAUTHENTICATED"): "0+1200x30"},
        {CALLS.replace("DATA_LOSS", "UNAUTHENTICATED"): "0+300x30"},
        15,
        AT_A,
        "The server a:9101 refuses 20 calls a second without a right token.",
    ),
    "InkstreamCorruptRecord": Case(
        {ENDS: "_x5 1x30"},  # the first one, on a counter that was not there before
        {ENDS: "1x60", CALLS.replace("DATA_LOSS", "NOT_FOUND"): "0+1x60"},
        10,
        AT_A,
        "The server a:9101 has met records that are damaged.",
    ),
    "InkstreamStoreLost": Case(
        always((f'inkstream_dataset_intact{{{A}, dataset="d"}}', 0)),
        always((f'inkstream_dataset_intact{{{A}, dataset="d"}}', 1)),
        1,
        AT_A | {"dataset": "d"},
        "A file of d cannot be read on a:9101, which does not serve it.",
    ),
    "InkstreamStoreDamaged": Case(
        always((f'inkstream_scrub_damaged_blocks{{{A}, dataset="d"}}', 3)),
        always((f'inkstream_scrub_damaged_blocks{{{A}, dataset="d"}}', 0)),
        1,
        AT_A | {"dataset": "d"},
        "The scrub has found 3 damaged blocks of d on a:9101.",
    ),
    "InkstreamMixedGenerations": Case(
        always((INFO.format(A, 1, "aa"), 1), (INFO.format(B, 2, "bb"), 1)),
        always((INFO.format(A, 1, "aa"), 1), (INFO.format(B, 2, "bb"), 1)),
        61,
        OF_D,
        "Servers have 2 contents under the name d.",
    ),
    "InkstreamSuccessorRefused": Case(
        always((f'inkstream_dataset_successor_refused{{{A}, dataset="d"}}', 1)),
        always((f'inkstream_dataset_successor_refused{{{A}, dataset="d"}}', 0)),
        6,
        AT_A | {"dataset": "d"},
        "What stands at the path of d on a:9101 is not served.",
    ),
    "InkstreamDuplicateStreams": Case(
        always((f"inkstream_duplicate_streams{{{A}}}", 2)),
        {f"inkstream_duplicate_streams{{{A}}}": "2x5 0x30"},  # a stream that took over from another
        11,
        AT_A,
        "Streams on a:9101 get the same batches, as ranks do that all believe to be rank 0.",
    ),
}
# Cases that are silent at another time than `at`, or fire for another reason too.
SILENT_AT = {"InkstreamCorruptRecord": 40, "InkstreamMixedGenerations": 55}
ALSO_FIRES: dict[str, dict[str, str]] = {
    "InkstreamCorruptRecord": {CALLS: "3x5 4x30"},
    # At the page.
    "InkstreamAuthFailures": {
        f'inkstream_calls_total{{{A}, method="page", code="UNAUTHENTICATED"}}': "0+1200x30"
    },
}


@pytest.fixture(scope="module")
def alerts(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    groups = yaml.safe_load((root / "deploy/monitoring/alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_every_alert_is_tested(alerts: dict[str, object]) -> None:
    assert set(alerts) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_where_it_must_and_is_silent_next_to_it(
    name: str,
    alerts: dict[str, dict[str, dict[str, str]]],
    root: Path,
    prometheus_tools: Path,
    tmp_path: Path,
) -> None:
    case, rule = CASES[name], alerts[name]
    fired = {
        "exp_labels": case.labels | rule["labels"],
        "exp_annotations": {"summary": case.summary, "runbook": rule["annotations"]["runbook"]},
    }

    def group(series: dict[str, str], at: int, expected: list[object]) -> dict[str, object]:
        return {
            "interval": "1m",
            "input_series": [{"series": key, "values": value} for key, value in series.items()],
            "alert_rule_test": [{"eval_time": f"{at}m", "alertname": name, "exp_alerts": expected}],
        }

    silent_at = SILENT_AT.get(name, case.at)
    tests = [group(case.fires, case.at, [fired]), group(case.silent, silent_at, [])]
    if name in ALSO_FIRES:
        tests.append(group(ALSO_FIRES[name], case.at, [fired]))
    file = tmp_path / "test.yaml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [str(root / "deploy/monitoring/alerts.yaml")], "tests": tests}
        )
    )
    done = subprocess.run(
        [str(prometheus_tools / "promtool"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_an_entry_of_the_runbook(
    alerts: dict[str, dict[str, dict[str, str]]], root: Path
) -> None:
    """Under a heading of its own: what to see, decide, do, and how to verify that it helped."""
    text = (root / "deploy/RUNBOOK.md").read_text()
    entries = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    for name, rule in alerts.items():
        assert rule["annotations"]["runbook"] == f"RUNBOOK.md#{name.lower()}"
        assert name in entries
        for part in ("See", "Decide", "Do", "Verify"):
            assert f"**{part}**" in entries[name], (name, part)
    assert {name for name in entries if name.startswith("Inkstream")} == set(alerts)
