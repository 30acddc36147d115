"""A dataset as it was described: what everything that reads drawings holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inkstream._network.questions import Questions
from inkstream._network.reader import codec_name
from inkstream._network.service import Service
from inkstream._request.keywords import checked_keywords
from inkstream._request.messages import name_of
from inkstream._request.values import text
from inkstream._request.view import View, as_view
from inkstream.v1 import dataset_pb2, plan_pb2


def describe(
    client: Questions, name: str, fingerprint: str, view: View | None = None
) -> dataset_pb2.DescribeDatasetResponse:
    """What is said of a dataset, and of a view of it."""
    request = dataset_pb2.DescribeDatasetRequest(
        dataset=text("dataset", name), fingerprint=text("fingerprint", fingerprint)
    )
    if view is not None:
        request.view.CopyFrom(view.to_proto())
    return client._connection.call("DescribeDataset", request, dataset_pb2.DescribeDatasetResponse)


@dataclass(frozen=True, eq=False)
class Source:
    """A dataset at one content, as it was described, and whom to ask for its drawings.

    Immutable and picklable. `inkstream.Dataset` documents the fields.
    """

    client: Questions = field(repr=False)
    name: str
    fingerprint: str
    drawings: int
    splits: dict[str, int]
    classes: list[str] = field(repr=False)
    columns: list[str] = field(repr=False)
    stats: dict[str, Any] = field(repr=False)

    @property
    def _service(self) -> Service:
        return self.client._connection

    @checked_keywords()
    def count(self, view: View | str) -> int:
        """Drawings in a view."""
        described = describe(self.client, self.name, self.fingerprint, as_view(view))
        return described.view_drawings


def stats_of(answer: dataset_pb2.DescribeDatasetResponse) -> dict[str, Any]:
    """What of it becomes `Dataset.stats`."""
    dtypes, window = plan_pb2.DType.DESCRIPTOR, answer.recommended_window
    return {
        "drawings": answer.drawings,
        "classes": {entry.word: entry.drawings for entry in answer.classes},
        "columns": {column.name: column.present for column in answer.columns},
        "split_rules": {split.name: split.rule for split in answer.splits},
        "delta_std": {s.name: s.delta_std for s in answer.splits if s.delta_std},
        "tensors": list(answer.tensors),
        "image_dtypes": [name_of(dtypes, n) or str(n) for n in answer.image_dtypes],
        "channels": list(answer.channels),
        "generation": answer.generation,
        "raster_version": answer.raster_version,
        "server_version": answer.server_version,
        "codecs": [codec_name(number) for number in answer.codecs],
        "recommended_shuffle": f"window:{window}" if window else "full",
        "limits": {f.name: v for f, v in answer.limits.ListFields()},
    }
