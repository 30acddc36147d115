"""A real Prometheus that scrapes servers of a test."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml


class PrometheusServer:
    """Scrapes `targets` (HOST:PORT) every second as job "inkstream", from `with` to its end.

    Raises AssertionError where it does not start. Threads: one.
    """

    def __init__(self, program: Path, folder: Path, rules: Path, targets: list[str]) -> None:
        config = folder / "prometheus.yaml"
        scrape = {"job_name": "inkstream", "static_configs": [{"targets": targets}]}
        times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config.write_text(
            yaml.safe_dump(
                {"global": times, "rule_files": [str(rules)], "scrape_configs": [scrape]}
            )
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._log = folder / "prometheus.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    str(program),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'prometheus.data'}",
                    f"--web.listen-address={self.address}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression has now."""
        result: list[dict[str, Any]] = self.api("query", query=expression)["result"]
        return result

    def api(self, path: str, **parameters: str) -> dict[str, Any]:
        """The data that a page of its API answers with; waits up to a minute for its start."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:
                    data: dict[str, Any] = json.load(answer)["data"]
                    return data
            except urllib.error.HTTPError as error:
                if error.code != 503:  # not ready yet
                    raise AssertionError(f"{parameters}: {error.read().decode()}") from error
            except urllib.error.URLError:
                pass  # does not listen yet
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Prometheus does not answer: {self._log.read_text()}")
            time.sleep(0.1)

    def __enter__(self) -> PrometheusServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
