"""Predictions of all ranks, put in order and checked."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from inkstream._request.values import shown, whole
from inkstream.errors import FixRequest, PlanMismatch


def gather(
    preds: torch.Tensor,
    index: torch.Tensor,
    *,
    valid: torch.Tensor | None = None,
    total: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Everybody's predictions, one a drawing, in the order of their indices.

    `preds`: [n, ...] of this rank; `index`: [n], the batches' `index`. `valid`: [n], the
    batches' `valid`; rows where it is false are left out. `total`: drawings there must be,
    such as `data.count(view)`.
    Returns (predictions [N, ...], indices [N]) on every rank, on the devices they came from;
    without torch.distributed, this process's own. A collective: every rank must call it.
    PlanMismatch, on every rank, where a drawing is missing or came twice; names counts and an
    example.
    """
    for name, rows in (("preds", preds), ("index", index), ("valid", valid)):
        if not (torch.is_tensor(rows) or rows is valid is None):
            raise FixRequest(f"{name} = {shown(rows)}: give a tensor, with a row for each drawing")
    total = None if total is None else whole("total", total, 0)
    index = index.reshape(-1).to(torch.int64)
    if len(preds) != len(index) or (valid is not None and valid.numel() != len(index)):
        given = f"preds has {len(preds)} rows, index {len(index)}"
        raise FixRequest(given if valid is None else f"{given}, valid {valid.numel()}")
    if valid is not None:
        kept = valid.reshape(-1).to(torch.bool)
        preds, index = preds[kept.to(preds.device)], index[kept.to(index.device)]
    all_preds, all_index = _from_all(preds), _from_all(index)
    ordered, order = torch.sort(all_index.cpu(), stable=True)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(again):
        raise PlanMismatch(
            f"gather: {len(again)} rows are of drawings that came before, such as index "
            f'{int(again[0])}; evaluate with train=False (tail="partial"), and give valid='
        )
    if total is not None and len(ordered) != total:
        raise PlanMismatch(
            f"gather: predictions for {len(ordered)} of {total} drawings: "
            f"{abs(total - len(ordered))} {'missing' if len(ordered) < total else 'too many'}"
        )
    return all_preds[order.to(all_preds.device)], all_index[order.to(all_index.device)]


def _from_all(rows: torch.Tensor) -> torch.Tensor:
    """The ranks' tensors one after the other. Ranks may have different numbers of rows."""
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return rows
    world = dist.get_world_size()
    # NCCL moves only what is on a GPU, gloo only what is not.
    place = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
    count = torch.tensor([len(rows)], device=place)
    counts = [torch.zeros_like(count) for _ in range(world)]
    dist.all_gather(counts, count)
    most = max(int(c) for c in counts)
    padded = torch.zeros((most, *rows.shape[1:]), dtype=rows.dtype, device=place)
    padded[: len(rows)] = rows.detach().to(place)
    parts: list[Any] = [torch.empty_like(padded) for _ in range(world)]
    dist.all_gather(parts, padded)
    joined = torch.cat([part[: int(c)] for part, c in zip(parts, counts, strict=True)])
    return joined.to(rows.device)
