"""Signing in at Meta: from the code's short-lived token to the one that lasts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.errors import ReverberateError, Unauthorised
from reverberate.http import Session
from reverberate.networks import networks
from reverberate.networks.base import Connects
from reverberate.networks.flows import Grant, OAuth2Flow
from reverberate.secrets import Secret
from reverberate.testing import Asked, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

OWN: dict[str, dict[str, str]] = {"facebook": {"page_id": "7"}, "instagram": {"user_id": "8"}, "threads": {}}
SHORT = Grant(values={"access_token": "short"}, refresh="", expires=datetime.now(UTC))


def flow(name: str, base: str, monkeypatch: pytest.MonkeyPatch, *, app: bool = True) -> OAuth2Flow:
    monkeypatch.setenv("A_SECRET", "of-the-app")
    kind = networks.get(name)
    keys: dict[str, Any] = {"client_id": "1", "client_secret": Secret("env", "A_SECRET")} if app else {}
    made = kind.Settings(access_token=Secret("env", "A_SECRET"), api_base=base, **OWN[name], **keys)
    assert issubclass(kind, Connects)
    found = kind.flow(made)
    assert isinstance(found, OAuth2Flow)
    return found


def told(*bodies: Any) -> Callable[[Asked], Reply]:
    answers = iter(bodies)
    return lambda _asked: Reply(body=json.dumps(next(answers)).encode())


@pytest.mark.parametrize(("name", "kind"), [("threads", "th"), ("instagram", "ig")])
def test_a_short_token_becomes_one_of_sixty_days_and_is_prolonged(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, longer = {"access_token": "long", "expires_in": 5184000}, {"access_token": "longer", "expires_in": 5184000}
    with ScriptedServer(told(long, longer)) as server:
        found = flow(name, server.url, monkeypatch)
        assert found.settle is not None
        assert found.renew is not None
        grant = found.settle(Session(), SHORT)
        renewed = found.renew(Session(), grant)

    assert (grant.values, renewed.values) == ({"access_token": "long"}, {"access_token": "longer"})
    assert grant.expires is not None
    assert abs(grant.expires - datetime.now(UTC) - timedelta(days=60)) < timedelta(minutes=1)
    exchange, refresh = server.asked
    assert exchange.target == f"/access_token?grant_type={kind}_exchange_token&client_secret=of-the-app"
    assert exchange.headers["authorization"] == "Bearer short"
    assert (refresh.target, refresh.headers["authorization"]) == (
        f"/refresh_access_token?grant_type={kind}_refresh_token",
        "Bearer long",
    )


def test_facebook_gives_the_pages_own_token(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [{"id": "6", "name": "Other", "access_token": "six"}, {"id": "7", "name": "Mine", "access_token": "seven"}]
    with ScriptedServer(told({"access_token": "of-the-user"}, {"data": pages})) as server:
        found = flow("facebook", server.url, monkeypatch)
        assert found.settle is not None
        grant = found.settle(Session(), SHORT)

    assert (grant.values, grant.expires, grant.refresh) == ({"access_token": "seven"}, None, "")
    exchange, listing = server.asked
    assert b"fb_exchange_token=short" in exchange.body
    assert "of-the-app" not in exchange.target
    assert listing.headers["authorization"] == "Bearer of-the-user"


def test_a_page_that_facebook_does_not_give_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [{"id": "6", "name": "Other", "access_token": "six"}]
    with ScriptedServer(told({"access_token": "of-the-user"}, {"data": pages})) as server:
        found = flow("facebook", server.url, monkeypatch)
        assert found.settle is not None
        with pytest.raises(ReverberateError, match=r"gave us no Page 7 \(.*Other \(6\)\)"):
            found.settle(Session(), SHORT)


@pytest.mark.parametrize("name", OWN)
def test_without_the_apps_secret_the_owner_is_told_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = flow(name, "http://127.0.0.1:9", monkeypatch, app=False)
    assert found.settle is not None

    with pytest.raises(ReverberateError, match="client_secret is missing"):
        found.settle(Session(), SHORT)


@pytest.mark.parametrize("name", OWN)
def test_what_meta_refuses_is_said_without_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b'{"error": {"message": "no: of-the-app short", "code": 190}}'
    with ScriptedServer(lambda _asked: Reply(status=400, body=refusal)) as server:
        found = flow(name, server.url, monkeypatch)
        assert found.settle is not None
        with pytest.raises(Unauthorised) as caught:
            found.settle(Session(secrets=["of-the-app", "short"]), SHORT)

    assert "of-the-app" not in str(caught.value)
