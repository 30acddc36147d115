"""The client's own fixtures, for tests beside frameworks that its environment does not have."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from support.fixtures import binary, client, data, server, store

__all__ = ["binary", "client", "data", "server", "store"]
