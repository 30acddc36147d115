"""An HTTP/2 client, made of bare frames, that makes gRPC calls and reads no answer.

It opens no window for the bytes of answers, so all of them stay with the server; it answers
pings, so that its connection looks alive.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from google.protobuf.message import Message

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
SERVICE = "inkstream.v1.DrawingService"
ACK, END_STREAM, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4


class UnreadingClient:
    """One connection to HOST:PORT, until `close` or the end of `with`.

    A thread of its own answers pings and notes what has ended. Threads: any.
    """

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)))
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._ended: dict[int, bytes] = {}  # what the call's trailers hold, by number
        self._closed = False
        self._next = 1
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self._send(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def call(
        self,
        method: str,
        *requests: Message,
        close: bool = True,
        service: str = SERVICE,
    ) -> int:
        """Begins a call; `close`: with no more than these messages. Returns its number."""
        number = self.begin(method, service=service)
        for request in requests:
            self.send(number, request)
        if close:
            self._send(DATA, END_STREAM, number, b"")
        return number

    def begin(self, method: str, sends: bytes = b"", service: str = SERVICE) -> int:
        """Begins a call with these bytes, be they messages or not. Returns its number."""
        number, self._next = self._next, self._next + 2
        pairs = {
            ":method": "POST",
            ":scheme": "http",
            ":path": f"/{service}/{method}",
            ":authority": "localhost",
            "te": "trailers",
            "content-type": "application/grpc",
        }
        self._send(HEADERS, END_HEADERS, number, b"".join(map(_literal, pairs.items())))
        if sends:
            self._send(DATA, 0, number, sends)
        return number

    def send(self, number: int, request: Message) -> None:
        """One more message of a call, in frames of at most 16 KiB."""
        body = request.SerializeToString()
        body = struct.pack(">BI", 0, len(body)) + body
        for begin in range(0, len(body), 16384):
            self._send(DATA, 0, number, body[begin : begin + 16384])

    def widen(self, number: int, size: int) -> None:
        """Opens the window of a call by so many bytes; 0: that of all of them together."""
        self._send(WINDOW_UPDATE, 0, number, struct.pack(">I", size))

    def reset(self, number: int) -> None:
        self._send(RST_STREAM, 0, number, struct.pack(">I", 8))

    def await_end(self, number: int, seconds: float) -> bytes:
        """The encoded trailers of a call that ends within `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._ended or self._closed, seconds)
            assert number in self._ended, f"call {number} has not ended in {seconds} s"
            return self._ended[number]

    def ended(self, number: int) -> bool:
        with self._changed:
            return number in self._ended

    def close(self) -> None:
        with self._changed:
            self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> UnreadingClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, number)
        with self._sending:
            self._socket.sendall(head + payload)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # the connection has gone
            self._answer()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _answer(self) -> None:
        stream = self._socket.makefile("rb")
        while True:
            head = stream.read(9)
            if len(head) < 9:
                break
            length = int.from_bytes(head[:3], "big")
            kind, flags, number = struct.unpack(">BBI", head[3:])
            payload = stream.read(length)
            if kind == PING and not flags & ACK:
                self._send(PING, ACK, 0, payload)
            elif kind == SETTINGS and not flags & ACK:
                self._send(SETTINGS, ACK, 0, b"")
            elif kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM):
                with self._changed:
                    self._ended.setdefault(number, payload)
                    self._changed.notify_all()
            elif kind == GOAWAY:
                break


def _literal(pair: tuple[str, str]) -> bytes:
    """A header field as HPACK literal, neither indexed nor Huffman-coded."""
    name, value = (text.encode() for text in pair)
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value
