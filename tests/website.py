"""A website on the loopback, for tests: pages are data or functions, and what was asked is kept."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Page:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[BaseHTTPRequestHandler], object]


class Website:
    """Serves ``pages`` by path; 404 otherwise. ``asked`` holds the path and headers of each request, in order."""

    def __init__(self, *, certificate: Path | None = None) -> None:
        self.pages: dict[str, Page | Answer] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        self.pages[path] = Page(status=status, headers={"Location": to})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, {name.title(): value for name, value in self.headers.items()}))
                page = site.pages.get(self.path, Page(status=404))
                if not isinstance(page, Page):
                    page(self)
                    return
                self.send_response_only(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in page.headers and "Content-Length" not in page.headers:
                    self.send_header("Content-Length", str(len(page.body)))
                self.end_headers()
                self.wfile.write(page.body)

            def log_message(self, *_: Any) -> None:
                """A test's output is for its own words."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what these tests are about."""
