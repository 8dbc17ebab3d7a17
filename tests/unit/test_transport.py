"""Connections that are kept, bodies of every shape, answers that are packed or too long, and who may think meanwhile."""

from __future__ import annotations

import contextlib
import gc
import gzip
import io
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from reverberate import transport
from reverberate.errors import Transient, Unsure
from reverberate.http import Session
from reverberate.testing import Reply, ScriptedServer
from reverberate.transport import Haste
from support.raw import answering, heard, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

CAFE = "café".encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(timeout=(2.0, 5.0)) as made:
        yield made


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda _: Reply()) as running:
        yield running


class Counting:
    """A server that answers each request alike, and counts connections and requests."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self._listener, self._answer = socket.create_server(("127.0.0.1", 0)), answer
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.connections, self.requests, self.ended = 0, 0, threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                line, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, contextlib.suppress(ConnectionError):  # the client may hang up as it likes
            while heard(line):
                self.requests += 1
                line.sendall(self._answer)
        self.ended.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def counting(request: pytest.FixtureRequest) -> Iterator[Counting]:
    made = Counting(getattr(request, "param", ANSWER))
    yield made
    made.close()


def test_a_connection_is_used_again(session: Session, counting: Counting) -> None:
    for _ in range(5):
        session.post(counting.url, data=b"x")
    assert (counting.connections, counting.requests) == (1, 5)


def test_none_is_where_the_session_says_so(session: Session, counting: Counting) -> None:
    session.lasting = False
    for _ in range(3):
        session.post(counting.url)
    assert counting.connections == 3


@pytest.mark.parametrize(
    "counting",
    [ANSWER.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), ANSWER + b"HTTP/1.1 200 OK\r\nContent-Le"],
    ids=["closing", "more than was asked for"],
    indirect=True,
)
def test_one_that_the_server_ends_or_says_too_much_on_is_not(session: Session, counting: Counting) -> None:
    for _ in range(3):
        assert session.post(counting.url).json() == {}
    assert counting.connections == 3


def test_requests_at_the_same_time_have_a_connection_each(session: Session, counting: Counting) -> None:
    threads = [threading.Thread(target=session.post, args=(counting.url,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert counting.requests == 8
    assert 1 <= counting.connections <= 8


def test_a_session_that_is_let_go_closes_its_connections(counting: Counting) -> None:
    session = Session()
    session.post(counting.url)
    del session
    gc.collect()
    assert counting.ended.wait(5)


def test_no_cookie_of_a_server_goes_back_to_it(session: Session, server: ScriptedServer) -> None:
    server.script.append(Reply(headers={"Set-Cookie": "seen=1; Path=/"}))
    session.post(server.url)
    session.post(server.url)
    session.get(server.url)
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None, None]


@pytest.mark.parametrize(
    "body",
    [CAFE, "café", bytearray(CAFE), lambda: io.BytesIO(CAFE), lambda: io.StringIO("café"), lambda: iter([CAFE[:4], CAFE[4:]])],
    ids=["bytes", "text", "buffer", "file", "text file", "pieces"],
)  # fmt: skip
def test_a_body_of_any_shape_arrives_whole(session: Session, server: ScriptedServer, body: Any) -> None:
    assert session.post(server.url, data=body() if callable(body) else body).ok

    (asked,) = server.asked
    assert asked.body == CAFE
    assert asked.headers["content-length"] == "5"
    assert "transfer-encoding" not in asked.headers


def test_a_large_body_arrives_whole(session: Session, server: ScriptedServer) -> None:
    assert session.post(server.url, files={"file": ("a.bin", b"x" * 3_000_000, "image/png")}).ok
    assert b"x" * 3_000_000 in server.asked[0].body


def test_a_line_that_is_slow_and_not_silent_may_take_longer_than_silence_may(session: Session) -> None:
    """The limit is for each piece; ``socket.sendall`` by itself takes it for the whole."""
    session.timeout = (2.0, 0.5)
    heard_of: list[int] = []

    def slowly(line: socket.socket) -> None:
        got = 0
        while got < 12_000_000:
            got += len(line.recv(100_000))
            time.sleep(0.01)
        heard_of.append(got)
        line.sendall(ANSWER)

    with raw(slowly) as place:
        assert session.post(f"http://{place}/", data=b"x" * 12_000_000).ok
    assert heard_of[0] >= 12_000_000


def test_a_line_break_in_a_header_lets_nothing_leave(session: Session, server: ScriptedServer) -> None:
    """``requests`` looks for them too, unless a plug-in writes into the prepared request."""
    import requests  # noqa: PLC0415 - only here

    prepared = session.prepare_request(requests.Request("POST", server.url, data=b"x"))
    prepared.headers["X-Note"] = "a\r\nX-Forged: b"
    with pytest.raises(Transient):
        session.send(prepared)
    assert (server.asked, session.wrote) == ([], False)


def test_an_answer_is_unpacked(session: Session, server: ScriptedServer) -> None:
    server.script.append(Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b'{"id": 1}')))
    assert session.post(server.url).json() == {"id": 1}
    server.script.append(Reply(headers={"Content-Encoding": "gzip"}, body=b""))
    assert session.post(server.url).content == b""


def test_an_answer_that_is_too_long_as_it_comes_or_unpacked_fills_no_memory(
    session: Session, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST", 2**20)
    for reply in (
        Reply(body=b"x" * (2**20 + 1)),
        Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"x" * 2**24)),
    ):
        server.script.append(reply)
        with pytest.raises(Unsure, match="answered with more than"):
            session.post(server.url)


def test_headers_of_the_same_name_are_one(session: Session) -> None:
    answer = b"HTTP/1.1 200 OK\r\nLink: <a>\r\nlink: <b>\r\nContent-Length: 0\r\n\r\n"
    with raw(answering(answer)) as place:
        assert session.get(f"http://{place}/").headers["Link"] == "<a>, <b>"


def test_a_server_that_answers_before_it_has_heard_all_is_heard(session: Session) -> None:
    """It refuses what is too large by the head alone, and hangs up; what it said counts, and nothing was accepted."""

    def refuse(line: socket.socket) -> None:
        while b"\r\n\r\n" not in line.recv(65536):
            pass
        line.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        time.sleep(0.2)

    with raw(refuse) as place:
        try:
            found: object = session.post(f"http://{place}/", data=b"x" * 20_000_000).status_code
        except Transient:
            found = 413  # the reset came first, which takes the answer away
    assert found == 413
    assert not session.wrote


def test_an_answer_that_comes_at_once_is_read_without_handing_the_baton_on(
    session: Session, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    lendings: list[int] = []
    monkeypatch.setattr(transport, "HASTE", 5.0)
    monkeypatch.setattr(transport, "lent", lambda: lendings.append(1) or contextlib.nullcontext())
    for _ in range(10):
        session.post(counting.url)
    assert len(lendings) == 1  # for connecting


def test_who_answers_late_is_waited_for_less_and_less() -> None:
    haste, tried = Haste(), []
    for number in range(200):
        if haste.is_likely():
            tried.append(number)
            haste.learn(came=False)
    assert tried[:5] == [0, 2, 6, 14, 30]
    assert len(tried) <= 200 / 16 + 5

    haste.learn(came=True)
    assert all(haste.is_likely() for _ in range(5))
