"""Clients: what `connect` and `open` give."""

from __future__ import annotations

from typing import Any

from inkstream._connection import Connection
from inkstream._dataset import Dataset
from inkstream._engine import EngineConnection
from inkstream._keywords import checked_keywords
from inkstream._plain import plain
from inkstream._values import text
from inkstream.v1 import dataset_pb2


class Client:
    """Servers to ask, by `connect` or `open`.

    Connects when first used, separately in each process, so it may be pickled and may be kept
    across a fork. Thread-safe.
    """

    def __init__(self, connection: Connection | EngineConnection) -> None:
        self._connection = connection

    @checked_keywords()
    def dataset(self, name: str | None = None, *, fingerprint: str = "") -> Dataset:
        """The dataset `name`; without one, the only one there is. NotFound names the nearest.

        Its content is pinned for the life of the returned object: by `fingerprint`, or by what
        the server holds now.
        """
        return Dataset._describe(self, "" if name is None else name, fingerprint)

    def datasets(self) -> list[str]:
        """Names of everything that is served."""
        answer = self._connection.call(
            "ListDatasets", dataset_pb2.ListDatasetsRequest(), dataset_pb2.ListDatasetsResponse
        )
        return [summary.dataset for summary in answer.datasets]

    @checked_keywords()
    def status(self, dataset: str = "") -> dict[str, Any]:
        """The server's streams and rates, and who waits for whom; fields as the contract's
        GetStatusResponse has them."""
        answer = self._connection.call(
            "GetStatus",
            dataset_pb2.GetStatusRequest(dataset=text("dataset", dataset)),
            dataset_pb2.GetStatusResponse,
        )
        return plain(answer)

    @property
    def transport(self) -> str:
        """What reads the drawings of this process: "libinkstream", "grpcio" and why, or
        "libinkstream, in this process"."""
        return self._connection.transport

    def close(self) -> None:
        """Closes the connections of this process, or lets go of its store. Idempotent."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({str(self._connection.target)!r})"
