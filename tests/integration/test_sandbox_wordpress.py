"""The WordPress client against the sandbox's site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Transient, Unauthorised, Unsure
from reverberate.model import Article, Card, Message, Picture
from reverberate.networks.wordpress import WordPress, WordPressSettings
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.secrets import Secret
from reverberate.testing import LINK, a_delivery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reverberate.model import Delivery

PNG = b"\x89PNG\r\n\x1a\n and the rest"
PICTURE = Picture(digest="d" * 64, mime="image/png", width=64, height=48, size=len(PNG), alt="A dot")
ARTICLE = Article(html="<p>All &amp; <b>everything</b></p>", tags=("open web", "Q&A"), categories=("Notes",))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        yield running


@pytest.fixture
def mirror(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> WordPress:
    monkeypatch.setenv("WP_PASSWORD", credentials("s", "wordpress", "alice")["app_password"])
    given: dict[str, Any] = {
        **settings(sandbox.url, "s", "wordpress", "alice"),
        "app_password": Secret("env", "WP_PASSWORD"),
    }
    return WordPress("mirror", WordPressSettings(**given))


@pytest.fixture
def what() -> Delivery:
    card = Card(url=LINK, title="A <i>post</i>", description="in short", picture=PICTURE)
    message = Message(parts=("In short.",), link=LINK, card=card, article=ARTICLE)
    return replace(a_delivery(), message=message, load=lambda _digest: PNG)


def test_a_post_arrives_whole_is_found_changed_and_taken_back(
    sandbox: Sandbox, mirror: WordPress, what: Delivery
) -> None:
    assert mirror.verify().who.startswith("alice at ")
    assert mirror.find(what) is None

    receipt = mirror.send(what)

    (entry,) = sandbox.ledger.of()
    assert (entry.account, entry.link) == ("alice", LINK)
    assert entry.text == f"A post\n\nAll & everything\n\nFirst published at {LINK}"
    assert len(entry.details["tags"]) == 2
    assert entry.details["featured_media"]
    assert "All &amp; everything" in requests.get(receipt.permalink, timeout=5).text
    assert mirror.find(what) == receipt

    changed = replace(what.message, article=replace(ARTICLE, html="<p>Better</p>"))
    assert mirror.edit(replace(what, message=changed), receipt) == receipt
    assert "Better" in sandbox.ledger.of()[0].text

    for _ in range(2):
        mirror.delete(what, receipt)
    assert mirror.find(what) is None
    assert mirror.reactions(receipt).replies == 0


def test_each_tag_is_made_once(sandbox: Sandbox, mirror: WordPress, what: Delivery) -> None:
    for serial in (1, 2):
        mirror.send(replace(what, key=f"key-{serial}"))

    first, second = sandbox.ledger.of()
    assert first.details["tags"] == second.details["tags"]


def test_a_lost_answer_is_found_by_the_mark(sandbox: Sandbox, mirror: WordPress, what: Delivery) -> None:
    sandbox.faults.add(Fault(kind=Kind.CUT_ANSWER, network="wordpress", on=Purpose.PUBLISH, byte=0, count=1))
    with pytest.raises(Unsure):
        mirror.send(what)

    found = mirror.find(what)

    assert found is not None
    assert [entry.remote_id for entry in sandbox.ledger.of()] == [found.remote_id]


def test_an_upload_whose_answer_is_lost_is_no_question(sandbox: Sandbox, mirror: WordPress, what: Delivery) -> None:
    sandbox.faults.add(Fault(kind=Kind.CUT_ANSWER, network="wordpress", on=Purpose.OTHER, byte=0, count=1))
    with pytest.raises(Transient):
        mirror.send(what)

    assert sandbox.ledger.of() == []


def test_another_password_pauses_the_account(
    mirror: WordPress, what: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WP_PASSWORD", "alice.wrong")
    with pytest.raises(Unauthorised):
        mirror.send(what)


@pytest.mark.parametrize(
    "given",
    [
        {"site": "https://blog.example"},
        {"site": "https://blog.example", "user": "alice"},
        {"site": "https://blog.example", "app_password": Secret("env", "A")},
        {"site": "x", "user": "alice", "app_password": Secret("env", "A"), "access_token": Secret("env", "A")},
    ],
)
def test_the_settings_say_one_way_in(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="user and app_password"):
        WordPressSettings(**given)


def test_the_routes_are_where_the_site_is() -> None:
    own = {"user": "alice", "app_password": Secret("env", "A")}
    com = {"access_token": Secret("env", "A")}

    assert WordPressSettings(site="https://a.example/blog/", **own).base == "https://a.example/blog/wp-json/wp/v2"
    assert WordPressSettings(site="a.example", **own).base == "https://a.example/wp-json/wp/v2"
    for site in ("a.wordpress.com", "https://a.wordpress.com/"):
        assert (
            WordPressSettings(site=site, **com).base == "https://public-api.wordpress.com/wp/v2/sites/a.wordpress.com"
        )
