"""One request and its whole answer, over connections that are kept.

What ``requests`` does by way of urllib3's pools, in a third of the processor time: urllib3's connections connect
(names, TLS, time limits), and there is nothing else in between.
"""

from __future__ import annotations

import ssl
import threading
import weakref
from contextlib import nullcontext, suppress
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_encoding_from_headers
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import create_urllib3_context, wait_for_read

from reverberate.baton import lent
from reverberate.failpoints import reach
from reverberate.http1 import Answer, Hearing, TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEPT = 16
"""So many idle connections to one place at the most."""
LARGEST = 64 * 2**20
"""Bytes of an answer, as it comes and unpacked: a server must not fill the memory."""
AT_ONCE = 65_536
"""Bytes that are handed over at a time; more than these, and others are let think meanwhile."""
HASTE = 0.001
"""Seconds for which an answer is awaited before others are let think, where a server's answers come within that."""
PATIENT = 4
"""After so many answers in a row that did not, it is tried with every 16th."""


class Place(NamedTuple):
    """Where a connection leads, and by whose certificates it is checked: a file's name, "" where there is no TLS."""

    host: str
    port: int
    trusted: str


class Passage(threading.local):
    """What became of this thread's last request.

    Attributes:
        whole: did it leave in full? Until then no server can have accepted it.
        used: was its connection one that served before?
    """

    whole = False
    used = False


class Transport(BaseAdapter):
    """Takes a session's requests to their servers.

    Attributes:
        passage: what became of this thread's last request.
    """

    def __init__(self, guard: Callable[[], None]) -> None:
        super().__init__()
        self.passage = Passage()
        self._guard = guard
        self._idle: dict[Place, list[HTTPConnection]] = {}
        weakref.finalize(self, _close, self._idle)  # a session that nobody closes: its account is gone from the config

    def send(self, request: requests.PreparedRequest, *_: Any, **given: Any) -> requests.Response:
        """The answer, read in full, whatever ``stream`` says.

        Args:
            request: its body is held in memory as a whole.
            given: ``timeout``, seconds to connect and seconds of silence to bear, or one number for both; ``verify``,
                True for the usual certificates or the name of a file with others. Nothing else counts.

        Raises:
            HTTPError, HTTPException, OSError, ValueError: what broke.
            Outcome: the guard's.
        """
        place = _place(request.url or "", certificates=given["verify"])
        timeout = given["timeout"]
        limits = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        line = self._line(place)
        try:
            answer = self._exchanged(line, request, limits)
        except BaseException:
            line.close()
            raise
        self._keep(place, line)
        return answer

    def close(self) -> None:
        """Keep no connection for the next request."""
        _close(self._idle)

    def _line(self, place: Place) -> HTTPConnection:
        """A connection that lies idle and is not dead, or a new one that is not yet connected."""
        idle = self._idle.setdefault(place, [])
        with suppress(IndexError):  # none is left
            while True:
                line = idle.pop()
                if line.is_connected:  # and nothing has come on it that nobody asked for
                    return line
                line.close()
        if place.trusted:
            return HTTPSConnection(place.host, place.port, ssl_context=_trusting(place.trusted))
        return HTTPConnection(place.host, place.port)

    def _keep(self, place: Place, line: HTTPConnection) -> None:
        idle = self._idle.setdefault(place, [])
        if line.is_closed or len(idle) >= KEPT:
            line.close()
        else:
            idle.append(line)

    def _exchanged(
        self, line: HTTPConnection, request: requests.PreparedRequest, limits: tuple[float | None, float | None]
    ) -> requests.Response:
        self.passage.whole, self.passage.used = False, not line.is_closed
        if line.is_closed:
            line.timeout = limits[0]
            with lent():
                line.connect()
        line.sock.settimeout(limits[1])
        self._hand_over(line, request)
        hearing = Hearing(line.sock)
        with nullcontext() if _is_there(line, hearing) else lent():
            answer = hearing.answer(request.method or "", most=LARGEST)
        if not answer.lasting:
            line.close()
        return _response(request, answer)

    def _hand_over(self, line: HTTPConnection, request: requests.PreparedRequest) -> None:
        body = _body(request)
        head = _head(line, request)
        self._guard()  # connecting takes time: asked again as late as can be
        try:
            if len(body) < AT_ONCE:
                line.sock.sendall(head + body)
            else:
                with lent():
                    _send(line, head, body)
        except BrokenPipeError:
            return  # the server has hung up; it may have said why
        self.passage.whole = True
        reach("send: request written")


def _send(line: HTTPConnection, head: bytes, body: bytes) -> None:
    """Piece by piece, for the time limit is one for each piece: a slow line is not a silent one."""
    line.sock.sendall(head)
    for at in range(0, len(body), AT_ONCE):
        line.sock.sendall(memoryview(body)[at : at + AT_ONCE])


def _body(request: requests.PreparedRequest) -> bytes:
    """What follows the head of a request, be it bytes, text, a file or pieces."""
    body: Any = request.body or b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    whole = body.read() if hasattr(body, "read") else b"".join(body)
    whole = whole.encode() if isinstance(whole, str) else whole
    request.headers.pop("Transfer-Encoding", None)
    request.headers["Content-Length"] = str(len(whole))
    return bytes(whole)


def _head(line: HTTPConnection, request: requests.PreparedRequest) -> bytes:
    """The head of a request. ``requests`` has looked at its address and at each header; a line too many is looked for here.

    Raises:
        ValueError: it would not be what it should.
    """
    host = f"[{line.host}]" if ":" in line.host else line.host
    headers = {"Host": host if line.port == line.default_port else f"{host}:{line.port}"} | dict(request.headers)
    told = (f"{name}: {_text(value)}" for name, value in headers.items())
    head = "\r\n".join((f"{request.method} {request.path_url} HTTP/1.1", *told, "", ""))
    if head.count("\n") != len(headers) + 2 or head.count("\r") != len(headers) + 2:
        raise ValueError("a line break in a header")
    return head.encode("latin-1")


def _text(value: Any) -> str:
    """A header's value, which requests takes as text and as bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _close(idle: dict[Place, list[HTTPConnection]]) -> None:
    for place in list(idle):
        for line in idle.pop(place, []):
            line.close()


def _place(url: str, *, certificates: Literal[True] | str) -> Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return Place(host, parts.port or 80, "")
    return Place(host, parts.port or 443, DEFAULT_CA_BUNDLE_PATH if certificates is True else certificates)


@cache
def _trusting(certificates: str) -> ssl.SSLContext:
    """Made once, for reading all certificates takes longer than connecting."""
    context = create_urllib3_context()
    context.load_verify_locations(certificates)
    return context


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.request, response.url = request, request.url or ""
    response.status_code, response.reason = answer.status, answer.reason
    for name, value in answer.headers:
        before = response.headers.get(name)
        response.headers[name] = value if before is None else f"{before}, {value}"
    response.encoding = get_encoding_from_headers(response.headers)
    response._content = _unpacked(answer.content, response.headers)  # noqa: SLF001 - where requests keeps what it has read
    response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    return response


def _unpacked(content: bytes, headers: Mapping[str, str]) -> bytes:
    packed = headers.get("Content-Encoding")
    if not packed or not content:
        return content
    whole = HTTPResponse(BytesIO(content), headers={"Content-Encoding": packed}, preload_content=False)
    content = whole.read(LARGEST + 1, decode_content=True)
    if len(content) > LARGEST:
        raise TooLong("unpacked")
    return content


class Haste:
    """Whether a server's answers come at once, learned from how they came."""

    def __init__(self) -> None:
        self._late = self._left = 0

    def is_likely(self) -> bool:
        """Whether to wait for its next answer."""
        self._left -= 1
        return self._left < 0

    def learn(self, *, came: bool) -> None:
        """It came, or did not; the more did not, the longer none is waited for."""
        self._late = 0 if came else min(self._late + 1, PATIENT)
        self._left = 2**self._late - 1


_hastes: dict[tuple[str, int], Haste] = {}
"""Of each server; accounts on the same one share it."""


def _is_there(line: HTTPConnection, hearing: Hearing) -> bool:
    """Whether the whole answer is there, or is as soon as it takes to let others think and to be back.

    Not under TLS, where nobody can tell whether there is something to read; and nobody answers that fast from afar.
    """
    if isinstance(line.sock, ssl.SSLSocket):
        return False
    haste = _hastes.setdefault((line.host, line.port or 0), Haste())
    if not haste.is_likely():
        return False
    came = wait_for_read(line.sock, HASTE)
    haste.learn(came=came)
    if came:
        hearing.take()
    return came and hearing.is_whole()
