"""The Helm chart as a test renders it, and what the API server's schemas say of objects."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy/helm/inkstream"
# Of operators, which the API server alone knows nothing of.
CUSTOM = {"PodMonitor", "PrometheusRule", "ScaledObject"}

Object = dict[str, Any]

NAME = "ink-inkstream"  # of all that a release called ink has

CLAIM = {
    "name": "quickdraw",
    "claim": {"name": "drawings", "path": "drawings.ink", "accessMode": "ReadOnlyMany"},
}
IMAGE = {"name": "pages", "image": {"reference": "registry/pages:1", "path": "pages.ink"}}
COPY = {
    "name": "copied",
    "copy": {
        "claim": "drawings",
        "command": ["cp", "-r", "/from/drawings.ink", "/stores/copied"],
        "size": "8Gi",
    },
}
INGEST = {
    "from": {"claim": "raw", "inputs": ["/from/drawings.ndjson"]},
    "into": {"claim": "drawings", "store": "drawings.ink"},
    "shards": 3,
    "args": ["--split", "train=0.9,valid=0.1"],
    "resources": {"cpu": "2", "memory": "2Gi"},
}
# What is rendered in every run.
VALUE_SETS: dict[str, Object] = {
    "claim": {"stores": [CLAIM]},
    "image volume": {"stores": [IMAGE], "preload": True},
    "copy": {"stores": [COPY]},
    "all sources": {"stores": [CLAIM, IMAGE, COPY], "extraArgs": ["--max-streams=64"]},
    "one node": {
        "stores": [CLAIM | {"claim": CLAIM["claim"] | {"accessMode": "ReadWriteOnce"}}],  # type: ignore[operator]
        "replicas": 1,
    },
    "hpa": {"stores": [CLAIM], "autoscaling": {"kind": "hpa", "target": 0.15}},
    "keda": {
        "stores": [CLAIM],
        "autoscaling": {"kind": "keda", "prometheus": "http://prometheus.monitoring:9090"},
    },
    "monitoring": {
        "stores": [CLAIM],
        "monitoring": {
            "podMonitor": True,
            "rules": True,
            "dashboard": True,
            "labels": {"release": "prometheus"},
        },
    },
    "placed": {
        "stores": [CLAIM],
        "clients": {"namespaces": ["training", "research"], "podLabel": "team=vision"},
        "nodeSelector": {"pool": "cpu"},
        "tolerations": [{"key": "pool", "operator": "Exists"}],
        "image": {"repository": "registry/inkstream", "tag": "1.2.3", "pullSecrets": ["registry"]},
        "drain": {"delay": 10, "spread": 30, "grace": 60},
    },
    "certificates": {
        "stores": [CLAIM],
        "tls": {"secret": "inkstream-tls", "clientCertificates": True},
    },
    "certificates and tokens": {
        "stores": [CLAIM],
        "tls": {"secret": "inkstream-tls"},
        "tokens": {"secret": "inkstream-tokens"},
    },
    "ingest alone": {"stores": [], "ingest": INGEST},
    "ingest and serve": {"stores": [CLAIM], "ingest": INGEST},
}


def run_helm(helm: Path, *arguments: str, values: Object) -> subprocess.CompletedProcess[str]:
    """With the values on standard input."""
    return subprocess.run(
        [str(helm), *arguments, "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def template(helm: Path, values: Object) -> subprocess.CompletedProcess[str]:
    return run_helm(helm, "template", "ink", str(CHART), "--kube-version=1.34.0", values=values)


def render(helm: Path, values: Object) -> list[Object]:
    done = template(helm, values)
    assert done.returncode == 0, done.stderr
    return [made for made in yaml.safe_load_all(done.stdout) if made]


@cache
def validator_of(kind: str) -> jsonschema.Draft7Validator:
    """Of "group/version Kind"."""
    read = json.loads(Path(__file__).with_name("schemas.json").read_text())
    reference = {"$ref": f"#/definitions/{read['kinds'][kind]}"}
    return jsonschema.Draft7Validator(reference | {"definitions": read["definitions"]})


def write_schemas(folder: Path) -> str:
    """A file for each kind, as kubeconform looks for them; answers how they are called."""
    read = json.loads(Path(__file__).with_name("schemas.json").read_text())
    for kind, definition in read["kinds"].items():
        version, name = kind.split()
        suffix = version.split("/")[0].split(".")[0] + "-" + version.split("/")[-1]
        file = folder / f"{name.lower()}-{suffix if '/' in version else version}.json"
        reference = {"$ref": f"#/definitions/{definition}"}
        file.write_text(json.dumps(reference | {"definitions": read["definitions"]}))
    return f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"


def validate(made: Object) -> None:
    """Raises jsonschema.ValidationError, also for a field that the type does not have."""
    if made["kind"] in CUSTOM:
        return
    for error in validator_of(f"{made['apiVersion']} {made['kind']}").iter_errors(made):
        raise error


def pod_of(made: Object) -> Object | None:
    """The pod's specification in a Deployment or a Job."""
    spec: Object | None = made.get("spec", {}).get("template", {}).get("spec")
    return spec


def containers_of(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def one(objects: list[Object], kind: str, name: str = NAME) -> Object:
    found = [made for made in objects if made["kind"] == kind and made["metadata"]["name"] == name]
    assert len(found) == 1, [(made["kind"], made["metadata"]["name"]) for made in objects]
    return found[0]
