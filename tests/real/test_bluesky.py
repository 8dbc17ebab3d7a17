"""A real PDS: what it accepts is in the records that it serves, whatever our sandbox believes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Refused, Transient, Unsure
from reverberate.model import Card, Message, Picture
from reverberate.networks.bluesky import Bluesky, BlueskySettings
from reverberate.secrets import Secret
from reverberate.testing import LINK, a_delivery
from support.cutting import CuttingProxy
from support.drawings import plain, saved

if TYPE_CHECKING:
    from reverberate.model import Delivery
    from support.real import Site

SERIALS = itertools.count(1)
PHOTO = saved(plain(), "PNG")
PICTURE = Picture(digest="d" * 64, mime="image/png", width=64, height=48, size=len(PHOTO), alt="A red dot")


@pytest.fixture
def sky(pds: Site, monkeypatch: pytest.MonkeyPatch) -> Bluesky:
    """Our account there."""
    monkeypatch.setenv("PDS_PASSWORD", pds.password)
    secret = Secret("env", "PDS_PASSWORD")
    return Bluesky("sky", BlueskySettings(handle=pds.user, app_password=secret, api_base=pds.url))


def delivery(*parts: str, **message: Any) -> Delivery:
    """A delivery of its own key."""
    said = Message(parts=parts or ("A post, in short",), link=LINK, language="en", **message)
    return replace(a_delivery(serial=next(SERIALS)), message=said, load=lambda _digest: PHOTO)


def records(pds: Site) -> dict[str, Any]:
    """All posts there, by their addresses."""
    asked = {"repo": pds.user, "collection": "app.bsky.feed.post", "limit": "100"}
    told = requests.get(f"{pds.url}/xrpc/com.atproto.repo.listRecords", params=asked, timeout=10).json()
    return {row["uri"]: row["value"] for row in told["records"]}


def test_it_knows_us(sky: Bluesky) -> None:
    assert sky.verify().who == "@alice.test"


def test_the_same_key_twice_is_one_record(sky: Bluesky, pds: Site) -> None:
    one, before = delivery(card=Card(url=LINK, title="A post", description="in short", picture=PICTURE)), records(pds)

    first, second = sky.send(one), sky.send(one)

    assert first == second == sky.find(one)
    (uri,) = records(pds).keys() - before.keys()
    assert uri == first.remote_id
    external = records(pds)[uri]["embed"]["external"]
    assert (external["uri"], external["title"], external["thumb"]["size"]) == (LINK, "A post", len(PHOTO))


def test_pictures_keep_their_words_and_their_shape(sky: Bluesky, pds: Site) -> None:
    receipt = sky.send(delivery(pictures=(PICTURE,)))

    (image,) = records(pds)[receipt.remote_id]["embed"]["images"]
    assert image["alt"] == "A red dot"
    assert image["aspectRatio"] == {"width": 64, "height": 48}
    assert records(pds)[receipt.remote_id]["langs"] == ["en"]


def test_a_thread_hangs_together(sky: Bluesky, pds: Site) -> None:
    kept: dict[str, Any] = {}
    told = replace(delivery("One", f"Two {LINK}", "Three"), record=kept.__setitem__)

    root = sky.send(told)

    first, second, third = (kept[f"part {number}"] for number in (1, 2, 3))
    assert first["remote_id"] == root.remote_id
    assert records(pds)[third["remote_id"]]["reply"] == {
        "root": {"uri": first["remote_id"], "cid": first["version"]},
        "parent": {"uri": second["remote_id"], "cid": second["version"]},
    }


def test_what_is_too_long_is_refused(sky: Bluesky) -> None:
    with pytest.raises(Refused, match="300"):
        sky.send(delivery("x" * 301))


def test_an_edit_is_the_same_record_and_a_deletion_ends_it(sky: Bluesky, pds: Site) -> None:
    what = delivery()
    receipt = sky.send(what)
    words = replace(what.message, parts=("Other words",))

    edited = sky.edit(replace(what, message=words), receipt)

    assert edited.remote_id == receipt.remote_id
    assert records(pds)[receipt.remote_id]["text"] == "Other words"
    for _ in range(2):
        sky.delete(what, receipt)
    assert sky.find(what) is None
    assert receipt.remote_id not in records(pds)


def test_a_record_that_a_lost_answer_left_there_is_found(sky: Bluesky, pds: Site) -> None:
    what, before = delivery(), records(pds)
    with CuttingProxy(int(pds.url.rpartition(":")[2])) as proxy:
        through = Bluesky("sky", sky.settings.model_copy(update={"api_base": proxy.url}))
        proxy.cut = b"POST /xrpc/com.atproto.repo.putRecord"
        with pytest.raises(Unsure):
            through.send(what)
        found = through.find(what)

    assert proxy.lost == 1
    assert found == sky.send(what)
    assert records(pds).keys() - before.keys() == {sky.send(what).remote_id}


def test_reactions_are_not_to_be_had_without_an_appview(sky: Bluesky) -> None:
    """This PDS has none behind it; with one, it would hand the question on."""
    with pytest.raises(Transient):
        sky.reactions(sky.send(delivery()))


def test_a_session_is_renewed_when_it_is_over(sky: Bluesky) -> None:
    sky.send(delivery())
    over = dict(sky._signed_in())
    sky._refresh(sky._signed_in())

    assert sky._signed_in()["refreshJwt"] != over["refreshJwt"]
    sky.send(delivery())
