"""Certificates of a test's own authority, made by openssl on the spot."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """Files in PEM."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; `ca` is its own, a file in PEM. Files lie in `folder`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / "ca.crt"
        self._key = folder / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", self._key, "-out", self.ca, "-days", "30", "-subj", f"/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
        )

    def issue(
        self, name: str, names: str = "DNS:localhost,IP:127.0.0.1", not_after: str = ""
    ) -> Pair:
        """A certificate with `name` as its common name, and `names`; `not_after`: YYYYMMDDhhmmssZ,
        else in 20 days."""
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        request, wanted = self._folder / f"{name}.csr", self._folder / f"{name}.cnf"
        wanted.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        _openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", pair.key, "-out", request, "-subj", f"/CN={name}"),
        )
        if not not_after:
            _openssl(
                *("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key),
                *("-CAcreateserial", "-days", "20", "-out", pair.cert, "-extfile", wanted),
            )
            return pair
        # Only `ca` makes certificates that have expired.
        (self._folder / "index").touch()
        (self._folder / "serial").write_text(f"{os.urandom(8).hex().upper()}\n")
        settings = self._folder / "ca.cnf"
        settings.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self._folder}/index\nserial={self._folder}/serial\n"
            f"new_certs_dir={self._folder}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            "[p]\ncommonName=supplied\n"
        )
        _openssl(
            *("ca", "-batch", "-config", settings, "-cert", self.ca, "-keyfile", self._key),
            *("-in", request, "-out", pair.cert, "-notext", "-extfile", wanted),
            *("-startdate", "20200101000000Z", "-enddate", not_after),
        )
        return pair


def shown_by(address: str, ca: Path) -> int:
    """The serial number of the certificate that a server shows, which `ca` must vouch for."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["h2"])
    host, port = address.rsplit(":", 1)
    with (
        socket.create_connection((host, int(port)), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        certificate = encrypted.getpeercert()
    assert certificate is not None
    return int(str(certificate["serialNumber"]), 16)


def serial_of(certificate: Path) -> int:
    """As `shown_by` tells it."""
    told = _openssl("x509", "-in", certificate, "-noout", "-serial")
    return int(told.strip().removeprefix("serial="), 16)


def _openssl(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["openssl", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
