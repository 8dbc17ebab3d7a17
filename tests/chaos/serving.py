"""What the ledgers' servers have in common: JSON in, JSON out, and clients that die are what it is about."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Served(ABC):
    """Answers on a free port while its block runs; a subclass says what."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @abstractmethod
    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        """Status and document for a request; None to hang up without a word."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that died is what these tests are about."""


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told = served.answer(self.command, self.path, json.loads(self.rfile.read(length)) if length else None)
            if told is None:
                self.close_connection = True
                return
            status, data = told[0], json.dumps(told[1]).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server finds its methods so

        def log_message(self, *_: Any) -> None:
            """Nothing: the ledger is the log."""

    return Handler
