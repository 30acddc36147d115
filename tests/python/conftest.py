"""What every test of the client may ask for."""

import multiprocessing

from support.fixtures import address, binary, client, data, other_store, server, store

__all__ = ["address", "binary", "client", "data", "other_store", "server", "store"]

# What a forkserver forks has torch then, instead of importing it: a tenth of a second a worker.
multiprocessing.set_forkserver_preload(["inkstream.torch"])
