"""What a stream would deliver, as the server works it out: for people and for checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkstream._network.source import Source
from inkstream._request.cursor import State, check_state, to_state
from inkstream._request.earlier_servers import check_understood
from inkstream._request.messages import message_of, taken
from inkstream._request.plan import Plan
from inkstream._request.values import flag, whole
from inkstream.errors import FixRequest
from inkstream.v1 import plan_pb2, service_pb2


@dataclass(frozen=True, repr=False)
class PlannedStep:
    """One step. `index`: drawings in the store, row by row; `occurrence`: how often each came
    before in the epoch; `cursor`: the place behind the step."""

    epoch: int
    step: int
    position: int
    cursor: State
    index: NDArray[np.int64]
    occurrence: NDArray[np.int64]
    valid_rows: int
    bytes: int

    def __repr__(self) -> str:
        return (
            f"PlannedStep(epoch {self.epoch}, step {self.step}, position {self.position}: "
            f"{self.index.size} drawings, {self.valid_rows} valid rows, {self.bytes:,} bytes)"
        )


@dataclass(frozen=True, repr=False)
class PlanReport:
    """Counts of a stream's epochs, and the steps asked for.

    `epoch_drawings`: positions of an epoch; `view_drawings` unless it is sampled.
    `steps_left`: of the epoch, from where it is entered. `step_drawings`: of all ranks.
    `batch_bytes`: of a whole batch of one rank, uncompressed.
    `components`: class or view → (drawings, positions an epoch), where the order is sampled.
    """

    dataset: str
    start: State
    view_drawings: int
    epoch_drawings: int
    steps_per_epoch: int
    steps_left: int
    step_drawings: int
    batch_bytes: int
    components: dict[str, tuple[int, int]]
    steps: list[PlannedStep]

    def __repr__(self) -> str:
        return (
            f"PlanReport({self.dataset!r}, from epoch {self.start['epoch']}, position "
            f"{self.start['position']}: {self.epoch_drawings:,} drawings and "
            f"{self.steps_per_epoch:,} steps an epoch, {self.step_drawings:,} drawings a step, "
            f"{self.batch_bytes:,} bytes a batch; {len(self.steps)} steps listed)"
        )

    @classmethod
    def of(cls, answer: service_pb2.ExplainPlanResponse) -> PlanReport:
        """From the contract's message."""
        start = to_state(answer.cursor)
        steps = [
            taken(
                PlannedStep,
                step,
                cursor=to_state(step.cursor, start["order_plan"]),
                index=np.array(step.index, dtype=np.int64),
                occurrence=np.array(step.occurrence, dtype=np.int64),
            )
            for step in answer.steps
        ]
        components = {c.name: (c.drawings, c.positions) for c in answer.components}
        return taken(cls, answer, start=start, components=components, steps=steps)


def explain(
    dataset: Source,
    plan: Plan,
    start: Mapping[str, Any] | None,
    epoch: int,
    step: int,
    steps: int,
    all_ranks: bool,
) -> PlanReport:
    """Asks the server what `plan` delivers, from a cursor or from the start of an epoch."""
    epoch = whole("epoch", epoch, 0, 2**64 - 1)
    step = whole("step", step, 0, 2**64 - 1)
    steps = whole("steps", steps, 0, 2**32 - 1)
    cursor = None if start is None else check_state(start)
    if cursor is not None:
        plan = plan.with_seed(cursor["seed"])
    if cursor is not None and epoch:
        raise FixRequest(f"epoch = {epoch} has no effect: start= says where to begin")
    fingerprint = (cursor or {}).get("fingerprint") or dataset.fingerprint
    request = message_of(
        service_pb2.ExplainPlanRequest,
        "",
        {
            "dataset": dataset.name,
            "epoch": epoch,
            "step": step,
            "steps": steps,
            "all_ranks": flag("all_ranks", all_ranks),
        },
    )
    request.open.CopyFrom(plan.opening(dataset.name, fingerprint, cursor).open)
    request.open.delivery.codec = plan_pb2.CODEC_NONE  # nothing is sent
    answer = dataset._service.call("ExplainPlan", request, service_pb2.ExplainPlanResponse)
    check_understood(plan, answer.refuses_unknown, f"the server of {dataset.name!r}")
    return PlanReport.of(answer)
