"""Which rank this process is, and whether all ranks are about to read the same thing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from inkstream._request.values import shown
from inkstream.errors import FixRequest, InkstreamError, PlanMismatch


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
            "after init_process_group (in Lightning: in train_dataloader(); with Accelerate or the "
            "Hugging Face Trainer: after Accelerator() or TrainingArguments()), or give rank= and "
            "world="
        )
    return 0, 1


class Placement:
    """Rank and world of what a DataLoader reads, given or torch.distributed's. Picklable.

    A framework that shares batches out among its processes would do so a second time, and each
    epoch would silently have half of its drawings, or fewer: `check`, wherever a pass may begin.
    """

    def __init__(self, what: str, rank: int | None, world: int | None) -> None:
        self._what = what
        self._given = rank is not None
        self.rank, self.world = place_of(rank, world)
        self.check()

    def check(self) -> None:
        """FixRequest where Accelerate shares out too, unless rank and world were given.

        PlanMismatch where torch.distributed says something else than when this was made.
        """
        if self._given:
            return
        processes = _processes_of_accelerate()
        if processes > 1:
            raise FixRequest(
                f"Accelerate shares batches out among its {processes} processes, and "
                f"{self._what} would once more, so that an epoch would miss drawings: use "
                "inkstream.torch.loader, which prepare() and the Hugging Face Trainer leave alone, "
                "or give rank=0, world=1 for a DataLoader that goes to them (for one that does "
                "not, the process's own rank= and world=)"
            )
        if dist.is_available() and dist.is_initialized():
            now = dist.get_rank(), dist.get_world_size()
            if now != (self.rank, self.world):
                raise PlanMismatch(
                    f"this {self._what} was made as rank {self.rank} of {self.world}, and "
                    f"torch.distributed now says rank {now[0]} of {now[1]}: make it after "
                    "init_process_group, or give rank= and world="
                )

    def __getstate__(self) -> dict[str, Any]:
        # On its way to a worker that knows nothing of Accelerate.
        self.check()
        return dict(self.__dict__)


def _processes_of_accelerate() -> int:
    """Processes that Accelerate is at work with; 1 where it is not, without importing it."""
    state = getattr(sys.modules.get("accelerate.state"), "PartialState", None)
    # An instance made here would start Accelerate where nobody has.
    if state is None or not getattr(state, "_shared_state", None):
        return 1
    return int(state().num_processes)


def compare_ranks(facts_of: Callable[[], dict[str, object]]) -> None:
    """Raises PlanMismatch on every rank unless all read the same data, order and pixels.

    A collective: every rank of the default group must call it. A rank whose `facts_of` fails
    tells the others, which would wait for it for as long as torch.distributed does.
    """
    failed: InkstreamError | None = None
    mine: dict[str, object] = {}
    try:
        mine = facts_of()
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


def device_of(given: Any) -> torch.device:
    """The device that `given` names, as torch has it."""
    try:
        return torch.device(given)
    except (RuntimeError, TypeError) as error:
        why = str(error).partition("\n")[0]
        raise FixRequest(f"device = {shown(given)}: {why}") from None
