"""Whether a server goes on with the stream that another one began."""

from __future__ import annotations

from inkstream._network.reader import Facts
from inkstream._network.retry import GENERATION_NOT_HERE
from inkstream.errors import PlanMismatch, Unavailable


def check_same(facts: Facts, wanted: Facts, endpoint: str) -> None:
    """Refuses a server that would go on with other data, another order or other pixels."""
    if facts.cursor["fingerprint"] != wanted.cursor["fingerprint"]:
        raise Unavailable(
            f"{endpoint}: this server's data has fingerprint {facts.cursor['fingerprint']}, "
            f"the stream's has {wanted.cursor['fingerprint']}",
            reason=GENERATION_NOT_HERE,
        )
    if facts.raster_version != wanted.raster_version:
        raise Unavailable(
            f"{endpoint}: this server draws with raster version {facts.raster_version}, the "
            f"stream began with {wanted.raster_version}",
            reason=GENERATION_NOT_HERE,
        )
    if facts.cursor["plan_hash"] != wanted.cursor["plan_hash"]:
        raise PlanMismatch(
            f"{endpoint}: this server's order plan has hash {facts.cursor['plan_hash']}, the "
            f"stream's has {wanted.cursor['plan_hash']}"
        )
