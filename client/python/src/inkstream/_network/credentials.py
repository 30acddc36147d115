"""What a client proves itself with, and knows its servers by."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from inkstream._network.tls import TLS
from inkstream._request.addresses import is_loopback
from inkstream.errors import FixRequest


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
