"""snac speaks Mastodon's API by another hand: it ignores Idempotency-Key, knows no version 2 of the instance."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Outcome, Refused, Unsure
from reverberate.model import Message, Picture
from reverberate.networks.mastodon import Mastodon, MastodonSettings
from reverberate.secrets import Secret
from reverberate.testing import a_delivery
from support.cutting import CuttingProxy
from support.drawings import plain, saved

if TYPE_CHECKING:
    from reverberate.model import Delivery
    from support.real import Site

REDIRECT = "http://127.0.0.1:9/callback"
"""Nobody listens there: the code is read from the address that the server sends the browser to."""


PHOTO = saved(plain(), "PNG")
PICTURE = Picture(digest="d" * 64, mime="image/png", width=64, height=48, size=len(PHOTO), alt="A red dot")


def delivery(**message: Any) -> Delivery:
    """A delivery of a post of its own."""
    link = f"https://blog.example/{uuid.uuid4().hex}"
    said = Message(parts=(f"A post, in short: {link}",), link=link, **message)
    return replace(a_delivery(), key=uuid.uuid4().hex, message=said, load=lambda _digest: PHOTO)


def statuses(fedi: Mastodon, what: Delivery) -> list[Any]:
    """Those that say this."""
    me = fedi.api("GET", "/api/v1/accounts/verify_credentials").json()["id"]
    every = fedi.api("GET", f"/api/v1/accounts/{me}/statuses", params={"limit": "40"}).json()
    return [status for status in every if what.message.link in status["content"]]


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


def test_a_status_is_there_and_is_found_again(fedi: Mastodon) -> None:
    what = delivery()
    assert fedi.find(what) is None

    receipt = fedi.send(what)

    assert fedi.find(what) == receipt


def test_it_is_told_apart_and_counted_as_it_counts(fedi: Mastodon) -> None:
    limit = fedi.live_limit()

    assert fedi.verify().notes[0].startswith("snac; ")
    assert (limit.maximum, limit.link) == (100_000, None)


def test_a_picture_comes_with_its_words(fedi: Mastodon) -> None:
    what = delivery(pictures=(PICTURE,))
    fedi.send(what)

    (status,) = statuses(fedi, what)
    (attached,) = status["media_attachments"]
    assert attached["description"] == "A red dot"
    assert requests.get(attached["url"], timeout=10).content == PHOTO


def test_a_content_warning_is_shown(fedi: Mastodon) -> None:
    what = delivery(warning="Film spoilers")
    fedi.send(what)

    (status,) = statuses(fedi, what)
    assert (status["spoiler_text"], status["sensitive"]) == ("Film spoilers", True)


def test_a_thread_hangs_together(fedi: Mastodon) -> None:
    kept: dict[str, Any] = {}
    what = delivery()
    parts = (*what.message.parts, "and the second part")
    fedi.send(replace(what, message=replace(what.message, parts=parts), record=kept.__setitem__))

    second = fedi.api("GET", f"/api/v1/statuses/{kept['part 2']['remote_id']}").json()
    assert second["in_reply_to_id"] == kept["part 1"]["remote_id"]


def test_the_same_key_is_two_statuses_there_so_a_lost_answer_is_looked_up(fedi: Mastodon, snac: Site) -> None:
    what = delivery()
    with CuttingProxy(int(snac.url.rpartition(":")[2])) as proxy:
        through = Mastodon("fedi", fedi.settings.model_copy(update={"api_base": proxy.url}))
        proxy.cut = b"POST /api/v1/statuses"
        with pytest.raises(Unsure):
            through.send(what)

        found = through.find(what)

    assert proxy.lost == 1
    assert found is not None
    assert [status["id"] for status in statuses(fedi, what)] == [found.remote_id]
    fedi.send(what)
    assert len(statuses(fedi, what)) == 2, "it keeps keys by now: its row in the table of kin is out of date"


def test_what_its_api_cannot_do_is_not_claimed(fedi: Mastodon) -> None:
    what = delivery()
    receipt = fedi.send(what)
    with pytest.raises(Refused, match="snac"):
        fedi.delete(what, receipt)

    with pytest.raises(Outcome) as raised:
        fedi.api("DELETE", f"/api/v1/statuses/{receipt.remote_id}", json={})
    assert raised.value.status == 404, "it can by now: its row in the table of kin is out of date"
    assert len(statuses(fedi, what)) == 1


def test_an_edit_changes_the_words(fedi: Mastodon) -> None:
    what = delivery()
    receipt = fedi.send(what)
    words = (f"Other words: {what.message.link}",)

    fedi.edit(replace(what, message=replace(what.message, parts=words)), receipt)

    (status,) = statuses(fedi, what)
    assert "Other words" in status["content"]
    assert status["id"] == receipt.remote_id


def test_reactions_are_counted(fedi: Mastodon) -> None:
    receipt = fedi.send(delivery())
    fedi.api("POST", f"/api/v1/statuses/{receipt.remote_id}/favourite")

    assert fedi.reactions(receipt).likes == 1
