"""Which rank this process is, and whether all ranks are about to read the same thing."""

from __future__ import annotations

import os

import torch.distributed as dist

from inkstream._errors import FixRequest, PlanMismatch
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


def compare_ranks(facts: Facts) -> None:
    """Raises PlanMismatch on every rank unless all read the same data, order and pixels.

    A collective: every rank of the default group must call it.
    """
    mine = {
        "fingerprint": facts.cursor["fingerprint"],
        "order plan": facts.cursor["plan_hash"],
        "place": f"epoch {facts.cursor['epoch']}, position {facts.cursor['position']}",
        "raster version": facts.raster_version,
    }
    everyone: list[dict[str, object]] = [{} for _ in range(dist.get_world_size())]
    dist.all_gather_object(everyone, mine)
    for name in mine:
        for rank, other in enumerate(everyone):
            if other[name] != everyone[0][name]:
                raise PlanMismatch(
                    f"ranks would train on different things: {name} is {everyone[0][name]} on "
                    f"rank 0 and {other[name]} on rank {rank}"
                )
