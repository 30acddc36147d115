"""Inkstream: streams over TCP, over a Unix socket and in the process, and a shared view."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import inkstream
from inkstream import Image

from .contender import Contender, EndlessBatches
from .drawings import BATCH


class Tcp(Contender):
    """Strokes at rest, drawn on demand, full shuffle."""

    name: ClassVar[str] = "inkstream, TCP"
    unix: ClassVar[bool] = False

    def ingested(self) -> Path:
        """A store of the drawings."""
        store = self.folder / "drawings.ink"
        lines = os.environ["PEERS_NDJSON"]
        command = [os.environ["INKSTREAM_BINARY"], "ingest", lines, "--store", str(store)]
        subprocess.run(command, check=True, capture_output=True)
        return store

    def prepare(self) -> None:
        """Ingests and serves."""
        serve = [os.environ["INKSTREAM_BINARY"], "serve", "--store", str(self.ingested())]
        serve += ["--listen", "127.0.0.1:0", "--unix", str(self.folder / "socket")]
        self._server = subprocess.Popen(
            serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._server.stdout is not None
        bound = dict(word.split("=", 1) for word in self._server.stdout.readline().split()[2:])
        address = f"unix:{bound['unix']}" if self.unix else bound["grpc"]
        self._client = inkstream.connect(address)
        self._data = self._client.dataset()

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """An endless stream."""
        image = Image(self.side)
        with self._data.stream("train", batch_size=BATCH, image=image, epochs="forever") as stream:
            for batch in stream:
                yield batch.image, batch.label

    def stop(self) -> None:
        """Ends the server."""
        self._client.close()
        self._server.terminate()
        self._server.wait(30)


class Unix(Tcp):
    """The same over a Unix socket."""

    name: ClassVar[str] = "inkstream, Unix socket"
    unix: ClassVar[bool] = True


class Open(Tcp):
    """The same without a server."""

    name: ClassVar[str] = "inkstream, in the process"

    def prepare(self) -> None:
        """Ingests and opens."""
        self._client = inkstream.open(self.ingested())
        self._data = self._client.dataset()

    def stop(self) -> None:
        """Closes the store."""
        self._client.close()


class View(Tcp):
    """data.share, and batches gathered from it as from memory-mapped pixels."""

    name: ClassVar[str] = "inkstream, shared view"
    note: ClassVar[str] = "drawn once a host; every process on it maps the same pixels"

    def prepare(self) -> None:
        """Draws the view."""
        super().prepare()
        self._pixels = self._data.share("train", image=Image(self.side), progress=False)
        self._labels = self._data.share("train", column="label", progress=False)

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Copies rows out of it."""
        for rows in EndlessBatches(len(self._pixels)):
            yield self._pixels[rows], self._labels[rows]
