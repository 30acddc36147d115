"""A web server on loopback that fails in the ways that real ones do."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Faults:
    """What goes wrong with one path; each count is used up request by request."""

    statuses: list[int] = field(default_factory=list)  # answered to GET, then none
    head_status: int = 0
    cut_after: list[int] = field(default_factory=list)  # bytes of the body, then closed
    ignores_range: bool = False
    length_lie: int = 0  # added to what HEAD says
    md5: str = ""  # instead of the true one
    flipped: int = 0  # answers with one byte changed
    new_tag_at: int = 0  # from this GET on another entity, `other`
    other: bytes = b""
    hangs: bool = False  # after the headers
    retry_after: str = ""


class FaultyServer:
    """`files`: path -> content. `log`: (method, path, Range header)."""

    def __init__(self, files: dict[str, bytes], faults: dict[str, Faults] | None = None) -> None:
        self.files = files
        self.faults = faults or {}
        self.log: list[tuple[str, str, str]] = []
        self.released = threading.Event()
        outer = self

        class Handler(_Handler):
            site = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultyServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def gets(self, path: str) -> list[str]:
        """Range headers of the GETs of one path."""
        return [r for method, p, r in self.log if method == "GET" and p == path]


class _Handler(BaseHTTPRequestHandler):
    site: FaultyServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _plain(self, status: int, faults: Faults) -> None:
        self.send_response(status)
        if faults.retry_after:
            self.send_header("Retry-After", faults.retry_after)
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"sorry")

    def _answer(self, *, body: bool) -> None:
        site = self.site
        wanted = self.headers.get("Range", "")
        site.log.append((self.command, self.path, wanted))
        faults = site.faults.get(self.path, Faults())
        content = site.files.get(self.path)
        if content is None:
            return self._plain(404, faults)
        if body and faults.statuses:
            return self._plain(faults.statuses.pop(0), faults)
        if not body and faults.head_status:
            return self._plain(faults.head_status, faults)
        if faults.new_tag_at and len(site.gets(self.path)) >= faults.new_tag_at:
            content = faults.other
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        md5 = faults.md5 or base64.b64encode(hashlib.md5(content).digest()).decode()
        start = 0
        same = self.headers.get("If-Range", tag) == tag
        if wanted and same and not faults.ignores_range:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self._plain(416, faults)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        part = content[start:]
        if body and faults.flipped:
            faults.flipped -= 1
            part = part[:-1] + bytes([part[-1] ^ 1])
        self.send_header("ETag", tag)
        self.send_header("x-goog-hash", "crc32c=AAAAAA==")
        self.send_header("x-goog-hash", f"md5={md5}")
        self.send_header("Content-Length", str(len(part) + (0 if body else faults.length_lie)))
        self.end_headers()
        if not body:
            return None
        if faults.hangs:
            self.wfile.write(part[:1])
            self.wfile.flush()
            site.released.wait(60)
            return None
        if faults.cut_after:
            self.wfile.write(part[: faults.cut_after.pop(0)])
            self.close_connection = True
            return None
        for at in range(0, len(part), 1 << 16):
            self.wfile.write(part[at : at + (1 << 16)])
            if len(part) > 1 << 20:
                time.sleep(0)
        return None
