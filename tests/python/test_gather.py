"""Predictions of all ranks over gloo, put in order and checked."""

from __future__ import annotations

import inkstream
import pytest
import torch
from inkstream import FixRequest, PlanMismatch
from support.ranks import run_ranks

RANK = """
import os, sys
import torch
import torch.distributed as dist
import inkstream, inkstream.torch
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
# 23 drawings dealt out unevenly, backwards; the last row of each rank fills a batch.
index = torch.arange(100, 123)[rank::world].flip(0)
preds = torch.stack([index * 2, index * 3], dim=1).float()
index = torch.cat([index, torch.tensor([100])])
preds = torch.cat([preds, torch.full((1, 2), -1.0)])
valid = torch.ones(len(index), dtype=torch.bool)
valid[-1] = False
rows, places = inkstream.torch.gather(preds, index, valid=valid, total=23)
assert places.tolist() == list(range(100, 123)), places
assert torch.equal(rows, torch.stack([places * 2, places * 3], dim=1).float())
for keywords, text in (({"total": 24}, "23 of 24"), ({"total": 22}, "23 of 22")):
    try:
        inkstream.torch.gather(preds, index, valid=valid, **keywords)
        raise SystemExit("a wrong number passed")
    except inkstream.PlanMismatch as error:
        assert text in str(error), error
try:
    inkstream.torch.gather(preds, index)
    raise SystemExit("a drawing came twice and passed")
except inkstream.PlanMismatch as error:
    assert "such as index 100" in str(error), error
dist.destroy_process_group()
"""


@pytest.mark.parametrize("world", [2, 3])
def test_all_ranks_get_everybodys_predictions_in_order(world: int) -> None:
    run_ranks(world, RANK)


def test_one_process_needs_no_group() -> None:
    preds, index = torch.tensor([5.0, 4.0, 3.0]), torch.tensor([2, 0, 1])
    rows, places = inkstream.torch.gather(preds, index, total=3)
    assert rows.tolist() == [4.0, 3.0, 5.0]
    assert places.tolist() == [0, 1, 2]
    with pytest.raises(PlanMismatch, match="2 of 3"):
        inkstream.torch.gather(preds[:2], index[:2], total=3)
    with pytest.raises(FixRequest, match="index 2"):
        inkstream.torch.gather(preds, index[:2])
