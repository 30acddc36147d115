"""The command lines that the chart and the example job give, run with the real binary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from chart import COPY, INGEST, ROOT, Object, containers_of, one, pod_of, render
from serving import RunningServer

Run = Callable[..., CompletedProcess[str]]


def moved(words: list[str], places: dict[str, Path], index: int = 0) -> list[str]:
    """With the folders of a container in a test's own."""
    made = []
    for word in words:
        word = word.replace("$(INDEX)", str(index))
        for inside, outside in places.items():
            word = word.replace(inside, str(outside))
        made.append(word)
    return made


def test_shards_are_ingested_waited_for_and_merged(
    helm: Path, inkstream: Run, binary: Path, drawings_file: Path, tmp_path: Path
) -> None:
    """What comes of it is what one ingest makes, and nothing depends on which Job is first."""
    objects = render(helm, {"stores": [], "ingest": INGEST})
    jobs = [made for made in objects if made["kind"] == "Job"]
    merge_job = next(job for job in jobs if job["metadata"]["name"].endswith("-merge"))
    (ingest_job,) = (job for job in jobs if job is not merge_job)
    assert ingest_job["spec"]["completions"] == INGEST["shards"]
    places = {"/from": drawings_file.parent, "/into": tmp_path}
    merge_pod = pod_of(merge_job)
    assert merge_pod is not None
    wait, merge = containers_of(merge_pod)
    with subprocess.Popen(moved([*wait["command"], *wait["args"]], places)) as waiting:
        for index in reversed(range(ingest_job["spec"]["completions"])):
            assert waiting.poll() is None
            (shard,) = pod_of(ingest_job)["containers"]  # type: ignore[index]
            for _ in range(2):  # a pod that is started again finds what it made
                done = inkstream(*moved(shard["args"], places, index))
                assert done.returncode == 0, done.stderr
        assert waiting.wait(60) == 0
    done = inkstream(*moved(merge["args"], places))
    assert done.returncode == 0, done.stderr
    whole = tmp_path / "whole.ink"
    assert inkstream("ingest", drawings_file, "--store", whole, *INGEST["args"]).returncode == 0  # type: ignore[misc]
    fingerprints = {
        json.loads(inkstream("verify", store, "--json").stdout)["fingerprint"]
        for store in (tmp_path / "drawings.ink", whole)
    }
    assert len(fingerprints) == 1


def test_a_pod_copies_verifies_and_serves(
    helm: Path, binary: Path, store: Path, tmp_path: Path
) -> None:
    pod = pod_of(one(render(helm, {"stores": [COPY], "preload": True}), "Deployment"))
    assert pod is not None
    copy, verify, server = containers_of(pod)
    volume = tmp_path / "copied"
    volume.mkdir()
    places = {"/from": store.parent, "/stores": volume}
    subprocess.run(moved(copy["command"], places), check=True, timeout=60)
    subprocess.run([str(binary), *moved(verify["args"], places)], check=True, timeout=60)
    places = {
        "/stores/copied": volume,
        "0.0.0.0:50051": Path("127.0.0.1:0"),
        "0.0.0.0:9101": Path("127.0.0.1:0"),
    }
    words = moved(server["args"], places)
    assert words[0] == "serve"
    listen, store_flag = (
        next(word for word in words if word.startswith(flag)) for flag in ("--listen=", "--store=")
    )
    flags = [word for word in words[1:] if word not in (listen, store_flag)]
    with RunningServer(
        binary, [store_flag.removeprefix("--store=")], tmp_path / "log", *flags
    ) as running:
        assert {"grpc", "http"} <= set(running.addresses)


@pytest.fixture
def training(tmp_path: Path) -> Callable[..., str]:
    """Runs the example's script by torchrun, with two processes."""
    objects: list[Object] = list(
        yaml.safe_load_all((ROOT / "deploy/helm/pytorch-job.yaml").read_text())
    )
    script = tmp_path / "train.py"
    script.write_text(one(objects, "ConfigMap", "train")["data"]["train.py"])

    def run(address: str, steps: int) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone",
             "--nproc-per-node=2", str(script)],
            env=os.environ | {"TARGET": address, "CHECKPOINTS": str(tmp_path),
                              "STEPS": str(steps), "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_example_trains_and_goes_on(
    server: RunningServer, training: Callable[..., str]
) -> None:
    assert "step 5 loss" in training(server.address, 5)
    told = training(server.address, 8)
    assert "goes on at step 5" in told
    assert "step 8 loss" in told
