"""What a vendor answers to a step of a sign-in, and what never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverberate.errors import Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.http import Session
from reverberate.networks.flows import App, Ended, Grant, OAuth1Flow, OAuth2Flow, asked
from reverberate.testing import CANARY, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda _: Reply(body=b'{"access_token": "t"}')) as running:
        yield running


def answered(server: ScriptedServer, reply: Reply) -> Outcome:
    server.script.append(reply)
    with Session(secrets=[CANARY]) as session, pytest.raises(Outcome) as raised:
        asked(session, "POST", f"{server.url}/oauth", data={"code": CANARY})
    return raised.value


def test_a_success_is_its_json_object(server: ScriptedServer) -> None:
    with Session() as session:
        assert asked(session, "POST", f"{server.url}/oauth", data={"code": "1"}) == {"access_token": "t"}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            Reply(status=400, body=b'{"error": "invalid_grant", "error_description": "used up"}'),
            Ended,
            "400 used up",
        ),
        (Reply(status=400, body=b'{"error": {"message": "no more", "code": 190}}'), Ended, "400 no more"),
        (Reply(status=401, body=b'{"error": "invalid_client"}'), Unauthorised, "401 invalid_client"),
        (
            Reply(status=200, body=b"<html>"),
            Unsure,
            "the answer was a success but not readable as JSON",
        ),
        (
            Reply(status=302, headers={"Location": "/x"}),
            Unauthorised,
            "302 Scripted",
        ),
        (Reply(status=429, headers={"Retry-After": "60"}), RateLimited, "429 Scripted"),
        (Reply(status=503), Transient, "503 Scripted"),
        (Reply(status=400, body=b'{"error": "bad %s"}' % CANARY.encode()), Unauthorised, "400 bad ***"),
    ],
)
def test_a_no_is_the_outcome_that_fits(server: ScriptedServer, reply: Reply, kind: type[Outcome], words: str) -> None:
    found = answered(server, reply)

    assert (type(found), found.words) == (kind, words)


def test_a_lost_answer_is_not_taken_for_a_no(server: ScriptedServer) -> None:
    assert type(answered(server, Reply(cut=0))) is Unsure


def test_what_a_sign_in_brought_is_in_no_repr() -> None:
    grant = Grant(values={"access_token": CANARY}, refresh=CANARY, answer={"id_token": CANARY})

    assert CANARY not in repr((grant, App(client_id="id", client_secret=CANARY)))


def test_flows_are_values() -> None:
    legs = {"request_url": "https://x/1", "authorize_url": "https://x/2", "access_url": "https://x/3"}

    assert OAuth1Flow(**legs) == OAuth1Flow(**legs)
    assert OAuth2Flow(authorize_url="https://x/a", token_url="https://x/t").pkce
