"""Answers of HTTP/1.1, whole, in pieces, cut off and malformed; the standard library's reader is the judge."""

from __future__ import annotations

import gzip
import io
import socket
import tracemalloc
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverberate.http1 import Answer, Hearing, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 100_000
BARE = {204, 304}  # an answer of these has no body, whatever its head says


class Line:
    """Gives its pieces one after the other, then nothing; what a socket would do that its peer has closed."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def recv(self, most: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > most:
            self._pieces.insert(0, piece[most:])
        return piece[:most]

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(b"".join(self._pieces)))


def heard(*pieces: bytes, method: str = "GET", most: int = MOST) -> Answer:
    return Hearing(Line(*pieces)).answer(method, most=most)  # type: ignore[arg-type]  # all it needs of a socket


def judged(whole: bytes, method: str = "GET") -> tuple[int, str, bytes]:
    """What the standard library makes of it."""
    judge = HTTPResponse(Line(whole), method=method)  # type: ignore[arg-type]  # as above
    judge.begin()
    return judge.status, judge.reason, judge.read()


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    "empty": b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "bare lines": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nall that comes",
    "older": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "unchanged": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "both": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
}
LASTING = {"length", "empty", "no reason", "bare lines", "chunks", "nothing", "unchanged", "interim", "both"}


@pytest.mark.parametrize("name", ANSWERS)
def test_it_reads_what_the_standard_library_reads_however_it_comes(name: str) -> None:
    whole = ANSWERS[name]
    expected = judged(whole)

    for size in (1, 2, 3, 7, len(whole)):
        found = heard(*(whole[at : at + size] for at in range(0, len(whole), size)))
        assert (found.status, found.reason, found.content) == expected
        assert found.lasting == (name in LASTING)


@pytest.mark.parametrize("name", sorted(set(ANSWERS) - {"to the end"}))
def test_one_that_breaks_off_is_never_taken_for_whole(name: str) -> None:
    whole = ANSWERS[name]
    for cut in range(len(whole)):
        with pytest.raises((HTTPException, OSError)):
            heard(whole[:cut])


def test_silence_and_a_beginning_are_told_apart() -> None:
    """A read that met a connection which the server gave up may go out again."""
    with pytest.raises(RemoteDisconnected):
        heard()
    with pytest.raises(IncompleteRead):
        heard(b"HTTP/1.1 2")


def test_the_answer_to_a_head_request_has_no_body() -> None:
    found = heard(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD")
    assert (found.content, found.lasting) == (b"", True)


def test_what_nobody_asked_for_ends_the_connection() -> None:
    """Else it would be taken for the answer to the next request."""
    for body in (b"Content-Length: 2\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"):
        found = heard(b"HTTP/1.1 200 OK\r\n" + body + ANSWERS["length"])
        assert (found.content, found.lasting) == (b"ok", False)


def test_headers_stay_as_they_came() -> None:
    found = heard(b"HTTP/1.1 200 OK\r\nA: b\r\na:  c \r\nnonsense\r\nLong: one\r\n two\r\nContent-Length: 0\r\n\r\n")
    assert found.headers == [("A", "b"), ("a", "c"), ("Long", "one two"), ("Content-Length", "0")]


@pytest.mark.parametrize(
    "answer",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 11,
    ],
)
def test_what_is_malformed_is_refused(answer: bytes) -> None:
    with pytest.raises(HTTPException):
        heard(answer + b"x" * 100)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65_536 + b"\r\n" + b"FFFF\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2;" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 200,
    ],
)
def test_what_has_no_end_in_sight_is_refused(answer: bytes) -> None:
    with pytest.raises(TooLong):
        heard(answer)


def test_whether_it_is_whole_is_told_only_where_its_length_is() -> None:
    def told(there: bytes) -> bool:
        hearing = Hearing(Line(there))  # type: ignore[arg-type]  # as above
        hearing.take()
        return hearing.is_whole()

    whole = ANSWERS["length"]
    assert told(whole)
    assert not any(told(whole[:cut]) for cut in range(1, len(whole)))
    assert not told(ANSWERS["chunks"])
    assert not told(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nContent-Length: 1\r\n\r\n")


tokens = st.text("abcXYZ-0", min_size=1, max_size=8)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    body = draw(st.binary(max_size=300))
    lines = [b"HTTP/1.1 %d Some words" % draw(st.integers(200, 599).filter(lambda number: number not in BARE))]
    lines += [f"X-{draw(tokens)}: {draw(tokens)}".encode() for _ in range(draw(st.integers(0, 4)))]
    if draw(st.booleans()):
        lines.append(b"content-length:%d" % len(body))
        return b"\r\n".join([*lines, b"", body])
    size = draw(st.integers(1, 100))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"Transfer-Encoding: Chunked", b"", chunks + b"0\r\n", b""])


@given(answers(), st.lists(st.integers(1, 50), max_size=30))
def test_any_answer_in_any_pieces_is_what_the_standard_library_reads(whole: bytes, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(whole[at : at + size])
        at += size
    found = heard(*pieces, whole[at:])

    assert (found.status, found.reason, found.content) == judged(whole)
    assert found.lasting


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda more: ANSWERS["chunks"][:50] + more)))
def test_whatever_comes_nothing_but_the_promised_errors_is_raised(rubbish: bytes) -> None:
    try:
        heard(rubbish)
    except (HTTPException, OSError):
        return


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_it_reads_from_a_real_socket_no_further_than_it_must() -> None:
    """One that waited for more than the answer would wait until the server hangs up."""
    packed = gzip.compress(b"hello")
    with pair() as (ours, theirs):
        ours.settimeout(2)
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(packed), packed))
        assert Hearing(ours).answer("GET", most=MOST).content == packed


def test_small_chunks_take_no_more_memory_than_they_hold() -> None:
    pieces = [b"2\r\nxy\r\n" * 10_000] * 10
    tracemalloc.start()
    try:
        found = heard(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *pieces, b"0\r\n\r\n", most=MOST * 2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.content == b"xy" * 100_000
    assert peak < 2_000_000
