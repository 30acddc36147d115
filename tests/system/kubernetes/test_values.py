"""What the chart refuses, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from chart import CHART, CLAIM, COPY, INGEST, VALUE_SETS, Object, template

RWO = {"name": "d", "claim": {"name": "c", "path": "p", "accessMode": "ReadWriteOnce"}}

REFUSED: dict[str, tuple[Object, str]] = {
    "nothing to serve": ({}, "/stores"),
    "an unknown name": ({"stores": [CLAIM], "replica": 3}, "replica"),
    "an unknown name within": ({"stores": [CLAIM], "drain": {"dely": 3}}, "dely"),
    "a store of two sources": ({"stores": [CLAIM | COPY]}, "/stores/0"),
    "a store without a source": ({"stores": [{"name": "d"}]}, "/stores/0"),
    "a path out of the claim": (
        {"stores": [{"name": "d", "claim": CLAIM["claim"] | {"path": "../x"}}]},  # type: ignore[operator]
        "path",
    ),
    "two replicas of a claim for one node": ({"stores": [RWO], "replicas": 2}, "/replicas"),
    "autoscaling of a claim for one node": (
        {"stores": [RWO], "replicas": 1, "autoscaling": {"kind": "hpa"}},
        "/autoscaling/kind",
    ),
    "autoscaling on something else": (
        {"stores": [CLAIM], "autoscaling": {"kind": "memory"}},
        "/autoscaling/kind",
    ),
    "keda without Prometheus": (
        {"stores": [CLAIM], "autoscaling": {"kind": "keda"}},
        "/autoscaling/prometheus",
    ),
    "a share of more than all": (
        {"stores": [CLAIM], "autoscaling": {"kind": "hpa", "target": 20}},
        "/autoscaling/target",
    ),
    "plaintext for everybody": (
        {"stores": [CLAIM], "clients": {"podLabel": ""}},
        "/clients/podLabel",
    ),
    "a flag that the chart sets": (
        {"stores": [CLAIM], "extraArgs": ["--listen=0.0.0.0:1"]},
        "/extraArgs/0",
    ),
    "tokens in plaintext": (
        {"stores": [CLAIM], "tokens": {"secret": "tokens"}},
        "/tls/secret",
    ),
    "clients' certificates without the server's": (
        {"stores": [CLAIM], "tls": {"clientCertificates": True}},
        "/tls/secret",
    ),
    "a certificate by the back door": (
        {"stores": [CLAIM], "extraArgs": ["--tls-cert=/x"]},
        "/extraArgs/0",
    ),
    "a budget that evicts nobody": (
        {"stores": [CLAIM], "disruption": {"maxUnavailable": 0}},
        "/disruption/maxUnavailable",
    ),
    "a shard of its own": (
        {"stores": [], "ingest": INGEST | {"args": ["--shard=0/2"]}},
        "/ingest",
    ),
    "no shards": ({"stores": [], "ingest": INGEST | {"shards": 0}}, "/ingest"),
}


def merged(base: Object, over: Object) -> Object:
    """As helm lays values over values.yaml."""
    made = dict(base)
    for key, value in over.items():
        old = made.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        made[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return made


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    text = (CHART / "values.schema.json").read_text()
    return jsonschema.Draft7Validator(json.loads(text))


@pytest.fixture(scope="module")
def defaults() -> Object:
    read: Object = yaml.safe_load((CHART / "values.yaml").read_text())
    return read


@pytest.mark.parametrize("what", REFUSED)
def test_a_contradiction_is_refused_where_it_is(
    schema: jsonschema.Draft7Validator, defaults: Object, what: str
) -> None:
    values, named = REFUSED[what]
    errors = list(schema.iter_errors(merged(defaults, values)))
    told = []
    while errors:
        error = errors.pop()
        told.append("/" + "/".join(map(str, error.absolute_path)) + " " + error.message)
        errors += error.context or []
    assert any(named in line for line in told), told


@pytest.mark.parametrize("name", VALUE_SETS)
def test_what_makes_sense_is_taken(
    schema: jsonschema.Draft7Validator, defaults: Object, name: str
) -> None:
    schema.validate(merged(defaults, VALUE_SETS[name]))


def test_helm_says_what_is_wrong(helm: Path) -> None:
    done = template(helm, {"stores": [CLAIM], "drain": {"dely": 3}})
    assert done.returncode != 0
    assert "/drain" in done.stderr and "dely" in done.stderr


def test_fewer_at_most_than_at_least_are_refused(helm: Path) -> None:
    scaling = {"kind": "hpa", "min": 5, "max": 4}
    done = template(helm, {"stores": [CLAIM], "autoscaling": scaling})
    assert done.returncode != 0
    assert "autoscaling.min is 5 and autoscaling.max 4" in done.stderr
