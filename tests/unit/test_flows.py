"""What a vendor answers to a step of a sign-in, and what never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverberate.errors import Outcome, RateLimited, Transient, Unauthorised, Unsure
from reverberate.http import Session
from reverberate.networks.flows import App, Ask, Ended, Grant, OAuth1Flow, OAuth2Flow, PasteFlow, asked, moved
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


def test_a_flow_moves_below_another_base_with_its_paths() -> None:
    flow = OAuth2Flow(
        authorize_url="https://www.v.example/auth/", token_url="https://api.v.example/2/token", pkce=False
    )
    there = moved(flow, "http://127.0.0.1:80/v/")

    assert (there.authorize_url, there.token_url, there.revoke_url) == (  # type: ignore[union-attr]  # OAuth 2 as before
        "http://127.0.0.1:80/v/auth/",
        "http://127.0.0.1:80/v/2/token",
        "",
    )
    assert there.pkce is False  # type: ignore[union-attr]


def test_what_is_at_the_new_host_already_stays_where_it_is() -> None:
    legs = {name: f"http://127.0.0.1:80/x/{name}" for name in ("request_url", "authorize_url", "access_url")}

    assert moved(OAuth1Flow(**legs), "http://127.0.0.1:80/y") == OAuth1Flow(**legs)


@pytest.mark.parametrize("base", ["", "http://127.0.0.1:80"])
def test_what_is_pasted_does_not_move(base: str) -> None:
    flow = PasteFlow(where="https://v.example/keys", asks=(Ask(setting="token", label="Token"),))

    assert moved(flow, base) == flow


def test_without_a_base_nothing_moves() -> None:
    flow = OAuth2Flow(authorize_url="https://v.example/a", token_url="https://v.example/t")

    assert moved(flow, "") is flow


def test_a_wrong_clock_is_named_where_a_signed_request_is_refused(server: ScriptedServer) -> None:
    date = {"Date": "Thu, 01 Jan 2099 00:00:00 GMT"}

    assert "minutes behind the network's: set it right" in answered(server, Reply(status=401, headers=date)).words
    assert "minutes" not in answered(server, Reply(status=400, headers=date)).words
    assert "minutes" not in answered(server, Reply(status=401)).words
