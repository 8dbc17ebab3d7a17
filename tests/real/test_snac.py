"""snac speaks Mastodon's API by another hand: it ignores Idempotency-Key, knows no version 2 of the instance."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.secrets import Secret
from reverberate.testing import a_delivery

if TYPE_CHECKING:
    from support.real import Site

REDIRECT = "http://127.0.0.1:9/callback"
"""Nobody listens there: the code is read from the address that the server sends the browser to."""


@pytest.fixture(scope="session")
def token(snac: Site) -> str:
    """An access token by the whole way of OAuth: an app, the server's own page, a code."""
    app = _posted(f"{snac.url}/api/v1/apps", client_name="reverberate", redirect_uris=REDIRECT, scopes="read write")
    known = {"client_id": app["client_id"], "redirect_uri": REDIRECT}
    asked = known | {"response_type": "code", "scope": "read write", "state": "a-state"}
    page = requests.get(f"{snac.url}/oauth/authorize", params=asked, timeout=10).text
    form = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page)) | {"login": snac.user, "passwd": snac.password}
    (action,) = re.findall(r'action="([^"]*)"', page)
    sent = requests.post(action, data=form, timeout=10, allow_redirects=False).headers["Location"]
    (code,) = re.findall(r"[?&]code=([^&]+)", sent)
    secret = {"client_secret": app["client_secret"], "grant_type": "authorization_code", "code": code}
    return str(_posted(f"{snac.url}/oauth/token", **known, **secret, scope="read write")["access_token"])


def _posted(url: str, **form: str) -> Any:
    answer = requests.post(url, data=form, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture
def fedi(snac: Site, token: str, monkeypatch: pytest.MonkeyPatch) -> Mastodon:
    """Our account there."""
    monkeypatch.setenv("SNAC_TOKEN", token)
    return Mastodon("fedi", MastodonSettings(instance=snac.url, access_token=Secret("env", "SNAC_TOKEN")))


def test_it_knows_us(fedi: Mastodon) -> None:
    assert fedi.verify().who.startswith("@alice@127.0.0.1")


def test_a_status_is_there_once_and_is_found_again(fedi: Mastodon) -> None:
    link = f"https://blog.example/{datetime.now(UTC).timestamp()}"
    delivery = a_delivery(text=f"A post, in short: {link}", link=link)
    assert fedi.find(delivery) is None

    receipt = fedi.send(delivery)

    assert fedi.find(delivery) == receipt
