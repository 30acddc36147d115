"""How a client knows its server by TLS, and proves itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from inkstream.errors import FixRequest


@dataclass(frozen=True)
class TLS:
    """Paths of files in PEM, which are read for each connection: replaced ones count from then on.

    `ca`: whom to trust; None: the system's authorities. `cert` and `key`: this client's own, for
    servers that ask for one. `server_name`: in the server's certificate, where it is not the
    target's host. Picklable.
    """

    ca: str | os.PathLike[str] | None = None
    cert: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    server_name: str = ""

    @classmethod
    def of(cls, given: Any) -> TLS | None:
        """What `tls=` was given; None: plaintext. FixRequest for what is none of its forms."""
        if given is False:
            return None
        if isinstance(given, TLS):
            return given
        if given is True:
            return cls()
        if isinstance(given, str | os.PathLike):
            return cls(ca=given)
        if isinstance(given, dict):
            known = [field.name for field in fields(cls)]
            unknown = sorted(set(given) - set(known), key=str)
            if not unknown:
                return cls(**given)
            raise FixRequest(f"tls has no {unknown[0]!r}; there are {', '.join(map(repr, known))}")
        raise FixRequest(
            f"tls = {given!r}: give True, the path of a PEM file of authorities, or "
            "inkstream.TLS(ca=..., cert=..., key=...)"
        )

    def files(self) -> dict[str, bytes]:
        """What is in "ca", "cert" and "key", as far as they are given. FixRequest names the one
        that cannot be read."""
        if not isinstance(self.server_name, str):
            raise FixRequest(f"tls, 'server_name': {self.server_name!r} is not a str")
        files: dict[str, bytes] = {}
        for name in ("ca", "cert", "key"):
            path = getattr(self, name)
            if path is None:
                continue
            if not isinstance(path, str | os.PathLike):
                raise FixRequest(f"tls, {name!r}: {path!r} is not the path of a PEM file")
            try:
                files[name] = Path(path).read_bytes()
            except (OSError, ValueError) as error:  # ValueError: no path at all
                why = getattr(error, "strerror", error)
                raise FixRequest(f"tls, {name!r}: {path}: {why}") from None
        if (self.cert is None) != (self.key is None):
            raise FixRequest("tls: cert and key go together; one of them is not given")
        return files
