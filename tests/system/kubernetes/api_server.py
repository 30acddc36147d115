"""A real kube-apiserver on a real etcd, without controllers or nodes."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

TOKEN = "of-the-test"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class ApiServer:
    """From `with` to its end; raises AssertionError where it does not start. Threads: one."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder = folder
        etcd, peer, self._port = free_port(), free_port(), free_port()
        subprocess.run(
            ["openssl", "genrsa", "-out", str(folder / "account.key"), "2048"],
            check=True,
            capture_output=True,
        )
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,1,system:masters\n")
        self._started = [
            self._start(
                "etcd",
                str(programs / "etcd"),
                f"--data-dir={folder / 'etcd.data'}",
                f"--listen-client-urls=http://127.0.0.1:{etcd}",
                f"--advertise-client-urls=http://127.0.0.1:{etcd}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                "--unsafe-no-fsync",
            ),
            self._start(
                "kube-apiserver",
                str(programs / "kube-apiserver"),
                f"--etcd-servers=http://127.0.0.1:{etcd}",
                f"--cert-dir={folder / 'certificates'}",
                f"--secure-port={self._port}",
                "--bind-address=127.0.0.1",
                f"--service-account-key-file={folder / 'account.key'}",
                f"--service-account-signing-key-file={folder / 'account.key'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
            ),
        ]
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [
                        {
                            "name": "test",
                            "cluster": {
                                "server": f"https://127.0.0.1:{self._port}",
                                "insecure-skip-tls-verify": True,
                            },
                        }
                    ],
                    "users": [{"name": "test", "user": {"token": TOKEN}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                    "current-context": "test",
                }
            )
        )
        self.kubeconfig.chmod(0o600)

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("w") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request(
            f"https://127.0.0.1:{self._port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._started):
                break
            try:
                # The last thing that it makes for itself.
                if self.ask("GET", "/api/v1/namespaces/default")[0] == 200:
                    return
            except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
                pass  # does not listen yet
            time.sleep(0.2)
        raise AssertionError((self._folder / "kube-apiserver.log").read_text()[-4000:])

    def __enter__(self) -> ApiServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._started):
            process.terminate()
            process.wait(60)
