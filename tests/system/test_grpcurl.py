"""A person at a terminal with grpcurl and no client of ours."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serving import RunningServer

SERVICE = "inkstream.v1.DrawingService"
Call = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def call(grpcurl: Path, server: RunningServer) -> Call:
    """grpcurl with a request (or none) against the server: what a shell would run."""

    def run(verb: str, request: object = None) -> subprocess.CompletedProcess[str]:
        data = [] if request is None else ["-d", json.dumps(request)]
        words = verb.split()
        return subprocess.run(
            [str(grpcurl), "-plaintext", "-max-time", "60", *data, server.address, *words],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


@pytest.fixture
def ask(call: Call) -> Ask:
    """A method's answers as JSON."""

    def run(method: str, request: object) -> list[dict[str, Any]]:
        done = call(method, request)
        assert done.returncode == 0, done.stderr
        answers, decoder, text = [], json.JSONDecoder(), done.stdout.strip()
        while text:
            answer, end = decoder.raw_decode(text)
            answers.append(by_field_name(answer))
            text = text[end:].strip()
        return answers

    return run


def by_field_name(value: Any) -> Any:
    """Keys as in the .proto files: releases of grpcurl differ in how they write them."""
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key): by_field_name(entry)
            for key, entry in value.items()
        }
    return [by_field_name(entry) for entry in value] if isinstance(value, list) else value


def test_list_names_every_service(call: Call) -> None:
    services = call("list").stdout.split()
    assert SERVICE in services
    assert "grpc.health.v1.Health" in services
    assert any(name.startswith("grpc.reflection.") for name in services)


def test_describe_shows_the_methods_and_their_messages(call: Call, root: Path) -> None:
    text = call(f"describe {SERVICE}").stdout
    contract = (root / "proto" / "inkstream" / "v1" / "service.proto").read_text()
    methods = re.findall(r"^  rpc (\w+)\(", contract, re.MULTILINE)
    assert methods
    for method in methods:
        assert f"rpc {method} " in text
    assert "string dataset = 1;" in call("describe inkstream.v1.InspectDrawingRequest").stdout


@pytest.mark.parametrize("service", ["", SERVICE, "quickdraw"])
def test_health_is_serving(ask: Ask, service: str) -> None:
    assert ask("grpc.health.v1.Health/Check", {"service": service}) == [{"status": "SERVING"}]


def test_health_of_an_unknown_service_is_not_found(call: Call) -> None:
    done = call("grpc.health.v1.Health/Check", {"service": "quickdrew"})
    assert done.returncode != 0
    assert "NotFound" in done.stderr


def test_list_datasets(ask: Ask) -> None:
    (answer,) = ask(f"{SERVICE}/ListDatasets", {})
    (dataset,) = answer["datasets"]
    assert dataset["dataset"] == "quickdraw"
    assert dataset["drawings"] == "2000"


def test_describe_dataset_tells_all_a_client_needs(ask: Ask) -> None:
    (answer,) = ask(f"{SERVICE}/DescribeDataset", {"dataset": "quickdraw"})
    assert len(bytes.fromhex(answer["fingerprint"])) == 32
    assert answer["drawings"] == "2000"
    assert {split["name"] for split in answer["splits"]} == {"train", "valid", "test"}
    assert sum(int(split["drawings"]) for split in answer["splits"]) == 2000
    words = [entry["word"] for entry in answer["classes"]]
    assert len(words) >= 20
    assert words == sorted(words)
    assert {"label", "word", "countrycode", "timestamp", "recognized", "key_id"} <= {
        column["name"] for column in answer["columns"]
    }
    assert answer["limits"]["max_image_side"] == 1024


def test_inspect_draws_a_preview(ask: Ask) -> None:
    request = {"dataset": "quickdraw", "index": 3, "columns": 40}
    (drawing,) = ask(f"{SERVICE}/InspectDrawing", request)
    assert drawing["index"] == "3"
    assert drawing["word"]
    preview = drawing["preview"]
    assert max(len(line) for line in preview) <= 40
    assert sum(1 for line in preview if line.strip()) >= 5
    assert all(ord(character) < 128 for line in preview for character in line)


def test_inspect_by_key_is_the_same_as_by_index(ask: Ask) -> None:
    (by_index,) = ask(f"{SERVICE}/InspectDrawing", {"dataset": "quickdraw", "index": 7})
    request = {"dataset": "quickdraw", "key_id": by_index["key_id"]}
    assert ask(f"{SERVICE}/InspectDrawing", request) == [by_index]


def test_stream_of_two_batches_ends_with_them(ask: Ask) -> None:
    delivery = {
        "image": {"height": 28, "width": 28},
        "columns": ["label"],
        "batch_size": 16,
        "max_batches": 2,
    }
    request = {
        "dataset": "quickdraw",
        "open": {"view": {"split": "train"}, "order": {"seed": 7}, "delivery": delivery},
    }
    parts = ask(f"{SERVICE}/StreamBatches", request)
    assert parts[0]["opened"]["steps_per_epoch"]
    headers = [header for part in parts for header in part.get("batches", [])]
    assert [int(header.get("batch_seq", 0)) for header in headers] == [0, 1]
    assert [header["cursor"]["position"] for header in headers] == ["16", "32"]
    assert parts[-1]["end"]["reason"] == "REASON_MAX_BATCHES"
    assert parts[-1]["end"]["cursor"]["position"] == "32"
    image = next(t for t in headers[0]["tensors"] if t["name"] == "image")
    assert image["shape"] == ["16", "1", "28", "28"]
    assert image["length"] == str(16 * 28 * 28)
    data = b"".join(base64.b64decode(part.get("data", "")) for part in parts)
    start = int(headers[0].get("data_offset", 0)) + int(image.get("offset", 0))
    pixels = data[start : start + int(image["length"])]
    assert 0 < sum(pixels) / len(pixels) < 128


@pytest.mark.parametrize(
    ("request_body", "wrong", "nearest"),
    [
        ({"dataset": "quikdraw"}, "quikdraw", "quickdraw"),
        ({"dataset": "quickdraw", "view": {"split": "trian"}}, "trian", "train"),
    ],
)
def test_a_mistyped_name_is_told_the_nearest(
    call: Call, request_body: object, wrong: str, nearest: str
) -> None:
    done = call(f"{SERVICE}/DescribeDataset", request_body)
    assert done.returncode != 0
    assert "NotFound" in done.stderr
    assert wrong in done.stderr
    assert nearest in done.stderr


def test_an_index_past_the_end_is_told_the_range(call: Call) -> None:
    done = call(f"{SERVICE}/InspectDrawing", {"dataset": "quickdraw", "index": 2000})
    assert done.returncode != 0
    assert "2000" in done.stderr
    assert "index" in done.stderr


def test_a_size_over_the_limit_names_field_value_and_limit(call: Call) -> None:
    delivery = {"image": {"height": 1025, "width": 28}, "batch_size": 1, "max_batches": 1}
    request = {"dataset": "quickdraw", "open": {"delivery": delivery}}
    done = call(f"{SERVICE}/StreamBatches", request)
    assert "InvalidArgument" in done.stderr
    for word in ("height", "1025", "1024"):
        assert word in done.stderr


def recipes() -> list[str]:
    """The commands of proto/README.md's section "By hand"."""
    text = (Path(__file__).resolve().parents[2] / "proto" / "README.md").read_text()
    block = text.partition("## By hand")[2].partition("```sh\n")[2].partition("```")[0]
    commands, command = [], ""
    for line in block.splitlines(keepends=True):
        command += "" if line.startswith("#") else line
        if command and not line.endswith("\\\n") and command.count("'") % 2 == 0:
            commands.append(command)
            command = ""
    return commands


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_of_the_contract_runs_as_it_stands(
    recipe: str, grpcurl: Path, server: RunningServer
) -> None:
    done = subprocess.run(
        ["bash", "-c", recipe.replace("localhost:50051", server.address)],
        env={**os.environ, "PATH": f"{grpcurl.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
