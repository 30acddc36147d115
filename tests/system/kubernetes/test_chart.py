"""What the chart renders: objects that the API server knows, and what they promise."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from chart import (
    CHART,
    COPY,
    CUSTOM,
    NAME,
    ROOT,
    VALUE_SETS,
    Object,
    containers_of,
    one,
    pod_of,
    render,
    run_helm,
    validate,
    write_schemas,
)


@pytest.fixture(scope="module")
def rendered(helm: Path) -> dict[str, list[Object]]:
    return {name: render(helm, values) for name, values in VALUE_SETS.items()}


@pytest.fixture(params=VALUE_SETS)
def objects(rendered: dict[str, list[Object]], request: pytest.FixtureRequest) -> list[Object]:
    return rendered[request.param]


def test_helm_lints_it(helm: Path) -> None:
    done = run_helm(helm, "lint", "--strict", str(CHART), values=VALUE_SETS["all sources"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_objects_are_what_the_api_server_knows(objects: list[Object]) -> None:
    assert objects
    for made in objects:
        validate(made)


def test_kubeconform_finds_nothing_in_them_and_something_in_a_wrong_one(
    kubeconform: Path, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    flags = ["-strict", "-summary", "-schema-location", write_schemas(tmp_path)]
    flags += ["-skip", ",".join(sorted(CUSTOM))]

    def check(objects: list[Object]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(kubeconform), *flags],
            input=yaml.safe_dump_all(objects),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    every = [made for objects in rendered.values() for made in objects]
    done = check(every)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Summary: {len(every)} resources found" in done.stdout
    made = one(rendered["claim"], "Deployment")
    done = check([made | {"spec": made["spec"] | {"replicasX": 2}}])
    assert done.returncode == 1
    assert "replicasX" in done.stdout


def test_a_field_that_does_not_exist_is_seen(rendered: dict[str, list[Object]]) -> None:
    made = one(rendered["claim"], "Deployment")
    for wrong in (
        made | {"spec": made["spec"] | {"replicasX": 2}},
        made | {"spec": made["spec"] | {"replicas": "2"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong)


def test_every_pod_is_restricted(objects: list[Object]) -> None:
    """As PodSecurity's level `restricted` asks, and with nothing of the cluster in it."""
    pods = [pod for pod in map(pod_of, objects) if pod]
    assert pods
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["serviceAccountName"] == NAME
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not any("hostPath" in volume for volume in pod["volumes"])
        for container in containers_of(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            resources = container["resources"]
            assert resources["requests"] == resources["limits"]
            assert set(resources["limits"]) == {"cpu", "memory"}
    assert one(objects, "ServiceAccount")["automountServiceAccountToken"] is False


def test_every_mount_is_of_a_volume_and_stores_are_read_only(objects: list[Object]) -> None:
    for pod in filter(None, map(pod_of, objects)):
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounted = set()
        for container in containers_of(pod):
            for mount in container["volumeMounts"]:
                mounted.add(mount["name"])
                if container["name"] == "server" or mount["mountPath"] == "/from":
                    assert mount["readOnly"] is True
        assert mounted == volumes


def test_selectors_match_the_servers_and_nothing_else(objects: list[Object]) -> None:
    deployments = [made for made in objects if made["kind"] == "Deployment"]
    for deployment in deployments:
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels.items()
        assert one(objects, "Service")["spec"]["selector"] == selector
        assert one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == selector
        assert one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == selector
        for spread in pod_of(deployment)["topologySpreadConstraints"]:  # type: ignore[index]
            assert spread["labelSelector"]["matchLabels"] == selector
        for job in (made for made in objects if made["kind"] == "Job"):
            assert not selector.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_clients_are_sent_to_ready_pods_each_by_its_address(
    rendered: dict[str, list[Object]],
) -> None:
    service = one(rendered["claim"], "Service")["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is False
    pod = pod_of(one(rendered["claim"], "Deployment"))
    assert pod is not None
    (server,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert [port["targetPort"] for port in service["ports"]] == ["grpc"]
    assert f"--listen=0.0.0.0:{ports['grpc']}" in server["args"]
    assert f"--http=0.0.0.0:{ports['http']}" in server["args"]
    assert server["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert server["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}


@pytest.mark.parametrize(("name", "seconds"), [("claim", 5 + 5 + 20), ("placed", 10 + 30 + 60)])
def test_a_pod_is_left_the_time_to_drain(
    rendered: dict[str, list[Object]], name: str, seconds: int
) -> None:
    deployment = one(rendered[name], "Deployment")
    pod = pod_of(deployment)
    assert pod is not None
    assert pod["terminationGracePeriodSeconds"] == seconds + 5
    flags = dict(
        flag.removeprefix("--").split("=", 1)
        for flag in pod["containers"][0]["args"]
        if "=" in flag
    )
    assert sum(int(flags[f]) for f in ("drain-delay", "drain-spread", "grace")) == seconds
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_only_labelled_pods_and_the_scraper_get_in(rendered: dict[str, list[Object]]) -> None:
    policy = one(rendered["claim"], "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy
    grpc, http = policy["ingress"]
    assert grpc == {
        "ports": [{"port": "grpc"}],
        "from": [{"podSelector": {"matchLabels": {"inkstream-client": "true"}}}],
    }
    assert http["ports"] == [{"port": "http"}]
    assert http["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }
    (placed,) = one(rendered["placed"], "NetworkPolicy")["spec"]["ingress"][0]["from"]
    assert placed["podSelector"] == {"matchLabels": {"team": "vision"}}
    assert placed["namespaceSelector"]["matchExpressions"][0]["values"] == ["training", "research"]
    # What copies a store may have to reach where it is.
    assert one(rendered["copy"], "NetworkPolicy")["spec"]["policyTypes"] == ["Ingress"]


def test_a_copy_is_verified_before_it_is_served(rendered: dict[str, list[Object]]) -> None:
    pod = pod_of(one(rendered["copy"], "Deployment"))
    assert pod is not None
    copy, verify = pod["initContainers"]
    assert copy["command"] == COPY["copy"]["command"]  # type: ignore[index]
    assert verify["args"] == ["verify", "/stores/copied"]
    assert {m["mountPath"] for m in verify["volumeMounts"]} == {"/stores"}


@pytest.mark.parametrize("kind", ["hpa", "keda"])
def test_replicas_follow_the_time_that_trainers_wait(
    rendered: dict[str, list[Object]], root: Path, kind: str
) -> None:
    assert "replicas" not in one(rendered[kind], "Deployment")["spec"]
    rules = yaml.safe_load((root / "deploy/monitoring/alerts.yaml").read_text())
    recorded = {rule.get("record") for group in rules["groups"] for rule in group["rules"]}
    if kind == "hpa":
        scaler = one(rendered[kind], "HorizontalPodAutoscaler")["spec"]
        (metric,) = scaler["metrics"]
        assert metric["external"]["target"] == {"type": "Value", "value": "150m"}
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
        assert scaler["scaleTargetRef"]["name"] == NAME
    else:
        scaler = one(rendered[kind], "ScaledObject")["spec"]
        (trigger,) = scaler["triggers"]
        query = trigger["metadata"]["query"]
        assert query.removeprefix("max(").removesuffix(")") in recorded
        assert trigger["metadata"]["threshold"] == "0.2"


def test_what_is_watched_is_what_the_repository_has(rendered: dict[str, list[Object]]) -> None:
    objects = rendered["monitoring"]
    rules = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())
    assert one(objects, "PrometheusRule")["spec"] == rules
    dashboard = (ROOT / "deploy/monitoring/dashboard.json").read_text()
    found = one(objects, "ConfigMap", f"{NAME}-dashboard")
    assert found["data"] == {"inkstream.json": dashboard}
    assert found["metadata"]["labels"]["release"] == "prometheus"
    monitor = one(objects, "PodMonitor")["spec"]
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["jobLabel"]] == "inkstream"  # the job of all rules


def test_the_example_job_is_one_too() -> None:
    objects: list[Any] = list(
        yaml.safe_load_all((ROOT / "deploy/helm/pytorch-job.yaml").read_text())
    )
    for made in objects:
        validate(made)
    job = one(objects, "Job", "train")
    assert job["spec"]["template"]["metadata"]["labels"]["inkstream-client"] == "true"


@pytest.mark.parametrize("name", ["claim", "certificates", "certificates and tokens"])
def test_secrets_are_folders_that_the_server_reads(
    rendered: dict[str, list[Object]], name: str
) -> None:
    """Folders: kubelet swaps those, and never what is mounted by a subPath."""
    deployment, service = (one(rendered[name], kind) for kind in ("Deployment", "Service"))
    pod = pod_of(deployment)
    assert pod is not None
    (server,) = pod["containers"]
    secrets = {
        volume["name"]: volume["secret"]["secretName"]
        for volume in pod["volumes"]
        if "secret" in volume
    }
    mounts = {mount["name"]: mount for mount in server["volumeMounts"] if mount["name"] in secrets}
    files = [arg.split("=")[1] for arg in server["args"] if arg.startswith(("--tls", "--tokens"))]
    assert secrets.keys() == mounts.keys()
    assert all("subPath" not in mount and mount["readOnly"] for mount in mounts.values())
    # Nothing of a Secret's content is in the pod's template, so no new one restarts a pod.
    assert "annotations" not in deployment["spec"]["template"]["metadata"]
    folders = {mount["mountPath"] for mount in mounts.values()}
    assert {file.rsplit("/", 1)[0] for file in files} == folders
    assert len(files) == {"claim": 0, "certificates": 3, "certificates and tokens": 3}[name]
    expected = "kubernetes.io/h2c" if name == "claim" else "https"
    assert service["spec"]["ports"][0]["appProtocol"] == expected
