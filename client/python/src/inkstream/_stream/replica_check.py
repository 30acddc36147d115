"""Whether a server goes on with the stream that another one began."""

from __future__ import annotations

from inkstream._network.reader import StreamInfo
from inkstream._network.retry import EARLIER_RELEASE, GENERATION_NOT_HERE
from inkstream._request.earlier_servers import check_understood
from inkstream._request.plan import Plan
from inkstream.errors import FixRequest, PlanMismatch, Unavailable


def check_knowing(info: StreamInfo, plan: Plan, endpoint: str) -> None:
    """Refuses a server that passed over a part of what was asked for."""
    try:
        check_understood(plan, info.refuses_unknown, endpoint)
    except FixRequest as error:
        raise Unavailable(str(error), reason=EARLIER_RELEASE) from None


def check_same(info: StreamInfo, wanted: StreamInfo, endpoint: str) -> None:
    """Refuses a server that would go on with other data, another order or other pixels."""
    if info.cursor["fingerprint"] != wanted.cursor["fingerprint"]:
        raise Unavailable(
            f"{endpoint}: this server's data has fingerprint {info.cursor['fingerprint']}, "
            f"the stream's has {wanted.cursor['fingerprint']}",
            reason=GENERATION_NOT_HERE,
        )
    if info.raster_version != wanted.raster_version:
        raise Unavailable(
            f"{endpoint}: this server draws with raster version {info.raster_version}, the "
            f"stream began with {wanted.raster_version}",
            reason=GENERATION_NOT_HERE,
        )
    if info.cursor["plan_hash"] != wanted.cursor["plan_hash"]:
        raise PlanMismatch(
            f"{endpoint}: this server's order plan has hash {info.cursor['plan_hash']}, the "
            f"stream's has {wanted.cursor['plan_hash']}"
        )
