"""Redis with one compressed image a key, as the fast.ai experiment did."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import redis
import torch
from torch.utils.data import DataLoader, Dataset

from .contender import Contender, Endless, EndlessBatches
from .drawings import BATCH, WORKERS, Images


class Redis(Contender):
    """One GET an image in the loader's workers."""

    name: ClassVar[str] = "Redis, a GET an image"
    note: ClassVar[str] = "np.savez_compressed at target size"

    def prepare(self) -> None:
        """Starts a server on a Unix socket and fills it."""
        self._path = str(self.folder / "redis.sock")
        settings = [
            "--port",
            "0",
            "--unixsocket",
            self._path,
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self._server = subprocess.Popen(
            ["redis-server", *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        connection = redis.Redis(unix_socket_path=self._path)
        deadline = time.monotonic() + 20
        while True:
            try:
                connection.ping()
                break
            except redis.ConnectionError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        pipe = connection.pipeline(transaction=False)
        for i, image in enumerate(self.drawings.pixels(self.side)):
            file = io.BytesIO()
            np.savez_compressed(file, image)
            pipe.set(f"train:{i}", file.getvalue())
            if i % 1000 == 999:
                pipe.execute()
        pipe.execute()

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """A DataLoader."""
        rows = RedisRows(self._path, self.drawings.labels)
        return iter(DataLoader(rows, BATCH, sampler=Endless(len(rows)), num_workers=WORKERS))

    def stop(self) -> None:
        """Ends the server."""
        self._server.terminate()
        self._server.wait(10)


class RedisMany(Redis):
    """One MGET a minibatch, still in the workers."""

    name: ClassVar[str] = "Redis, MGET a minibatch"

    def batches(self) -> Iterator[tuple[Any, Any]]:
        """A DataLoader whose items are whole batches."""
        rows = RedisRows(self._path, self.drawings.labels)
        batches: Any = EndlessBatches(len(rows))
        return iter(DataLoader(rows, None, sampler=batches, num_workers=WORKERS))


class RedisRows(Dataset[Any]):
    """Opens its connection in the process that reads."""

    def __init__(self, path: str, labels: Any) -> None:
        self._path = path
        self._labels = labels
        self._connection: Any = None

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, which: Any) -> Any:
        if self._connection is None:
            self._connection = redis.Redis(unix_socket_path=self._path)
        if isinstance(which, np.ndarray):
            found = self._connection.mget([f"train:{i}" for i in which])
            images = np.stack([_unpacked(value) for value in found])
            return torch.from_numpy(images), torch.from_numpy(self._labels[which])
        return _unpacked(self._connection.get(f"train:{which}")), self._labels[which]


def _unpacked(value: bytes) -> Images:
    image: Images = np.load(io.BytesIO(value))["arr_0"]
    return image
