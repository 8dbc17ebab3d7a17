"""The sandbox's own HTTP server: keep-alive, order, and connections that break exactly where they should."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reverberate.sandbox import server as module
from reverberate.sandbox.exchange import Answer, Ending, Exchange, Garbled, Request, Sending, plainly
from reverberate.sandbox.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n"


def echo(request: Request) -> Answer:
    return Answer(body=request.body or request.path.encode(), kind="text/plain")


@contextmanager
def serving(begin: Callable[[Request], Exchange], *, admits: Callable[[], bool] = lambda: True) -> Iterator[Server]:
    server = Server(begin, admits=admits)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        yield line


def heard(line: socket.socket) -> bytes:
    """Everything until the server ends the connection in order."""
    data = b""
    while piece := line.recv(65536):
        data += piece
    return data


def broken(server: Server, data: bytes) -> bool:
    """Whether the connection breaks: when it is made, while this is sent, or after."""
    try:
        with connected(server) as line:
            line.sendall(data)
            line.recv(1)
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def answer(line: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer on a connection that goes on."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += line.recv(1)
    length = next(int(one.split(b":")[1]) for one in data.split(b"\r\n") if one.startswith(b"Content-Length"))
    body = b""
    while len(body) < length:
        body += line.recv(length - len(body))
    return data, body


def test_several_requests_are_answered_on_one_connection() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        for word in (b"first", b"other"):
            line.sendall(HEAD + word)
            head, body = answer(line)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body == word


def test_requests_that_arrive_together_are_answered_in_order() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(HEAD + b"first" + HEAD + b"other")

        assert [answer(line)[1], answer(line)[1]] == [b"first", b"other"]


def test_a_request_may_arrive_byte_by_byte() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HEAD + b"whole":
            line.sendall(bytes([byte]))

        assert answer(line)[1] == b"whole"


@pytest.mark.parametrize("first", [b"GET /x HTTP/1.0\r\n\r\n", b"GET /x HTTP/1.1\r\nConnection: Close\r\n\r\n"])
def test_the_connection_ends_when_the_client_wants_it(first: bytes) -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(first)

        assert heard(line).endswith(b"\r\n\r\n/x")


def test_head_is_answered_without_a_body() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(b"HEAD /long HTTP/1.0\r\n\r\n")
        said = heard(line)

    assert b"Content-Length: 5\r\n" in said
    assert said.endswith(b"\r\n\r\n")


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert line.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"hello")

        assert answer(line)[1] == b"hello"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so_and_the_connection_ends(nonsense: bytes) -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(nonsense)

        assert heard(line).startswith(b"HTTP/1.1 400 ")
    with pytest.raises(Garbled):
        Request.of(nonsense)


def test_a_body_that_is_too_large_is_refused_before_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BODY", 4)
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(HEAD)

        assert heard(line).startswith(b"HTTP/1.1 413 ")


def test_a_head_without_end_is_not_read_for_ever() -> None:
    with serving(plainly(echo)) as server:
        assert broken(server, b"x" * 10_000_000)


def test_half_a_request_is_never_dealt_with() -> None:
    """A server that took half a message for a whole one would break the rule that the clients go by."""
    seen: list[bytes] = []
    with serving(plainly(lambda request: seen.append(request.body) or Answer())) as server, connected(server) as line:  # type: ignore[func-returns-value]  # None is false
        line.sendall(HEAD + b"hell")
        line.shutdown(socket.SHUT_WR)
        assert heard(line) == b""
    assert seen == []


@pytest.mark.parametrize("byte", [0, 10, len(HEAD), len(HEAD) + 1, len(HEAD) + 5, 10_000])
def test_a_request_can_be_cut_at_any_byte(byte: int) -> None:
    seen: list[Request] = []
    exchange = Exchange(lambda request: seen.append(request) or Answer(), cut=byte)  # type: ignore[func-returns-value]  # None is false
    with serving(lambda _head: exchange) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    assert seen == []


@pytest.mark.parametrize("most", [0, 1, 17, 60])
@pytest.mark.parametrize("ending", [Ending.RESET, Ending.CLOSE])
def test_an_answer_can_be_cut_at_any_byte(most: int, ending: Ending) -> None:
    given = Answer(body=b"hello", sending=Sending(most=most, ending=ending))
    with serving(lambda _head: Exchange(lambda _request: given)) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        data = b""
        while len(data) < most:
            data += line.recv(most - len(data))
        if ending is Ending.RESET:
            with pytest.raises(ConnectionResetError):
                line.recv(1)
        else:
            assert line.recv(1) == b""
    assert dateless(given.encoded()).startswith(dateless(data))


def dateless(data: bytes) -> bytes:
    """Without the second at which it was made."""
    return re.sub(rb"Date: [^\r]*", b"Date: now", data)


def test_an_answer_can_drip() -> None:
    given = Answer(body=b"x" * 400, sending=Sending(over=0.1))
    with serving(lambda _head: Exchange(lambda _request: given)) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        began = time.monotonic()
        _, body = answer(line)
        took = time.monotonic() - began

        assert body == b"x" * 400
        assert took >= 0.08
        line.sendall(HEAD + b"hello")  # and the connection goes on
        assert answer(line)[1] == b"x" * 400


def test_silence_ends_when_the_server_is_stopped() -> None:
    given, begun = Answer(sending=Sending(wait=30, most=0, ending=Ending.CLOSE)), threading.Event()

    def begin(_head: Request) -> Exchange:
        begun.set()
        return Exchange(lambda _request: given)

    with serving(begin) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        assert begun.wait(5)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5
        assert line.recv(1) == b""


def test_a_stopped_server_answers_no_more_on_connections_that_were_open() -> None:
    with serving(plainly(echo)) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        answer(line)
        server.stop()

        assert line.recv(1) == b""


def test_a_connection_can_be_refused_before_anything_is_read() -> None:
    words = iter([False, True])
    with serving(plainly(echo), admits=lambda: next(words)) as server:
        assert broken(server, HEAD + b"hello")
        with connected(server) as line:
            line.sendall(HEAD + b"hello")
            assert answer(line)[1] == b"hello"


def test_a_bug_in_the_sandbox_is_an_answer_and_a_log_not_silence(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_request: Request) -> Answer:
        raise ValueError("a bug")

    with serving(plainly(broken)) as server, connected(server) as line:
        line.sendall(HEAD + b"hello")
        assert answer(line)[0].startswith(b"HTTP/1.1 500 ")
    assert "a bug" in caplog.text


def test_a_port_can_be_taken_again_at_once() -> None:
    with serving(plainly(echo)) as first, connected(first) as line:
        line.sendall(HEAD + b"hello")
        answer(line)
        port = int(first.url.rsplit(":", 1)[1])
        first.stop()
        again = Server(plainly(echo), port=port)
    assert again.url == first.url
    again.stop()


def test_a_body_is_read_as_what_it_is() -> None:
    form = Request.of(b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n")
    posted = Request(form.method, "/p?a=1&a=2&b=", form.headers, "http://h", 0, b"text=a+b&c=%C3%A9")

    assert (posted.path, posted.query) == ("/p", {"a": "2", "b": ""})
    assert posted.form == posted.fields == {"text": "a b", "c": "é"}
    assert posted.json is None


@pytest.mark.parametrize("body", [rb'{"a": "\ud800"}', b"[" * 100_000, b"\xff", b""])
def test_what_is_no_json_of_whole_characters_is_none(body: bytes) -> None:
    assert Request("POST", "/", {}, "", 0, body).json is None


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert Request("POST", "/", {}, "", 0, rb'{"a": "\ud83c\udf89"}').json == {"a": "🎉"}


@pytest.mark.parametrize(
    ("header", "token"), [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("", "")]
)
def test_the_bearer_token_is_found(header: str, token: str) -> None:
    assert Request("GET", "/", {"authorization": header}, "", 0).bearer == token
