"""What goes through the server: requests, answers, and how one leads to the other."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import formatdate
from enum import Enum
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_LINE = re.compile(r"([A-Z]{1,20}) (\S+) HTTP/1\.([01])")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
PHRASES = {status.value: status.phrase for status in HTTPStatus}
PAGE_MAY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may do: show itself. No script runs, nothing is loaded from elsewhere."""


class Garbled(ValueError):
    """What came is no HTTP request. The text says why."""


@dataclass(frozen=True)
class Request:
    """What a client asked.

    Attributes:
        method: in capitals.
        target: path and query, as they came.
        headers: by their names in small letters.
        base: the server's own address, as the client sees it.
        size: how many bytes it is, head and body.
        body: the bytes; still empty while only the head is known.
        lasts: whether the client wants the connection to go on.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    base: str
    size: int
    body: bytes = b""
    lasts: bool = True

    @classmethod
    def of(cls, head: bytes) -> Request:
        """The request that begins with this head.

        Raises:
            Garbled: it is none.
        """
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        match = FIRST_LINE.fullmatch(first)
        if match is None:
            raise Garbled("the first line is no request")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "transfer-encoding" in headers or not headers.get("content-length", "0").isdecimal():
            raise Garbled("a body must tell its length")
        return cls(
            method=match[1],
            target=match[2],
            headers=headers,
            base=f"http://{headers.get('host', 'localhost')}",
            size=len(head) + int(headers.get("content-length", "0")),
            lasts=match[3] == "1" and headers.get("connection", "").lower() != "close",
        )

    @cached_property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> dict[str, str]:
        """The last value of each."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as a form; empty if it is none."""
        if "form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The parts of a body in several parts, by their names; empty if it is none."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return {}
        whole = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        parts = whole.iter_parts() if whole.is_multipart() else ()
        found = (
            (part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in parts
        )
        return {name: contents for name, contents in found if isinstance(name, str) and isinstance(contents, bytes)}

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none, or if a text in it is no Unicode (half a surrogate pair)."""
        try:
            document = json.loads(self.body)
            if SURROGATE.search(self.body):
                json.dumps(document, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return None
        return document

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The body's fields, whether it is a JSON object or a form; empty if it is neither."""
        return self.json if isinstance(self.json, dict) else self.form

    @property
    def bearer(self) -> str:
        """The bearer token, or ""."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""


class Ending(Enum):
    """What becomes of the connection after an answer."""

    KEEP = "keep"
    """It waits for the next request."""
    CLOSE = "close"
    """It is closed in order."""
    RESET = "reset"
    """It breaks."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """How an answer leaves.

    Attributes:
        wait: seconds of silence first.
        most: only so many of its bytes leave; None is all.
        over: seconds that it is spread over.
        ending: what comes then.
    """

    wait: float = 0
    most: int | None = None
    over: float = 0
    ending: Ending = Ending.KEEP


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server says."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    sending: Sending = Sending()

    @classmethod
    def of(cls, document: Any, status: int = 200) -> Answer:
        """JSON."""
        return cls(status=status, body=json.dumps(document, ensure_ascii=False).encode())

    @classmethod
    def html(cls, text: str, status: int = 200) -> Answer:
        """A page that may run no script and load nothing from elsewhere."""
        headers = {"Content-Security-Policy": PAGE_MAY, "X-Content-Type-Options": "nosniff"}
        # same-origin, not no-referrer: with that a browser says "Origin: null" even of the page's own forms
        headers |= {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
        return cls(status=status, body=text.encode(), kind="text/html; charset=utf-8", headers=headers)

    @classmethod
    def elsewhere(cls, place: str, status: int = 303) -> Answer:
        """Look there."""
        return cls(status=status, headers={"Location": place})

    def told(self, **headers: str) -> Answer:
        """The same with these headers too; names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def encoded(self, *, body: bool = True) -> bytes:
        """The bytes of it; without the body for HEAD."""
        headers = {
            "Date": formatdate(time.time(), usegmt=True),
            "Content-Type": self.kind,
            "Content-Length": str(len(self.body)),
            **self.headers,
        }
        lines = (f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {self.status} {PHRASES.get(self.status, 'Unknown')}\r\n{''.join(lines)}\r\n"
        return head.encode("latin-1", "replace") + (self.body if body else b"")


@dataclass(frozen=True)
class Exchange:
    """How one request is dealt with, decided when its head is known.

    Attributes:
        answer: what is said to the whole request.
        cut: the connection breaks when so many bytes of the request were read, and nothing is said.
    """

    answer: Callable[[Request], Answer]
    cut: int | None = None


def plainly(answer: Callable[[Request], Answer]) -> Callable[[Request], Exchange]:
    """Every request is answered, and nothing breaks."""
    return lambda _head: Exchange(answer)
