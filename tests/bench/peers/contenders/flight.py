"""Arrow Flight: a server that sends ready batches, gathered from pixels it holds in memory."""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

from .contender import Contender, EndlessBatches
from .drawings import Images


class Flight(Contender):
    """One stream over TCP loopback."""

    name: ClassVar[str] = "Arrow Flight, ready batches"
    note: ClassVar[str] = "pixels drawn beforehand and held in the server's memory"

    def prepare(self) -> None:
        """Starts the server."""
        mine, theirs = mp.Pipe()
        arguments = (self.drawings.pixels(self.side), self.drawings.labels, theirs)
        self._server = mp.get_context("fork").Process(target=_serve, args=arguments, daemon=True)
        self._server.start()
        self._client = flight.connect(f"grpc://127.0.0.1:{mine.recv()}")

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """Views of the received buffers."""
        for chunk in self._client.do_get(flight.Ticket(b"train")):
            data, labels = chunk.data.column(0), chunk.data.column(1)
            pixels = np.frombuffer(data.buffers()[1], np.uint8)
            yield pixels.reshape(-1, self.side, self.side), labels.to_numpy()

    def stop(self) -> None:
        """Ends the server."""
        self._client.close()
        self._server.kill()
        self._server.join(10)


def _serve(pixels: Images, labels: Any, ready: Any) -> None:
    width = pixels[0].size
    schema = pa.schema([("pixels", pa.binary(width)), ("label", pa.int64())])

    class Server(flight.FlightServerBase):  # type: ignore[misc]
        def do_get(self, context: Any, ticket: Any) -> Any:
            def batches() -> Iterator[Any]:
                for rows in EndlessBatches(len(pixels)):
                    buffer = pa.py_buffer(pixels[rows])
                    data = pa.Array.from_buffers(pa.binary(width), len(rows), [None, buffer])
                    yield pa.record_batch([data, pa.array(labels[rows])], schema)

            return flight.GeneratorStream(schema, batches())

    server = Server("grpc://127.0.0.1:0")
    ready.send(server.port)
    server.serve()
