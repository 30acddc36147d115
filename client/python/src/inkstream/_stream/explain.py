"""What a plan would deliver, asked of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inkstream._network.source import Source
from inkstream._request.cursor import check_state
from inkstream._request.earlier_servers import check_understood
from inkstream._request.messages import message_of
from inkstream._request.plan import Plan
from inkstream._request.values import flag, whole
from inkstream.errors import FixRequest
from inkstream.plan_report import PlanReport
from inkstream.v1 import plan_pb2, service_pb2


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
