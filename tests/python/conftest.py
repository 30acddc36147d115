"""What every test of the client may ask for."""

from support.fixtures import address, binary, client, data, other_store, server, store

__all__ = ["address", "binary", "client", "data", "other_store", "server", "store"]
