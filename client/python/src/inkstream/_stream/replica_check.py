"""Whether a server goes on with the stream that another one began."""

from __future__ import annotations

from inkstream._network.reader import StreamInfo
from inkstream._network.retry import GENERATION_NOT_HERE
from inkstream.errors import PlanMismatch, Unavailable


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
