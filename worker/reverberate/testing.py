"""For authors of plug-ins: one contract that every network keeps, and a server that misbehaves on demand.

A network's test is a class that inherits ``NetworkContract`` and says which network it is and how the vendor answers
when all is well; see docs/plugins.md. It needs pytest, and nothing else.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import pytest

from reverberate.errors import Outcome, Retired, Transient, Unsure
from reverberate.http import READS
from reverberate.model import Assurance, Card, Delivery, Message, Receipt
from reverberate.networks.base import Network  # noqa: TC001 - authors may resolve annotations
from reverberate.secrets import Secret
from reverberate.text.count import count
from reverberate.text.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LINK = "https://blog.example/2026/a-post"
CANARY = "canary-3f9d2c71e5b8"


@dataclass(frozen=True)
class Asked:
    """A request that the scripted server got, whole; header names in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the scripted server does with a request.

    Attributes:
        status, headers, body: the answer.
        cut: close the connection after so many bytes of the answer; 0 is before the first.
        silent: seconds to keep silent first.
        reset: reset the connection instead of closing it.
        deaf: do not even read the request's body.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut: int | None = None
    silent: float = 0.0
    reset: bool = False
    deaf: bool = False

    def wire(self) -> bytes:
        """The answer's bytes."""
        given = {"Content-Type": "application/json", **self.headers, "Content-Length": str(len(self.body))}
        lines = [f"HTTP/1.1 {self.status} Scripted", *(f"{name}: {value}" for name, value in given.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class ScriptedServer:
    """A real server on a loopback port: follows its script for requests that write, else answers as ``accept`` says.

    ``publishing`` is what the target of a request has in it that is to follow the script; "" is any that writes.
    """

    def __init__(self, accept: Callable[[Asked], Reply], *, publishing: str = "") -> None:
        self._accept, self._publishing = accept, publishing
        self.script: deque[Reply] = deque()
        self.asked: list[Asked] = []
        """Every request that was read whole, and that was not read over a sign-in."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with socket.create_connection(self._listener.getsockname(), timeout=1):
            pass  # wakes the listener
        self._thread.join(5)
        self._listener.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                while not self._closing.is_set() and self._exchange(connection):
                    pass
            except OSError as error:
                logging.getLogger(__name__).debug("the client went away: %s", error)

    def _exchange(self, connection: socket.socket) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return False
            head += received
        top, _, body = head.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        reply = self.script.popleft() if self.script and self.scripted(method, target) else None
        if reply is not None and reply.deaf:
            return self._leave(connection, reply)
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)
        return self._answer(connection, reply or self._accept(asked))

    def scripted(self, method: str, target: str) -> bool:
        """Whether a request is one that the script is for."""
        return method not in READS and "Session" not in target and "token" not in target and self._publishing in target

    def _answer(self, connection: socket.socket, reply: Reply) -> bool:
        if reply.silent and self._closing.wait(reply.silent):
            return False
        wire = reply.wire()
        if reply.cut is None:
            connection.sendall(wire)
            return True
        connection.sendall(wire[: reply.cut])
        return self._leave(connection, reply)

    def _leave(self, connection: socket.socket, reply: Reply) -> bool:
        if reply.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


def _is_secret(annotation: Any) -> bool:
    """Whether a setting is a secret, or may be one."""
    return annotation is Secret or Secret in get_args(annotation)


def a_delivery(*, serial: int = 1, text: str = f"A post, in short: {LINK}", link: str = LINK) -> Delivery:
    """A delivery to test with."""
    message = Message(
        parts=(text,), link=link, card=Card(url=link, title="A post", description="in short"), language="en"
    )
    return Delivery(serial=serial, key=f"key-{serial:08}", planned=datetime.now(UTC), message=message)


class NetworkContract:
    """What every network promises. Inherit it, and set:

    Attributes:
        network: the plug-in.
        settings: its settings that are no secrets, without ``api_base``, which the contract sets.
        secrets: what its secrets look like by their names, where not anything will do; each holds something
            that stands nowhere else. A name that is in ``settings`` is not made a secret.
        errors: the vendor's own error answers, and the outcome that each means.
        publishing: what only the address of the request has in it that makes a post, where others go before it
            (an upload, a container): that one is made to fail.

    and write ``accept``: the vendor's answer to a request when all is well. A network that speaks HTTP inherits
    ``HTTPNetworkContract``, which asks for more.
    """

    network: ClassVar[type[Network]]
    settings: ClassVar[Mapping[str, Any]] = {}
    secrets: ClassVar[Mapping[str, str]] = {}
    errors: ClassVar[Sequence[tuple[Reply, type[Outcome]]]] = ()
    publishing: ClassVar[str] = ""

    def delivery(self) -> Delivery:
        """What is sent; a network that takes no post without a picture gives it one."""
        return a_delivery()

    def accept(self, asked: Asked) -> Reply:
        """The vendor's answer when all is well."""
        raise NotImplementedError(
            f"{type(self).__name__} must say how the vendor answers {asked.method} {asked.target}"
        )

    # --- what the tests stand on

    @contextmanager
    def server(self) -> Iterator[ScriptedServer]:
        """The vendor, scripted."""
        with ScriptedServer(self.accept, publishing=self.publishing) as running:
            yield running

    def make(self, base: str, monkeypatch: pytest.MonkeyPatch) -> Network:
        """An account whose secrets all hold the canary, and whose patience is shorter than usual."""
        values: dict[str, Any] = dict(self.settings)
        for name, secret in self.canaries().items():
            monkeypatch.setenv(f"CONTRACT_{name}".upper(), secret)
            values[name] = Secret("env", f"CONTRACT_{name}".upper())
        if "api_base" in self.network.Settings.model_fields:
            values["api_base"] = base
        network = self.network("alice", self.network.Settings(**values))
        network.session.timeout = (2.0, 3.0)
        return network

    def canaries(self) -> dict[str, str]:
        """The account's secrets, by the names of its settings."""
        names = [name for name, info in self.network.Settings.model_fields.items() if _is_secret(info.annotation)]
        return {name: self.secrets.get(name, f"{CANARY}-{name}") for name in names if name not in self.settings}

    def outcome(self, network: Network, delivery: Delivery) -> Receipt | Outcome:
        """What a send comes to. Anything but a receipt or an outcome fails the test by itself."""
        try:
            return network.send(delivery)
        except Outcome as outcome:
            return outcome

    def met_by(self, reply: Reply, monkeypatch: pytest.MonkeyPatch) -> Receipt | Outcome:
        """What a send comes to when the vendor answers so."""
        with self.server() as server:
            server.script.append(reply)
            return self.outcome(self.make(server.url, monkeypatch), self.delivery())

    # --- the promises

    def test_it_says_what_it_is(self) -> None:
        """Name, title, assurance and limit are set and sane."""
        assert self.network.name == self.network.name.lower().strip()
        assert self.network.title
        assert isinstance(self.network.assurance, Assurance)
        assert isinstance(self.network.limit, Limit)
        assert self.network.limit.source, "a limit names the document that says so"
        assert 0 < count("x", self.network.limit) <= self.network.limit.maximum

    def test_a_message_becomes_a_receipt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The receipt has an id; the network that is gone says so."""
        with self.server() as server:
            result = self.outcome(self.make(server.url, monkeypatch), self.delivery())

        assert isinstance(result, Receipt | Retired)
        assert isinstance(result, Retired) or result.remote_id

    def test_the_same_delivery_asks_for_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two attempts at one delivery send the same bytes to the same address."""
        delivery = self.delivery()
        with self.server() as server:
            network = self.make(server.url, monkeypatch)
            for _ in range(2):
                self.outcome(network, delivery)
            writes = [(a.target, a.body) for a in server.asked if server.scripted(a.method, a.target)]

        assert len(set(writes)) <= 1


class HTTPNetworkContract(NetworkContract):
    """What every network promises that is spoken to over HTTP."""

    def test_a_thread_is_sent_or_refused_and_never_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A message of several parts is never sent as a part of it only."""
        one = self.delivery()
        thread = replace(one, message=replace(one.message, parts=("first", "second"), card=None))
        with self.server() as server:
            result = self.outcome(self.make(server.url, monkeypatch), thread)
            bodies = b"".join(asked.body for asked in server.asked)

        assert isinstance(result, Outcome) or (b"first" in bodies and b"second" in bodies)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 413, 422, 426, 429, 500, 502, 503, 504])
    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>no</html>", b'{"error": "no", "message": null}'])
    def test_every_error_answer_is_an_outcome(self, status: int, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the body; and a server that failed after it had the message leaves us unsure."""
        result = self.met_by(Reply(status=status, body=body), monkeypatch)

        assert isinstance(result, Outcome)
        assert result.status == status
        assert result.words
        if status >= 500:
            assert isinstance(result, Unsure)

    def test_the_vendors_own_errors_mean_what_the_table_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The table that the test brings."""
        found = [(reply.body[:80], type(self.met_by(reply, monkeypatch))) for reply, _ in self.errors]

        assert [outcome for _, outcome in found] == [meant for _, meant in self.errors], found

    def test_a_success_that_cannot_be_read_is_unsure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server said yes; what it made of it is not known."""
        for body in (b"", b"<html>yes</html>", b"[1]", b'"yes"'):
            result = self.met_by(Reply(status=200, body=body), monkeypatch)

            assert isinstance(result, Unsure | Receipt), body

    def test_nobody_there_is_transient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A refused connection, a name that does not resolve, a server that speaks no TLS."""
        with self.server() as server:
            addresses = [server.url.replace("http:", "https:"), "http://no-such-host.invalid"]
        addresses.append(server.url)  # closed by now
        for address in addresses:
            assert isinstance(self.outcome(self.make(address, monkeypatch), self.delivery()), Transient), address

    @pytest.mark.parametrize("cut", [0, 1, 12, 60, -1])
    @pytest.mark.parametrize("reset", [False, True])
    def test_a_lost_answer_is_unsure(self, cut: int, reset: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - parametrised
        """The whole request was read; the answer broke off at some byte."""
        body = b'{"id": "1", "data": {"id": "1"}, "uri": "at://a/b/c", "long": "' + b"x" * 200 + b'"}'
        result = self.met_by(Reply(status=200, body=body, cut=cut, reset=reset), monkeypatch)

        assert isinstance(result, Unsure)

    def test_silence_is_unsure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The request was read, and then nothing came."""
        with self.server() as server:
            server.script.append(Reply(silent=5))
            network = self.make(server.url, monkeypatch)
            network.session.timeout = (2.0, 0.5)
            assert isinstance(self.outcome(network, self.delivery()), Unsure)

    def test_no_secret_is_in_any_text(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """Not in a repr, an error or anybody's log, even where the server repeats it."""
        caplog.set_level(logging.DEBUG)
        secrets = {CANARY, *self.canaries().values()}
        echo = " ".join(sorted(secrets - {CANARY})).encode()
        texts: list[str] = []
        with self.server() as server:
            network = self.make(server.url, monkeypatch)
            texts += [repr(network), repr(network.settings), str(network.settings), repr(network.session)]
            replies = [Reply(status=s, body=b'{"error": "' + echo + b'"}') for s in (400, 401, 403, 500)]
            for reply in [*replies, Reply(cut=0), Reply(cut=3, reset=True)]:
                server.script.append(reply)
                result = self.outcome(network, self.delivery())
                texts += [str(result), repr(result), repr(getattr(result, "words", ""))]
                texts += [repr(result.__context__), repr(result.__cause__)] if isinstance(result, Outcome) else []

        assert [text for text in [*texts, caplog.text] if any(secret in text for secret in secrets)] == []
