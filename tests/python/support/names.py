"""A name server of one's own: a name with several addresses, without touching the machine's."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

_A, _IN = 1, 1


class NameServer:
    """Answers every question for an address (A) with `addresses`, others with none."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses  # may be changed at any time
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> NameServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = self._socket.recvfrom(512)
                self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        end = 12
        while query[end]:
            end += 1 + query[end]
        kind, _ = struct.unpack_from("!HH", query, end + 1)
        question = query[12 : end + 5]
        addresses = self.addresses if kind == _A else []
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
        # 0xC00C: the name of the question. A second to live.
        records = [
            struct.pack("!HHHIH", 0xC00C, _A, _IN, 1, 4) + socket.inet_aton(address)
            for address in addresses
        ]
        return head + question + b"".join(records)
