"""What every network shares: what an answer means, in whose words, and what follows from it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from reverberate.errors import Outcome, OutOfCredit, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Delivery, Message, Step
from reverberate.networks.answers import json_object
from reverberate.networks.base import only_part
from reverberate.networks.likeness import parse_instant
from reverberate.networks.parts import once, unposted
from reverberate.secrets import Secret
from reverberate.testing import Asked, Reply, ScriptedServer
from support.plugins import Toy, ToySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECRET = "canary-3f9d2c71e5b8"
LINK = "https://blog.example/2026/a-post"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.setenv("TOKEN", SECRET)
    return Toy("alice", ToySettings(token=Secret("env", "TOKEN")), now=lambda: NOW)


def answer(status: int = 200, body: bytes = b"", *, headers: Mapping[str, str] | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body
    response.headers.update(headers or {})
    response.encoding = "utf-8"
    return response


def called(toy: Toy, method: str, reply: Reply) -> requests.Response | Outcome:
    with ScriptedServer(lambda _: reply) as server:
        try:
            return toy.call(method, server.url)
        except Outcome as outcome:
            return outcome


STATUSES: list[tuple[int, type[Outcome], type[Outcome]]] = [
    (301, Refused, Refused),
    (303, Refused, Refused),
    (400, Refused, Refused),
    (401, Unauthorised, Unauthorised),
    (402, OutOfCredit, OutOfCredit),
    (403, Refused, Refused),
    (404, Refused, Refused),
    (408, Unsure, Transient),
    (409, Refused, Refused),
    (413, Refused, Refused),
    (422, Refused, Refused),
    (425, Unsure, Transient),
    (426, Refused, Refused),
    (429, RateLimited, RateLimited),
    (451, Refused, Refused),
    (499, Refused, Refused),
    (500, Unsure, Transient),
    (502, Unsure, Transient),
    (503, Unsure, Transient),
    (504, Unsure, Transient),
    (599, Unsure, Transient),
]


@pytest.mark.parametrize(("status", "written", "read"), STATUSES)
def test_each_status_means_something_and_a_failed_server_may_have_taken_a_write(
    toy: Toy, status: int, written: type[Outcome], read: type[Outcome]
) -> None:
    for writes, meant in ((True, written), (False, read)):
        found = toy.outcome(answer(status, b'{"error": "no"}'), writes=writes)
        assert (type(found), found.status, found.words) == (meant, status, f"{status} no")


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_is_handed_on(toy: Toy, method: str, status: int) -> None:
    found = called(toy, method, Reply(status=status, body=b'{"id": 1}'))

    assert isinstance(found, requests.Response)
    assert found.json() == {"id": 1}


@pytest.mark.parametrize(("method", "kind"), [("POST", Unsure), ("PATCH", Unsure), ("GET", Transient)])
def test_a_failure_becomes_the_outcome_of_its_method(toy: Toy, method: str, kind: type[Outcome]) -> None:
    assert type(called(toy, method, Reply(status=503))) is kind


def test_a_write_that_is_sent_elsewhere_is_no_success(toy: Toy) -> None:
    found = called(toy, "POST", Reply(status=302, headers={"Location": "/login"}))

    assert isinstance(found, Refused)
    assert found.status == 302


def test_a_read_follows_where_it_is_sent(toy: Toy) -> None:
    def accept(asked: Asked) -> Reply:
        return Reply() if asked.target == "/there" else Reply(status=301, headers={"Location": "/there"})

    with ScriptedServer(accept) as server:
        assert toy.call("GET", server.url).ok


def test_a_rate_limit_knows_when_it_ends(toy: Toy) -> None:
    for headers, until in (({"Retry-After": "90"}, NOW + timedelta(seconds=90)), ({}, None)):
        found = toy.outcome(answer(429, headers=headers), writes=True)
        assert isinstance(found, RateLimited)
        assert found.until == until


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "too long"}, "too long"),
        ({"error": {"message": "bad token", "code": 190}}, "bad token"),
        ({"error": {"code": 190}}, "{'code': 190}"),
        ({"error": "InvalidToken", "message": "the token has expired"}, "the token has expired"),
        ({"title": "Forbidden", "detail": "you may not"}, "you may not"),
        ({"error": "invalid_grant", "error_description": "gone"}, "gone"),
        ({"title": "Unauthorized", "detail": ""}, "Unauthorized"),
        ({"error": 5}, "5"),
        ({"errors": ["a", "b"]}, "{'errors': ['a', 'b']}"),
        (["a"], "['a']"),
        ("no", "no"),
        (None, "None"),
    ],
)
def test_the_network_s_own_words_are_found_in_json_s_usual_places(toy: Toy, body: object, said: str) -> None:
    assert toy.words(answer(400, json.dumps(body).encode())) == f"400 {said}"


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (b"<html>\n<h1>Bad  Gateway</h1>\n</html>", "", "502 Bad Gateway"),
        (b"", "Bad Gateway", "502 Bad Gateway"),
        (b"<br><br>", "Odd", "502 Odd"),
        (b"", "", "502"),
        (b"\xff\xfe", "", "502 \ufffd\ufffd"),
        (b"[" * 100_000, "", f"502 {'[' * 496}"),
        (b'{"error": "' + b"long" * 500 + b'"}', "", f"502 {'long' * 124}"),
        (b'{"error": "one\\nline\\r\\n2026 INFO all is well"}', "", "502 one line 2026 INFO all is well"),
        (b'{"error": "what \\u0000no \\ud800database\\u202e takes"}', "", "502 what no database takes"),
    ],
)
def test_the_words_are_one_short_line_that_can_be_stored(toy: Toy, body: bytes, reason: str, words: str) -> None:
    response = answer(502, body)
    response.reason = reason

    assert toy.words(response) == words


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": f"the token {SECRET} is wrong"}).encode(),
        json.dumps({"odd": [SECRET]}).encode(),
        f"<p>{SECRET}</p>".encode(),
        f"<{'x' * 1980}>{SECRET}".encode(),
        b"x" * 480 + SECRET.encode(),
    ],
)
def test_no_words_hold_a_secret_or_its_beginning(toy: Toy, body: bytes) -> None:
    assert SECRET[:6] not in toy.words(answer(400, body))
    assert SECRET not in f"{toy!r} {toy.settings!r} {toy.session!r}"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T12:00:00Z",
        "2026-01-05T12:00:00.000Z",
        "2026-01-05T13:00:00+0100",
        "2026-01-05T12:00:00.000000+00:00",
    ],
)
def test_an_instant_is_read_as_networks_write_it(text: str) -> None:
    assert (parse_instant(text), parse_instant(text).tzinfo) == (NOW, UTC)


def test_an_instant_without_a_zone_is_not_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        found = parse_instant("2026-01-05T12:00:00")
    time.tzset()
    assert found == NOW


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(timezone(timedelta(hours=-9)))))  # noqa: DTZ001 - Hypothesis wants it bare
def test_every_instant_survives(instant: datetime) -> None:
    if instant.year < 9999:
        assert parse_instant(instant.isoformat()) == instant


@pytest.mark.parametrize("body", [b"", b"[1]", b'"yes"', b"null", b"<p>", b"\x00\xff", b"[" * 100_000, b"9" * 5000])
def test_a_success_that_cannot_be_read_may_have_been_posted(body: bytes) -> None:
    with pytest.raises(Unsure) as raised:
        json_object(answer(201, body))
    assert raised.value.status == 201


def test_a_success_is_read_whatever_else_it_says() -> None:
    assert json_object(answer(201, b'{"id": "1", "more": [{}]}')) == {"id": "1", "more": [{}]}


def test_only_a_single_post_is_taken_where_there_are_no_threads() -> None:
    assert only_part(Message(parts=("one",), link=LINK)) == "one"
    for parts in ((), ("one", "two")):
        with pytest.raises(Refused):
            only_part(Message(parts=parts, link=LINK))


def test_a_step_is_done_again_only_when_it_no_longer_holds() -> None:
    kept: dict[str, Any] = {}
    steps = {"old": Step(answer={"id": 1}, at=NOW - timedelta(hours=1)), "new": Step(answer={"id": 2}, at=NOW)}
    message = Message(parts=("x",), link=LINK)
    delivery = Delivery(serial=1, key="k", planned=NOW, message=message, steps=steps, record=kept.__setitem__)

    def ask(name: str) -> object:
        return once(delivery, name, lambda: {"id": 3}, now=NOW, holds=timedelta(hours=1))["id"]

    assert (ask("new"), ask("old"), ask("none"), kept) == (2, 3, 3, {"old": {"id": 3}, "none": {"id": 3}})


def test_an_upload_whose_answer_is_lost_has_posted_nothing(toy: Toy) -> None:
    with ScriptedServer(lambda _: Reply(cut=0)) as server, pytest.raises(Transient) as raised, unposted(toy):
        toy.call("POST", server.url)
    assert "the answer was lost" in raised.value.words
    assert not toy.session.wrote
