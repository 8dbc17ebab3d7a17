"""A small HTTP/1.1 server: a thread a connection. What breaks on the way is part of an answer."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from reverberate.sandbox.exchange import Answer, Ending, Exchange, Garbled, Request
from reverberate.sandbox.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
LARGEST_BODY = 60_000_000


class Server:
    """Serves until stopped.

    Args:
        begin: decides on a request whose head is known.
        admits: decides on a connection before anything of it is read; False breaks it.
        host: the address to listen at.
        port: 0 for any free one.
    """

    def __init__(
        self,
        begin: Callable[[Request], Exchange],
        *,
        admits: Callable[[], bool] = lambda: True,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._begin, self._admits = begin, admits
        self._listener = socket.create_server((host, port), backlog=512)
        self._listener.settimeout(0.05)  # how long a stop may be waited for
        self._stopping = threading.Event()
        self._lines: dict[Line, threading.Thread] = {}
        self._thread = threading.Thread(target=self._accept, name="sandbox", daemon=True)
        bound = self._listener.getsockname()
        self.url = f"http://{bound[0]}:{bound[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more; what is being answered is answered first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._listener.close()
        for line, thread in list(self._lines.items()):
            line.hang_up()
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # the client was gone again, or there are too many open files
                log.debug("a connection was not taken: %s", error)
                self._stopping.wait(0.01)
                continue
            self._taken(Line(connection))

    def _taken(self, line: Line) -> None:
        if not self._admits():
            line.reset()
            return
        thread = threading.Thread(target=self._serve, args=(line,), name="sandbox connection", daemon=True)
        self._lines[line] = thread
        thread.start()

    def _serve(self, line: Line) -> None:
        try:
            while not self._stopping.is_set() and self._served(line):
                pass
        except OSError as error:
            log.debug("a connection broke: %s", error)
        finally:
            line.close()
            self._lines.pop(line, None)

    def _served(self, line: Line) -> bool:
        """Serve one request; whether the connection goes on."""
        head = line.head()
        if not head:
            return False
        try:
            request = Request.of(head)
        except Garbled as error:
            line.send(Answer.of({"error": str(error)}, 400).encoded())
            return False
        if request.size - len(head) > LARGEST_BODY:
            line.send(Answer.of({"error": f"the body is longer than {LARGEST_BODY:,} bytes"}, 413).encoded())
            return False
        return self._answered(line, request, head)

    def _answered(self, line: Line, request: Request, head: bytes) -> bool:
        exchange = self._begin(request)
        if request.headers.get("expect", "").lower() == "100-continue":
            line.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if exchange.cut is not None:
            line.take(max(min(exchange.cut, request.size) - len(head), 0))
            line.reset()
            return False
        body = line.take(request.size - len(head))
        if len(head) + len(body) < request.size:  # the client stopped in the middle: nobody answers half a request
            return False
        answer = _said(exchange, replace(request, body=body))
        return self._send(line, request, answer) and request.lasts

    def _send(self, line: Line, request: Request, answer: Answer) -> bool:
        how, data = answer.sending, answer.encoded(body=request.method != "HEAD")
        if how.wait:
            self._stopping.wait(how.wait)
        data = data if how.most is None else data[: how.most]
        if how.over and data:
            line.drip(data, how.over, self._stopping.wait)
        elif data:
            line.send(data)
        if how.ending is Ending.RESET:
            line.reset()
        return how.ending is Ending.KEEP


def _said(exchange: Exchange, request: Request) -> Answer:
    try:
        return exchange.answer(request)
    except Exception:
        log.exception("%s %s could not be answered", request.method, request.path)
        return Answer.of({"error": "the sandbox itself failed; its log says why"}, 500)
