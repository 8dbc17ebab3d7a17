"""The connection breaks at every byte of a request and of its answer; what is then believed is never false."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from reverberate.errors import Outcome, Transient, Unsure
from reverberate.model import Receipt
from reverberate.networks.kin import kin_of
from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.secrets import Secret
from reverberate.testing import LINK, a_delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Meet = Callable[[str], Receipt | Outcome]

STATUS = json.dumps({"id": "109", "url": "https://m.example/@a/109", "content": "<p>Hello</p>", "created_at": "now"})
ANSWER = (
    f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-RateLimit-Remaining: 299\r\n"
    f"Content-Length: {len(STATUS)}\r\n\r\n{STATUS}"
).encode()


@dataclass
class Cutter:
    """A server that reads so many bytes of a request and sends so many of the answer, then hangs up."""

    reads: int | None = None
    sends: int | None = None
    reset: bool = False
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[Cutter]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(listener, stop), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            with socket.create_connection(listener.getsockname(), timeout=1):
                pass  # wakes the thread
            thread.join(5)
            listener.close()

    def _run(self, listener: socket.socket, stop: threading.Event) -> None:
        while True:
            line, _ = listener.accept()
            with line:
                if stop.is_set():
                    return
                line.settimeout(5)
                self._meet(line)

    def _meet(self, line: socket.socket) -> None:
        request = b""
        while not _whole(request) and (self.reads is None or len(request) < self.reads):
            more = line.recv(1 if self.reads is not None else 65536)
            if not more:
                break
            request += more
        self.requests.append(request)
        if _whole(request):
            line.sendall(ANSWER[: self.sends])
        if self.reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _whole(request: bytes) -> bool:
    head, found, body = request.partition(b"\r\n\r\n")
    if not found:
        return False
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


@pytest.fixture
def outcome_of(monkeypatch: pytest.MonkeyPatch) -> Meet:
    """What the real client makes of a meeting with the server."""
    monkeypatch.setenv("CUT_TOKEN", "token")

    def meet(url: str) -> Receipt | Outcome:
        settings = MastodonSettings(instance=url, access_token=Secret("env", "CUT_TOKEN"))
        network = Mastodon("a", settings)
        network.known.learn("kin", kin_of("mastodon"), now=network.now())  # nothing is asked for before the post
        try:
            return network.send(a_delivery(text=f"{'word ' * 60}{LINK}"))
        except Outcome as outcome:
            return outcome

    return meet


@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_that_breaks_off_at_any_byte_leaves_a_question(outcome_of: Meet, reset: bool) -> None:
    """The network has the message: nothing but its whole answer is believed, and nothing says that it has it not."""
    with Cutter(reset=reset).serving() as server:
        for sends in range(len(ANSWER)):
            server.sends = sends
            assert isinstance(outcome_of(server.url), Unsure), ANSWER[:sends]
        server.sends, server.reset = None, False
        assert outcome_of(server.url) == Receipt(remote_id="109", permalink="https://m.example/@a/109")
    assert all(map(_whole, server.requests))


@pytest.mark.parametrize("reset", [False, True])
def test_a_request_that_breaks_off_at_any_byte_is_never_a_success_and_never_a_refusal(
    outcome_of: Meet, reset: bool
) -> None:
    with Cutter(sends=None).serving() as server:
        outcome_of(server.url)
        (whole,) = server.requests
        server.reset = reset
        for reads in range(1, len(whole)):
            server.reads = reads
            assert isinstance(outcome_of(server.url), Transient | Unsure), whole[:reads]
    assert len(server.requests[-1]) == len(whole) - 1
