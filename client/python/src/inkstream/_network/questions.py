"""Questions about servers and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inkstream._network.service import Service
from inkstream._request.keywords import checked_keywords
from inkstream._request.messages import plain
from inkstream._request.values import text
from inkstream.v1 import dataset_pb2

if TYPE_CHECKING:
    from typing_extensions import Self


class Questions:
    """What a client can be asked before it is asked for drawings."""

    def __init__(self, connection: Service) -> None:
        self._connection = connection

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._connection.target)!r})"
