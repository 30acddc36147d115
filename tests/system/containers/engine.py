"""Buildah and Podman with a configuration of their own, where no Docker engine runs.

The base image is a stand-in for debian:bookworm-slim, made with debootstrap:
container registries need not be within reach.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = "localhost/debian:bookworm-slim"
# Where Debian keeps certificates added on this machine, see
# update-ca-certificates(8); a build that fetches packages needs them too.
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")


class Engine:
    """One private store of images and containers, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(self._write_storage_conf()),
            "CONTAINERS_CONF": str(self._write_containers_conf()),
            "CONTAINERS_REGISTRIES_CONF": str(self._write_registries_conf()),
        }

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two test runs at once would pull containers from under each other."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def environment(self) -> dict[str, str]:
        return self._environment

    def podman(
        self, *arguments: str, timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return self._run(["podman", *arguments], timeout, check)

    def build(self, context: Path, tag: str, target: str) -> str:
        """Builds deploy/Dockerfile as it stands; returns what the build printed."""
        self._make_base()
        certificates = []
        if LOCAL_CERTIFICATES.is_dir():
            certificates = ["-v", f"{LOCAL_CERTIFICATES}:{LOCAL_CERTIFICATES}:ro"]
        # What ccache has of a build with the same flags serves here too.
        warnings = f"WARNINGS_ARE_ERRORS={os.environ.get('WARNINGS_ARE_ERRORS', 'OFF')}"
        command = ["buildah", "build", "--isolation=chroot", "--pull=never", "--layers"]
        command += ["--format=docker", *certificates, "--target", target, "-t", tag]
        command += ["--build-arg", warnings]
        command += ["-f", str(context / "deploy" / "Dockerfile"), str(context)]
        done = self._run(command, timeout=3000, check=True)
        return done.stdout + done.stderr

    def stand_in(self, tag: str, program: Path) -> None:
        """An image that runs this program of the host, for one of a registry."""
        self._make_base()
        folder = self._folder / "stand-in"
        folder.mkdir(exist_ok=True)
        (folder / "program").write_bytes(program.read_bytes())
        (folder / "program").chmod(0o755)
        (folder / "Dockerfile").write_text(
            f'FROM {BASE}\nCOPY program /program\nUSER 65534\nENTRYPOINT ["/program"]\n'
        )
        self._run(
            ["buildah", "build", "--isolation=chroot", "--pull=never", "-t", tag, str(folder)],
            timeout=300,
            check=True,
        )

    def healthy(self, container: str, seconds: float) -> bool:
        """Runs the image's health check until it passes; nothing else runs it here."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.podman("healthcheck", "run", container, check=False).returncode == 0:
                return True
            time.sleep(0.2)
        return False

    def inspect(self, container: str, path: str) -> str:
        return self.podman("inspect", "--format", "{{" + path + "}}", container).stdout.strip()

    def _run(
        self, command: list[str], timeout: float, check: bool
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def _make_base(self) -> None:
        if self.podman("image", "exists", BASE, check=False).returncode == 0:
            return
        root = self._folder / "bookworm"
        archive = self._folder / "bookworm.tar"
        subprocess.run(["rm", "-rf", str(root)], check=True)
        self._run(["debootstrap", "--variant=minbase", "bookworm", str(root)], 900, True)
        exclude = [f"--exclude=./{name}/*" for name in ("proc", "sys", "dev")]
        self._run(["tar", "-C", str(root), *exclude, "-cf", str(archive), "."], 300, True)
        self.podman("import", str(archive), BASE, timeout=300)
        archive.unlink()
        subprocess.run(["rm", "-rf", str(root)], check=True)

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text)
        return path

    def _write_storage_conf(self) -> Path:
        return self._write(
            "storage.conf",
            f'[storage]\ndriver = "overlay"\n'
            f'graphroot = "{self._folder}/graph"\nrunroot = "{self._folder}/run"\n',
        )

    def _write_registries_conf(self) -> Path:
        return self._write("registries.conf", 'unqualified-search-registries = ["localhost"]\n')

    def _write_containers_conf(self) -> Path:
        # Limits above this process's own need a capability that a container
        # host without one cannot give.
        files = min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        ulimits = json.dumps([f"nofile={files}:{files}", "nproc=32768:32768"])
        return self._write(
            "containers.conf",
            f"[containers]\ndefault_ulimits = {ulimits}\n"
            f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            f'tmp_dir = "{self._folder}/tmp"\n'
            f'[network]\nnetwork_config_dir = "{self._folder}/networks"\n',
        )
