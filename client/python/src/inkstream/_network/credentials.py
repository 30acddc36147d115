"""What a client proves itself with, and knows its servers by."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import grpc

from inkstream._request.addresses import is_loopback
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


@dataclass(frozen=True)
class Credentials:
    """How to prove who both sides are. Picklable.

    `tls`: None for plaintext. `token` is sent as a bearer token; a path: of a file that holds
    it, which is read for each call, so that a replaced token counts from the next one on.
    """

    tls: TLS | None = None
    token: str | os.PathLike[str] = field(default="", repr=False)

    @classmethod
    def checked(cls, tls: Any, token: Any, addresses: Iterable[str] = ()) -> Credentials:
        """FixRequest for what is none, for files that cannot be read, and where the token would
        go to one of `addresses` in plaintext over a network."""
        if not isinstance(token, str | os.PathLike):
            raise FixRequest(
                f"token is {type(token).__name__}, not a str or the pathlib.Path of a file"
            )
        credentials = cls(TLS.of(tls), token)
        credentials.files()
        if not credentials.metadata() or credentials.tls is not None:
            return credentials
        for address in addresses:
            if not is_loopback(address):
                raise FixRequest(
                    f"the token would go to {address} in plaintext, for everybody on the way to "
                    "take: give tls="
                )
        return credentials

    @property
    def token_is_read(self) -> bool:
        """From a file, so that the next call may have another one."""
        return not isinstance(self.token, str)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        token = self._token()
        return (("authorization", f"Bearer {token}"),) if token else ()

    def _token(self) -> str:
        if isinstance(self.token, str):
            token, hint = self.token, ": is there a newline at its end?"
        else:
            try:
                token, hint = Path(self.token).read_text().strip(), ""
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise FixRequest(f"token: {self.token}: {why}") from None
            if not token:
                raise FixRequest(f"token: there is none in {self.token}")
        # What else is in it is not said: it may be a token nearly.
        if not token.isascii() or not token.isprintable() or " " in token:
            raise FixRequest(f"token has letters that no token has{hint}")
        return token

    def files(self) -> dict[str, bytes]:
        """The PEM files that `tls` names: "ca", "cert", "key", as far as they are given."""
        return {} if self.tls is None else self.tls.files()

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """None for plaintext."""
        if self.tls is None:
            return None
        files = self.files()
        return grpc.ssl_channel_credentials(files.get("ca"), files.get("key"), files.get("cert"))

    def channel_options(self) -> list[tuple[str, Any]]:
        """What gRPC is told beside them."""
        if self.tls is None or not self.tls.server_name:
            return []
        return [("grpc.ssl_target_name_override", self.tls.server_name)]
