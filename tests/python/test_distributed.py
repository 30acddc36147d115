"""Several ranks over gloo, as torchrun starts them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import inkstream
import pytest
from support.processes import Server
from support.ranks import run_ranks

RANK = """
import dataclasses, json, os, sys
import torch.distributed as dist
import inkstream, inkstream.torch
addresses = sys.argv[2].split(",")
rank = int(os.environ["RANK"])
client = inkstream.connect(addresses[rank % len(addresses)])
if sys.argv[1] == "early":
    try:
        inkstream.torch.loader(client.dataset(), "train")
    except inkstream.FixRequest as error:
        assert "init_process_group" in str(error)
        print(json.dumps("refused"))
    sys.exit()
dist.init_process_group("gloo")
if sys.argv[1] == "gone":
    # The data set was described by a server that has gone since.
    data = inkstream.connect(addresses[0]).dataset()
    elsewhere = inkstream.connect(addresses[rank % len(addresses)], retry_for=1.0)
    data = dataclasses.replace(data, client=elsewhere)
else:
    data = client.dataset()
try:
    loader = inkstream.torch.loader(data, "train", batch_size=50, image=inkstream.Image(28))
    valid = inkstream.torch.loader(data, "valid", batch_size=50, train=False)
    out = {"epochs": [], "valid": [], "shares": []}
    for _ in range(2):
        out["epochs"].append([b["index"].tolist() for b in loader])
    for b in valid:
        out["valid"] += b["index"][b["valid"]].tolist()
        out["shares"].append(len(b["index"]))
    out["len"] = len(loader)
    out["state"] = loader.state_dict()
    print(json.dumps(out))
except (inkstream.PlanMismatch, inkstream.Unavailable) as error:
    print(json.dumps({"error": str(error)}))
dist.destroy_process_group()
"""


def ranks(world: int, *arguments: str) -> list[Any]:
    return run_ranks(world, RANK, *arguments)


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_each_epoch(server: Server, data: inkstream.Dataset, world: int) -> None:
    found = ranks(world, "run", server.tcp)
    steps = len(data["train"]) // (50 * world)
    for epoch in range(2):
        each = [rank["epochs"][epoch] for rank in found]
        assert [len(batches) for batches in each] == [steps] * world
        seen = [i for batches in each for batch in batches for i in batch]
        assert len(seen) == len(set(seen)) == steps * 50 * world
    assert found[0]["epochs"][0] != found[0]["epochs"][1]
    assert all(rank["len"] == steps for rank in found)
    assert all(rank["state"] == found[0]["state"] for rank in found)
    evaluated = [i for rank in found for i in rank["valid"]]
    assert len(evaluated) == len(set(evaluated)) == len(data["valid"])
    assert len({len(rank["shares"]) for rank in found}) == 1


def test_a_rank_that_comes_before_torch_distributed_is_refused(server: Server) -> None:
    assert ranks(2, "early", server.tcp) == ["refused", "refused"]


def test_ranks_that_read_different_data_are_stopped(
    binary: Path, other_store: Path, server: Server, tmp_path: Path
) -> None:
    with Server(binary, other_store, tmp_path) as other:
        for found in ranks(2, "run", f"{server.tcp},{other.tcp}"):
            assert "fingerprint" in found["error"]
            assert "rank 1" in found["error"]


def test_a_rank_that_cannot_read_stops_the_others_too(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    found = ranks(2, "gone", f"{server.tcp},{address}")
    assert "rank 1 cannot read" in found[0]["error"]
    assert "no server could go on" in found[1]["error"]
