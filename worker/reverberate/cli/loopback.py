"""The way back from a vendor's page: one address on this machine, open while somebody signs in. Source: RFC 8252, 7.3."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reverberate.connecting import ConnectError, pasted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Reverberate</title>
<p>{words} You can close this page.</p></html>"""


def is_loopback(redirect: str) -> bool:
    """Whether the browser, if it runs on this machine, comes back to us from there."""
    address = urlsplit(redirect)
    return address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost"}


class Loopback:
    """Listens on 127.0.0.1 for a redirect until what was expected came back. Nothing that came is shown or logged."""

    def __init__(self, redirect: str) -> None:
        address = urlsplit(redirect)
        self._path, port = address.path or "/", address.port or 80
        self._found: dict[str, str] | None = None
        self._wanted: Callable[[Mapping[str, str]], bool] = lambda _: False
        try:
            self._server = HTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            hint = "service.connect_port or --port names another; tell the vendor's app settings, too"
            raise ConnectError(f"127.0.0.1:{port} cannot be listened on: {error.strerror}", hint=hint) from None

    def wait(self, wanted: Callable[[Mapping[str, str]], bool], *, timeout: timedelta) -> Mapping[str, str]:
        """The parameters of the first answer that is wanted.

        Raises:
            ConnectError: none came in time.
        """
        import time

        self._wanted, deadline = wanted, time.monotonic() + timeout.total_seconds()
        with self._server:
            while self._found is None:
                self._server.timeout = deadline - time.monotonic()
                if self._server.timeout <= 0:
                    raise ConnectError("nobody came back from the vendor's page in time", hint="begin again")
                self._server.handle_request()
        return self._found

    def _offered(self, target: str) -> bool:
        params = pasted(target) if urlsplit(target).path == self._path else {}
        if not self._wanted(params):
            return False
        self._found = params
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                good = loopback._offered(self.path)
                words = "Back to the terminal." if good else "This answer belongs to no sign-in that waits here."
                page = PAGE.format(words=words).encode()
                self.send_response(200 if good else 400)
                for name, value in (
                    ("Content-Type", "text/html; charset=utf-8"),
                    ("Content-Length", str(len(page))),
                    ("Cache-Control", "no-store"),
                    ("Referrer-Policy", "no-referrer"),
                    ("Content-Security-Policy", "default-src 'none'"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: Any) -> None:
                """Say nothing: addresses hold codes."""

        return Handler
