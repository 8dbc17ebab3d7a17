"""A small HTTP server on the loopback interface: requests in, answers out, a thread a connection."""

from __future__ import annotations

import json
import logging
import socket
import threading
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)
LARGEST_BODY = 20_000_000


@dataclass(frozen=True)
class Request:
    """What a client asked.

    Attributes:
        method: in capitals.
        target: path and query, as they came.
        headers: by their names in small letters.
        body: the bytes.
        base: the server's own address, as the client sees it.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    base: str

    @cached_property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, str]:
        """The last value of each."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as a form; empty if it is none."""
        if "form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def bearer(self) -> str:
        """The bearer token, or ""."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server says."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Any, status: int = 200, **headers: str) -> Answer:
        """JSON; header names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status=status, body=json.dumps(document, ensure_ascii=False).encode(), headers=named)

    @classmethod
    def html(cls, text: str, status: int = 200) -> Answer:
        """A page that may run no script and load nothing from elsewhere."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'"
        headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
        return cls(status=status, body=text.encode(), kind="text/html; charset=utf-8", headers=headers)


class Server:
    """Serves ``handle`` until stopped."""

    def __init__(self, handle: Callable[[Request], Answer], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._http = _Http((host, port), _handler(handle))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        bound = self._http.server_address
        self.url = f"http://{bound[0]!s}:{bound[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a connection from %s broke (%s)", client_address, type(request).__name__)


def _handler(handle: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def do_GET(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
            headers = {name.lower(): value for name, value in self.headers.items()}
            base = f"http://{headers.get('host', 'localhost')}"
            answer = handle(Request(self.command, self.path, headers, self.rfile.read(length), base))
            self.send_response(answer.status)
            for name, value in {"Content-Type": answer.kind, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.wfile.flush()

        do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own parameter name
            log.debug(format, *args)

    return Handler
