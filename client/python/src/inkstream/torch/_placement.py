"""Which rank this process is, and whether all ranks are about to read the same thing."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch.distributed as dist

from inkstream._errors import FixRequest, InkstreamError, PlanMismatch
from inkstream._reader import Facts


def place_of(rank: int | None, world: int | None) -> tuple[int, int]:
    """(rank, world): as given, else torch.distributed's, else (0, 1).

    FixRequest where torchrun says that there are several processes and torch.distributed has
    not been told yet: each of them would silently read everything.
    """
    if (rank is None) != (world is None):
        raise FixRequest(f"rank = {rank}, world = {world}: give both or neither")
    if rank is not None and world is not None:
        return rank, world
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    declared = os.environ.get("WORLD_SIZE", "1")
    if declared.isdecimal() and int(declared) > 1:
        raise FixRequest(
            f"WORLD_SIZE = {declared}, but torch.distributed is not initialised: make the loader "
            "after init_process_group (in Lightning: in train_dataloader()), or give rank= and "
            "world="
        )
    return 0, 1


def compare_ranks(facts_of: Callable[[], Facts]) -> None:
    """Raises PlanMismatch on every rank unless all read the same data, order and pixels.

    A collective: every rank of the default group must call it. A rank whose `facts_of` fails
    tells the others, which would wait for it for as long as torch.distributed does.
    """
    failed: InkstreamError | None = None
    mine: dict[str, object] = {}
    try:
        mine = _facts_to_compare(facts_of())
    except InkstreamError as error:
        failed = error
    everyone: list[tuple[str, dict[str, object]]] = [("", {}) for _ in range(dist.get_world_size())]
    dist.all_gather_object(everyone, ("" if failed is None else str(failed), mine))
    if failed is not None:
        raise failed
    for rank, (trouble, _) in enumerate(everyone):
        if trouble:
            raise PlanMismatch(f"rank {rank} cannot read what the others do: {trouble}")
    first = everyone[0][1]
    for name in mine:
        for rank, (_, other) in enumerate(everyone):
            if other[name] != first[name]:
                raise PlanMismatch(
                    f"ranks would train on different things: {name} is {first[name]} on "
                    f"rank 0 and {other[name]} on rank {rank}"
                )


def _facts_to_compare(facts: Facts) -> dict[str, object]:
    return {
        "fingerprint": facts.cursor["fingerprint"],
        "order plan": facts.cursor["plan_hash"],
        "place": f"epoch {facts.cursor['epoch']}, position {facts.cursor['position']}",
        "raster version": facts.raster_version,
    }
