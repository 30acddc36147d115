"""The chart and the runbook's commands against a real kube-apiserver: KUBERNETES=1 runs these."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_server import ApiServer
from chart import CHART, CLAIM, ROOT, VALUE_SETS, Object, one, pod_of, render

pytestmark = [
    pytest.mark.skipif("KUBERNETES" not in os.environ, reason="KUBERNETES=1 runs it"),
    pytest.mark.timeout(3600),  # the API server may have to be built
]

NAMESPACE = "inkstream-test"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
Helm = Callable[..., str]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """With a namespace that PodSecurity holds to `restricted`."""
    done = subprocess.run(
        [str(ROOT / "tests/install_apiserver.sh")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=3000,
    )
    with ApiServer(Path(done.stdout.strip()), tmp_path_factory.mktemp("api")) as running:
        running.wait_until_ready()
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        namespace = {"metadata": {"name": NAMESPACE, "labels": labels}}
        assert running.ask("POST", "/api/v1/namespaces", namespace)[0] == 201
        yield running


@pytest.fixture
def run_helm(helm: Path, api: ApiServer) -> Helm:
    def run(*arguments: str, values: Object | None = None) -> str:
        given = ["--values", "-"] if values is not None else []
        done = subprocess.run(
            [str(helm), *arguments, "--namespace", NAMESPACE, *given],
            input=json.dumps(values),
            env=os.environ | {"KUBECONFIG": str(api.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


# The others need kinds of operators that are not here.
@pytest.mark.parametrize(
    "name", [name for name in VALUE_SETS if name not in ("keda", "monitoring")]
)
def test_the_server_takes_all_objects(api: ApiServer, run_helm: Helm, name: str) -> None:
    run_helm("install", "ink", str(CHART), values=VALUE_SETS[name])
    try:
        made = list(yaml.safe_load_all(run_helm("get", "manifest", "ink")))
        assert made
        if VALUE_SETS[name]["stores"]:
            path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/ink-inkstream"
            assert api.ask("GET", path)[0] == 200
    finally:
        run_helm("uninstall", "ink")


@pytest.mark.parametrize("name", VALUE_SETS)
def test_pods_pass_pod_security(api: ApiServer, helm: Path, name: str) -> None:
    """Asked of each pod itself: of a Deployment it is only a warning."""
    for made in render(helm, VALUE_SETS[name]):
        spec = pod_of(made)
        if spec is None:
            continue
        spec.setdefault("restartPolicy", "Always")
        pod: dict[str, Any] = {"metadata": {"name": "asked"}, "spec": spec}
        status, answer = api.ask("POST", f"{PODS}?dryRun=All", pod)
        assert status == 201, answer["message"]


def test_a_path_of_the_host_is_refused(api: ApiServer, helm: Path) -> None:
    spec = copy.deepcopy(pod_of(one(render(helm, VALUE_SETS["claim"]), "Deployment")))
    assert spec is not None
    spec["volumes"].append({"name": "sockets", "hostPath": {"path": "/run/inkstream"}})
    status, answer = api.ask(
        "POST", f"{PODS}?dryRun=All", {"metadata": {"name": "asked"}, "spec": spec}
    )
    assert status == 403
    assert "hostPath" in answer["message"]


def test_the_example_job_is_taken(api: ApiServer) -> None:
    made = list(yaml.safe_load_all((ROOT / "deploy/helm/pytorch-job.yaml").read_text()))
    spec = pod_of(one(made, "Job", "train"))
    status, answer = api.ask(
        "POST", f"{PODS}?dryRun=All", {"metadata": {"name": "asked"}, "spec": spec}
    )
    assert status == 201, answer["message"]


def test_install_upgrade_and_rollback_as_the_runbook_says(
    api: ApiServer, run_helm: Helm, helm: Path
) -> None:
    run_helm("install", "inkstream", str(CHART), values={"stores": [CLAIM]})
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/inkstream"

    def image() -> str:
        status, answer = api.ask("GET", path)
        assert status == 200
        found: str = answer["spec"]["template"]["spec"]["containers"][0]["image"]
        return found

    first = image()
    text = (ROOT / "deploy/RUNBOOK.md").read_text()
    blocks = re.findall(r"^```sh kubernetes\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    images = []
    for block in blocks:
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=ROOT,
            env=os.environ
            | {
                "KUBECONFIG": str(api.kubeconfig),
                "HELM_NAMESPACE": NAMESPACE,
                "PATH": f"{helm.parent}:{os.environ['PATH']}",
                "TAG": "9.9.9",
            },
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=120,
        )
        images.append(image())
    assert images[0].endswith(":9.9.9")
    assert images[1] == first
    run_helm("uninstall", "inkstream")
