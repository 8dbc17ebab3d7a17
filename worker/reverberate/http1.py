"""An answer of HTTP/1.1, read from a socket. Source: RFC 9112.

The standard library reads them too, and takes each head for the head of a mail: an eighth of a worker's processor time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

PIECE = 65_536
"""Bytes that are taken from the socket at a time."""
LONGEST_HEAD, MOST_HEADERS, MOST_HEADS = 65_536, 100, 10
END = re.compile(rb"\r?\n\r?\n")
STATUS = re.compile(rb"HTTP/1\.([01]) +([0-9]{3})(?: (.*))?")
LENGTH = re.compile(r"[0-9]{1,15}")
TOLD = re.compile(rb"(?i)\ncontent-length: *([0-9]{1,9})\r?\n")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")


class TooLong(HTTPException):
    """The answer is longer than is allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        status: the number.
        reason: the words beside it, or "".
        headers: as they came, in their order.
        content: the body, without its transfer coding.
        lasting: whether the connection may be used again.
    """

    status: int
    reason: str
    headers: list[tuple[str, str]]
    content: bytes
    lasting: bool


class Hearing:
    """Reads the one answer that a socket is about to give."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._data, self._at = line, b"", 0  # what was taken, and how much of it was read

    def take(self) -> None:
        """Take what is there, or wait for some.

        Raises:
            RemoteDisconnected: there is nothing, and nothing will come.
            IncompleteRead: the rest will not come.
            OSError: the connection broke, or was silent for too long.
        """
        more = self._line.recv(PIECE)
        if not more:
            raise IncompleteRead(self._data) if self._data else RemoteDisconnected("hung up without an answer")
        self._data, self._at = self._data[self._at :] + more, 0

    def is_whole(self) -> bool:
        """Whether the answer is certainly here; of one that does not tell its length, nobody knows."""
        end = END.search(self._data)
        length = TOLD.search(self._data, 0, end.end()) if end else None
        return end is not None and length is not None and len(self._data) - end.end() >= int(length[1])

    def answer(self, method: str, *, most: int) -> Answer:
        """The answer to a request of that method, with a body of at the most so many bytes.

        Raises:
            HTTPException: it is none, or too long.
            OSError: as ``take``.
        """
        for _ in range(MOST_HEADS):
            head = self._head()
            if head.status >= 200:
                break
        else:
            raise TooLong("interim answers without end")
        body, ended = self._body(method, head, most)
        lasting = ended and head.lasts and self._at == len(self._data)  # what nobody asked for is no answer to the next
        return Answer(head.status, head.reason, head.headers, body, lasting)

    def _body(self, method: str, head: _Head, most: int) -> tuple[bytes, bool]:
        """What follows the head, and whether it has an end of its own."""
        coding, length = head.told("transfer-encoding"), head.told("content-length")
        if method == "HEAD" or head.status in {204, 304}:
            return b"", True
        if coding is not None and coding.lower() != "chunked":
            raise HTTPException("a transfer coding that nobody asked for")
        if coding is not None:
            return self._chunks(most), True
        if length is not None:
            return self._exactly(_number(length), most), True
        return self._rest(most), False

    def _head(self) -> _Head:
        seen = 0
        while (end := END.search(self._data, max(self._at, seen - 3))) is None:
            seen = len(self._data) - self._at
            if seen > LONGEST_HEAD:
                raise TooLong("the head")
            self.take()
        lines = self._data[self._at : end.start()].split(b"\n")
        if end.start() - self._at > LONGEST_HEAD or len(lines) > MOST_HEADERS:
            raise TooLong("the head")
        self._at = end.end()
        first = STATUS.fullmatch(lines[0].rstrip(b"\r"))
        if first is None:
            raise BadStatusLine(lines[0][:100].decode("latin-1"))
        return _Head(int(first[2]), (first[3] or b"").decode("latin-1").strip(), _headers(lines[1:]), first[1] == b"1")

    def _exactly(self, number: int, most: int) -> bytes:
        if number > most:
            raise TooLong(f"{number} bytes")
        if len(self._data) - self._at >= number:
            self._at += number
            return self._data[self._at - number : self._at]
        pieces = [self._data[self._at :]]
        missing = number - len(pieces[0])
        while missing > 0:
            self._data, self._at = self._line.recv(PIECE), 0
            if not self._data:
                raise IncompleteRead(b"".join(pieces), missing)
            self._at = min(missing, len(self._data))
            pieces.append(self._data[: self._at])
            missing -= self._at
        return b"".join(pieces)

    def _chunks(self, most: int) -> bytes:
        body = bytearray()  # not a list: of millions of small chunks, each would cost more than it holds
        while number := _size(self._told()):
            if len(body) + number > most:
                raise TooLong(f"{len(body) + number} bytes")
            body += self._exactly(number, most)
            if self._told():
                raise HTTPException("a chunk without its end")
        for _ in range(MOST_HEADERS):  # what servers say after the body, nobody asked for
            if not self._told():
                return bytes(body)
        raise TooLong("what follows the body")

    def _told(self) -> bytes:
        """One line."""
        while (end := self._data.find(b"\n", self._at)) < 0:
            if len(self._data) - self._at > LONGEST_HEAD:
                raise TooLong("a line")
            self.take()
        line, self._at = self._data[self._at : end], end + 1
        return line.rstrip(b"\r")

    def _rest(self, most: int) -> bytes:
        pieces = [self._data[self._at :]]
        there = len(pieces[0])
        self._at = len(self._data)
        while more := self._line.recv(PIECE):
            pieces.append(more)
            there += len(more)
            if there > most:
                raise TooLong(f"{there} bytes")
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    newer: bool

    def told(self, name: str) -> str | None:
        """What a header says, all of the same name together; None where there is none."""
        found = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(found) if found else None

    @property
    def lasts(self) -> bool:
        """Whether the server keeps the connection."""
        return self.newer and "close" not in (self.told("connection") or "").lower()


def _headers(lines: list[bytes]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in lines:
        text = line.decode("latin-1")
        name, colon, value = text.partition(":")
        if text[:1] in {" ", "\t"} and found:  # a line that goes on, as older servers fold them
            found[-1] = (found[-1][0], f"{found[-1][1]} {text.strip()}")
        elif colon:
            found.append((name.strip(), value.strip()))
    return found


def _number(told: str) -> int:
    """What Content-Length says; the same number twice is one."""
    numbers = {one.strip() for one in told.split(",")}
    if len(numbers) != 1 or not LENGTH.fullmatch(number := numbers.pop()):
        raise HTTPException("Content-Length is no number")
    return int(number)


def _size(told: bytes) -> int:
    size = SIZE.fullmatch(told)
    if size is None:
        raise HTTPException("a chunk without its size")
    return int(size[1], 16)
