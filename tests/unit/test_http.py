"""Each trouble of the transport becomes the right outcome, on real sockets."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.baton import PATIENCE, Baton
from reverberate.errors import Outcome, Transient, Unsure
from reverberate.http import USER_AGENT, Session
from reverberate.testing import Asked, Reply, ScriptedServer
from support.raw import answering, crowded, heard, raw, tls
from support.servers import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

BIG = b"x" * 20_000_000  # more than all buffers between two ends of a connection hold
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda _: Reply()) as running:
        yield running


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(timeout=(2.0, 5.0)) as made:
        yield made


def outcome(session: Session, method: str, url: str, **kwargs: object) -> Outcome:
    with pytest.raises(Outcome) as raised:
        session.request(method, url, **kwargs)  # type: ignore[arg-type]  # whatever requests takes
    return raised.value


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
class TestNothingCanHaveBeenAccepted:
    def test_a_refused_connection(self, session: Session, method: str) -> None:
        found = outcome(session, method, f"http://127.0.0.1:{(port := free_port())}/", data=b"x")

        assert (type(found), found.words) == (Transient, f"127.0.0.1:{port} refused the connection")
        assert not session.wrote

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "a..invalid"])
    def test_a_name_that_leads_nowhere(self, session: Session, method: str, host: str) -> None:
        found = outcome(session, method, f"http://{host}/")

        assert type(found) is Transient
        assert host in found.words

    def test_a_connection_that_is_not_answered(self, session: Session, method: str) -> None:
        session.timeout = (0.2, 5.0)
        with crowded() as url:
            found = outcome(session, method, url)
        assert type(found) is Transient
        assert "did not answer within 0.2 s" in found.words

    def test_a_server_that_speaks_no_tls(self, session: Session, method: str) -> None:
        def plain(line: socket.socket) -> None:
            line.recv(4096)
            line.sendall(ANSWER)

        with raw(plain) as place:
            found = outcome(session, method, f"https://{place}/", data=b"x")

        assert (type(found), session.wrote) == (Transient, False)
        assert found.words == f"{place} does not speak TLS as it should"

    def test_a_silent_handshake(self, session: Session, method: str) -> None:
        session.timeout = (0.2, 5.0)
        with raw(lambda line: line.recv(4096) and line.recv(4096)) as place:
            found = outcome(session, method, f"https://{place}/")
        assert (type(found), session.wrote) == (Transient, False)
        assert found.words == f"{place} did not answer within 0.2 s"

    def test_a_guard_that_says_no(self, session: Session, method: str, server: ScriptedServer) -> None:
        """Its very outcome comes out, and nothing reaches the server."""
        no = Transient("not now")

        def guard() -> None:
            raise no

        session.guard = guard
        assert outcome(session, method, server.url) is no
        assert (session.wrote, server.asked) == (False, [])


@pytest.mark.parametrize("reset", [False, True])
def test_a_body_that_did_not_leave_in_full_was_not_accepted(
    session: Session, server: ScriptedServer, reset: bool
) -> None:
    server.script.append(Reply(deaf=True, reset=reset))

    assert type(outcome(session, "POST", server.url, data=BIG)) is Transient
    assert not session.wrote


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 11, len(Reply().wire()) - 1])
def test_an_answer_that_breaks_off_leaves_a_question_only_after_a_write(
    session: Session, server: ScriptedServer, cut: int, reset: bool
) -> None:
    server.script.append(Reply(cut=cut, reset=reset))
    found = outcome(session, "POST", server.url, data=b"x")
    assert (type(found), session.wrote, len(server.asked)) == (Unsure, True, 1)
    assert found.words.startswith("the answer was lost: 127.0.0.1:")
    session.fresh()
    with raw(answering(ANSWER[: min(cut, len(ANSWER) - 1)])) as place:
        assert type(outcome(session, "GET", f"http://{place}/")) is Transient
    assert not session.wrote


def test_a_reset_after_the_whole_answer_takes_nothing_away(session: Session, server: ScriptedServer) -> None:
    """And the next request does not stumble over the dead connection."""
    server.script.append(Reply(cut=len(Reply().wire()), reset=True))
    assert session.post(server.url).json() == {}
    time.sleep(0.05)  # until the reset has come: before it, nobody can tell that the connection is dead
    assert session.post(server.url).ok
    assert len(server.asked) == 2


def test_silence_after_a_write_is_a_question_and_after_a_read_is_none(session: Session) -> None:
    session.timeout = (2.0, 0.15)
    for method, kind in (("POST", Unsure), ("GET", Transient)):
        with raw(lambda line: heard(line) and line.recv(1)) as place:
            found = outcome(session, method, f"http://{place}/")
        assert type(found) is kind
        assert "said nothing for 0.15 s" in found.words


@pytest.mark.parametrize(
    "answer",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_an_outcome_like_any_other(session: Session, answer: bytes) -> None:
    for method, kinds in (("POST", {Unsure, requests.Response}), ("GET", {Transient})):
        with raw(answering(answer)) as place:
            try:
                found: object = session.request(method, f"http://{place}/", data=b"x")
            except Outcome as raised:
                found = raised
        assert type(found) in kinds


def test_a_write_is_not_redirected_for_it_may_have_been_accepted(session: Session, server: ScriptedServer) -> None:
    """A server that takes the message, and then sends us to a page that is not there."""
    server.script.append(Reply(status=303, headers={"Location": f"http://127.0.0.1:{free_port()}/"}))

    assert session.post(server.url, data=b"x", allow_redirects=True).status_code == 303
    assert session.wrote


def test_a_read_is_redirected_but_not_for_ever(session: Session) -> None:
    seen: list[Asked] = []

    def onward(asked: Asked) -> Reply:
        seen.append(asked)
        return Reply(status=302, headers={"Location": "/again"})

    with ScriptedServer(onward) as server:
        found = outcome(session, "GET", server.url)
    assert (type(found), len(seen)) == (Transient, 6)
    assert "redirects without end" in found.words


def test_wrote_stays_true_until_the_next_attempt(session: Session, server: ScriptedServer) -> None:
    session.get(server.url)
    assert not session.wrote
    session.post(server.url)
    session.get(server.url)
    assert session.wrote
    session.fresh()
    assert not session.wrote


def test_threads_that_share_a_session_do_not_mix_up_what_left(session: Session, server: ScriptedServer) -> None:
    """One waits for its answer while the other is refused."""
    server.script.append(Reply(silent=1))
    session.timeout = (2.0, 0.2)
    found: list[Outcome] = []
    slow = threading.Thread(target=lambda: found.append(outcome(session, "POST", server.url, data=b"x")))
    slow.start()
    refused = outcome(session, "POST", f"http://127.0.0.1:{free_port()}/")
    slow.join(5)

    assert (type(refused), [type(one) for one in found], session.wrote) == (Transient, [Unsure], True)


def test_the_machine_s_proxies_and_passwords_are_left_alone(
    session: Session, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    session.get(server.url)

    assert "authorization" not in server.asked[0].headers
    assert server.asked[0].headers["user-agent"] == USER_AGENT


def test_a_stranger_s_certificate_ends_it_before_anything_is_sent(session: Session, tmp_path: Path) -> None:
    got: list[bytes] = []
    with tls(tmp_path, lambda line: got.append(line.recv(4096))) as (url, _):
        found = outcome(session, "POST", url, data=b"x")

    assert (type(found), session.wrote, got) == (Transient, False, [])


def test_over_tls_a_lost_answer_is_a_question_too(session: Session, tmp_path: Path) -> None:
    def reset(line: ssl.SSLSocket) -> None:
        assert heard(line).endswith(b"\r\n\r\nx")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with tls(tmp_path, reset) as (url, certificate):
        session.verify = certificate
        assert type(outcome(session, "POST", url, data=b"x")) is Unsure
    assert session.wrote


class Fickle:
    """A server that keeps its connections, and closes each as soon as a second request came in on it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.answered = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, suppress(ConnectionError):  # the client may hang up as it likes
                heard(line)
                self.answered += 1
                line.sendall(ANSWER)
                heard(line)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def fickle() -> Iterator[Fickle]:
    made = Fickle()
    yield made
    made.close()


def test_a_read_on_a_connection_that_the_server_gave_up_goes_out_again(session: Session, fickle: Fickle) -> None:
    assert [session.get(fickle.url).status_code for _ in range(3)] == [200, 200, 200]
    assert fickle.answered == 3


def test_a_write_on_a_connection_that_the_server_gave_up_is_unsure(session: Session, fickle: Fickle) -> None:
    session.get(fickle.url)

    assert type(outcome(session, "POST", fickle.url)) is Unsure


def test_after_such_a_read_no_connection_is_used_twice(session: Session, fickle: Fickle) -> None:
    session.get(fickle.url)
    session.get(fickle.url)

    assert not session.lasting
    assert session.post(fickle.url).status_code == 200


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 2\r\n\r\n{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}"),
    ],
    ids=["status", "head", "body"],
)
def test_others_think_while_an_answer_or_its_rest_is_awaited(session: Session, begins: bytes, ends: bytes) -> None:
    baton, waits, came = Baton(), threading.Event(), list[float]()

    def slowly(line: socket.socket) -> None:
        heard(line)
        line.sendall(begins)
        waits.set()
        time.sleep(PATIENCE * 0.8)
        line.sendall(ends)

    def asks(place: str) -> None:
        with baton.held():
            assert session.post(f"http://{place}/").json() == {}

    with raw(slowly) as place:
        asking = threading.Thread(target=asks, args=(place,))
        asking.start()
        assert waits.wait(5)
        began = time.monotonic()
        with baton.held():
            came.append(time.monotonic() - began)
        asking.join(5)
    baton.close()

    assert came[0] < PATIENCE * 0.5
