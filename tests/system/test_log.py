"""The operator's log of calls: what it says, and that nobody can fill it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import inkstream as client
import pytest
from inkstream.v1 import dataset_pb2, plan_pb2, service_pb2
from serving import RunningServer

_SERVICE = "/inkstream.v1.DrawingService/"


@pytest.fixture
def server(binary: Path, store: Path, tmp_path: Path) -> Iterator[RunningServer]:
    flags = ("--log-format", "json", "--unix", str(tmp_path / "socket"))
    with RunningServer(binary, [str(store)], tmp_path / "log", *flags) as running:
        yield running


def events(server: RunningServer) -> list[dict[str, Any]]:
    server.stop()
    return [json.loads(line) for line in server.log.splitlines()]


def test_a_stream_says_what_it_was(server: RunningServer) -> None:
    near = client.connect(server.address)
    batches = list(near.dataset().stream("train", batch_size=100, epochs=1))
    # The last batch tells a client that it is the last; the server comes to the end by itself.
    while near.status()["streams"]:
        time.sleep(0.01)
    near.close()
    lines = {line.get("event"): line for line in events(server)}
    opened, ended = lines["stream opened"], lines["stream ended"]
    assert opened["stream"] == ended["stream"]
    assert opened["peer"].startswith("ipv4:127.0.0.1:")
    assert opened["dataset"] == "quickdraw"
    assert opened["plan"].startswith("batch 100, rank 0 of 1, seed 0, from epoch 0 position 0")
    assert ended["reason"] == "EPOCHS_DONE"
    assert ended["code"] == "OK"
    assert ended["batches"] == len(batches)
    assert ended["drawings"] == 100 * len(batches)
    shares = [ended[f"{who}_share"] for who in ("client", "network", "server", "disk")]
    assert 0.5 < sum(shares) <= 1.01


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_every_line_of_a_call_says_who_made_it(server: RunningServer, way: str) -> None:
    tcp = way == "tcp"
    near = client.connect(server.address if tcp else "unix:" + server.addresses["unix"])
    list(near.dataset().stream("train", batch_size=100, epochs=1))
    with pytest.raises(client.NotFound):
        near.dataset("none")
    near.close()
    lines = {line.get("event"): line for line in events(server)}
    for event in ("stream opened", "stream ended", "call refused"):
        line = lines[event]
        if tcp:
            assert line["caller"] == "localhost", event
            assert line["peer"].startswith("ipv4:127.0.0.1:"), event
        else:
            assert line["caller"] == f"unix:uid={os.getuid()}", event
            assert line["peer"] == f"unix:uid={os.getuid()},pid={os.getpid()}", event
    assert lines["stream ended"]["plan"] == lines["stream opened"]["plan"]


def open_with(server: RunningServer, traceparent: str) -> None:
    request = service_pb2.StreamBatchesRequest(
        dataset="quickdraw",
        credits=1,
        open=service_pb2.StreamBatchesRequest.Open(
            delivery=plan_pb2.Delivery(batch_size=1, max_batches=1)
        ),
    )
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(
            _SERVICE + "StreamBatches",
            request_serializer=service_pb2.StreamBatchesRequest.SerializeToString,
            response_deserializer=lambda data: data,
        )
        assert list(call(iter([request]), metadata=(("traceparent", traceparent),), timeout=60))


def test_a_trace_is_found_again_and_nothing_else_is_taken_for_one(server: RunningServer) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    open_with(server, trace)
    open_with(server, 'x" injected=1' + "y" * 42)
    opened = [line for line in events(server) if line.get("event") == "stream opened"]
    assert [line.get("traceparent") for line in opened] == [trace, None]


def test_refusals_are_logged_and_counted_but_do_not_fill_the_log(server: RunningServer) -> None:
    with grpc.insecure_channel(server.address) as channel:
        describe = channel.unary_unary(
            _SERVICE + "DescribeDataset",
            request_serializer=dataset_pb2.DescribeDatasetRequest.SerializeToString,
            response_deserializer=dataset_pb2.DescribeDatasetResponse.FromString,
        )
        calls = [
            describe.future(dataset_pb2.DescribeDatasetRequest(dataset=f"none{i}"), timeout=60)
            for i in range(2000)
        ]
        assert {call.code() for call in calls} == {grpc.StatusCode.NOT_FOUND}
        # What was left out is said with the next line there is room for.
    refused = [line for line in events(server) if line.get("event") == "call refused"]
    assert 20 <= len(refused) < 200
    assert {line["code"] for line in refused} == {"NOT_FOUND"}
    assert {line["method"] for line in refused} == {"DescribeDataset"}
    # Two threads answer, so the first of them may be any.
    assert all('there is no "none' in line["text"] for line in refused)
