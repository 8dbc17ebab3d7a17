"""Telegram, Discord, Reddit, Tumblr, Pinterest and webhooks: the real clients against the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.errors import Duplicate, Outcome, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Assurance, Reactions, Receipt
from reverberate.networks.base import Counts, Deletes, Edits, Finds, Verifies
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox
from support.clients import LINK, PNG, WAYS, client, delivery, saying, sent
from support.reconciling import assert_finds_nothing_unlisted, assert_finds_only_its_own, assert_finds_what_was_lost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FINDING = ("discord bot", "reddit", "reddit text", "tumblr", "pinterest")
BLIND = ("telegram", "discord", "webhook")
PUBLIC = tuple(way for way in WAYS if way != "webhook")
EDITING = tuple(way for way in WAYS if way != "reddit")
BEFORE = (Kind.ERROR, Kind.RATE_LIMIT, Kind.EXPIRE, Kind.REDIRECT, Kind.CUT_REQUEST)
AFTER = (Kind.DROP, Kind.HANG, Kind.FAIL, Kind.CUT_ANSWER, Kind.TRUNCATE, Kind.DRIP)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_a_post_arrives_as_it_was_meant(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    what = delivery(way)
    receipt = client(sandbox.url, way, monkeypatch).send(what)

    (entry,) = sandbox.ledger.of()
    assert (entry.network, entry.account, entry.remote_id) == (
        way.split(" ", maxsplit=1)[0],
        "alice",
        receipt.remote_id,
    )
    assert LINK in {entry.link, entry.text.rpartition("\n")[2]}
    assert "Grüße & <b>Küsse</b>" in entry.text
    if way != "reddit text":  # its text is Markdown, which the sandbox keeps as it came
        assert "*from* a_blog 🎉" in entry.text


@pytest.mark.parametrize("way", PUBLIC)
def test_its_permalink_answers(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = client(sandbox.url, way, monkeypatch).send(delivery(way))
    page = requests.get(receipt.permalink, timeout=5)

    assert page.status_code == 200
    assert "Grüße &amp; &lt;b&gt;Küsse&lt;/b&gt;" in page.text


@pytest.mark.parametrize("way", FINDING)
def test_what_was_sent_is_found_and_what_was_not_is_not(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_finds_only_its_own(client(sandbox.url, way, monkeypatch), delivery(way))


@pytest.mark.parametrize("way", FINDING)
def test_a_post_whose_answer_was_lost_is_found(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_finds_what_was_lost(client(sandbox.url, way, monkeypatch), delivery(way), sandbox)


@pytest.mark.parametrize("way", FINDING)
def test_what_a_listing_does_not_show_yet_is_not_found_yet(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_finds_nothing_unlisted(client(sandbox.url, way, monkeypatch), delivery(way), sandbox)


@pytest.mark.parametrize("way", BLIND)
def test_the_blind_do_not_claim_to_see(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox.url, way, monkeypatch)

    assert not isinstance(network, Finds)
    assert network.assurance is (Assurance.IDENTITY if way == "webhook" else Assurance.BLIND)


@pytest.mark.parametrize("way", ["discord bot", "webhook", "reddit"])
def test_the_same_again_is_one_post(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, what = client(sandbox.url, way, monkeypatch), delivery(way)
    first, second = network.send(what), sent(network, what)

    assert second == first or (isinstance(second, Duplicate) and second.receipt == first)
    assert len(sandbox.ledger.of()) == 1


def test_a_link_that_somebody_else_posted_on_reddit_is_refused_with_its_address(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = client(sandbox.url, "reddit", monkeypatch, account="bob").send(delivery("reddit"))
    outcome = sent(client(sandbox.url, "reddit", monkeypatch), delivery("reddit"))

    assert isinstance(outcome, Refused)
    assert theirs.permalink in str(outcome)
    assert "u/bob" in str(outcome)


@pytest.mark.parametrize("way", WAYS)
def test_each_tells_who_it_is(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox.url, way, monkeypatch)
    assert isinstance(network, Verifies)
    standing = network.verify()

    assert ("alice" in standing.who) != (way == "webhook")
    assert standing.troubles == ()
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("way", WAYS)
def test_wrong_keys_are_unauthorised_and_stand_in_no_text(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox.url, way, monkeypatch, seed="another")
    outcome = sent(network, delivery(way))

    assert isinstance(outcome, Unauthorised)
    for secret in network.secrets():
        assert secret not in f"{outcome} {outcome!r} {outcome.words} {network!r} {network.settings!r}"
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("way", EDITING)
def test_an_edit_says_what_it_should_and_twice_is_harmless(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox.url, way, monkeypatch), delivery(way)
    assert isinstance(network, Edits)
    receipt = network.send(what)
    text = "Grüße & <b>Küsse</b> *from* a_blog 🎉\n\nAnd <more> words & signs"
    for _ in range(2):
        assert network.edit(saying(what, text), receipt) == receipt

    (entry,) = sandbox.ledger.of()
    assert "And <more> words & signs" in entry.text.replace("\\", "")
    assert len(sandbox.ledger.accepted()) == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_is_taken_back_is_gone_and_twice_is_harmless(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox.url, way, monkeypatch), delivery(way)
    assert isinstance(network, Deletes)
    receipt = network.send(what)
    for _ in range(2):
        network.delete(what, receipt)

    assert sandbox.ledger.of() == []
    assert not isinstance(network, Finds) or network.find(what) is None


@pytest.mark.parametrize("way", FINDING)
def test_what_people_made_of_it_is_told(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox.url, way, monkeypatch)
    assert isinstance(network, Counts)
    told = network.reactions(network.send(delivery(way)))

    assert told == Reactions(
        likes=1 if "reddit" in way else 0,
        reposts=0 if way == "tumblr" else None,
        replies=None if way == "discord bot" else 0,
    )


@pytest.mark.parametrize("way", ["telegram", "discord", "discord bot", "tumblr", "pinterest"])
def test_pictures_arrive_whole(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, what = client(sandbox.url, way, monkeypatch), delivery(way, pictures=1)
    receipt = network.send(what)
    (entry,) = sandbox.ledger.of()
    (cid,) = (one["cid"] for one in entry.details["pictures"])

    assert requests.get(f"{sandbox.url}/blob/{cid}", timeout=5).content == PNG
    assert f"/blob/{cid}" in requests.get(receipt.permalink, timeout=5).text


@pytest.mark.parametrize("way", ["discord", "tumblr"])
def test_a_cards_picture_arrives_too(sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, pictured = delivery(way), delivery(way, pictures=1)
    assert plain.message.card is not None
    card = replace(plain.message.card, picture=pictured.message.pictures[0])
    client(sandbox.url, way, monkeypatch).send(replace(plain, message=replace(plain.message, card=card)))

    (entry,) = sandbox.ledger.of()
    assert len(entry.details["pictures"]) == 1


def test_a_caption_on_telegram_is_edited_as_one_and_a_text_as_a_text(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the message has a picture now and had none then, or the other way round."""
    network = client(sandbox.url, "telegram", monkeypatch)
    assert isinstance(network, Edits)
    bare, pictured = delivery("telegram"), delivery("telegram", pictures=1)
    network.edit(saying(pictured, "now with words"), network.send(bare))
    network.edit(saying(bare, "now without"), network.send(pictured))

    assert [entry.text for entry in sandbox.ledger.of()] == ["now without", "now with words"]


@pytest.mark.parametrize(
    ("way", "length"), [("telegram", 4097), ("discord", 2001), ("pinterest", 801), ("tumblr", 4097)]
)
def test_a_text_that_is_too_long_is_refused_with_the_networks_words(
    sandbox: Sandbox, way: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sent(client(sandbox.url, way, monkeypatch), delivery(way, "x" * length))

    assert isinstance(outcome, Refused)
    assert outcome.status == 400
    assert any(word in outcome.words for word in ("too long", "Must be 2000", "longer than", "1 to 4096"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER])
def test_whatever_goes_wrong_the_outcome_is_true(
    sandbox: Sandbox, way: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says that it is there, has it there; who says that it is not, does not; Unsure may be either."""
    network = client(sandbox.url, way, monkeypatch)
    for serial in range(1, 7):
        number = sandbox.faults.add(Fault(kind=kind, on=Purpose.PUBLISH, seconds=0.01, count=1))
        before, what = len(sandbox.ledger.accepted()), delivery(way, f"Post {serial}", serial=serial)
        link = f"{LINK}-{serial}"  # Reddit takes each link once
        card = replace(what.message.card, url=link) if what.message.card else None
        outcome = sent(network, replace(what, message=replace(what.message, link=link, card=card)))
        there = len(sandbox.ledger.accepted()) - before
        sandbox.faults.clear(number)

        assert there == 1 if isinstance(outcome, Receipt) else there <= 1
        if not isinstance(outcome, Receipt | Unsure):
            assert there == 0, outcome
        if kind in AFTER:
            assert isinstance(outcome, Receipt | Unsure)
            assert there == 1
        if kind in {Kind.ERROR, Kind.CUT_REQUEST}:
            assert isinstance(outcome, Transient | Unsure)


@pytest.mark.parametrize("way", WAYS)
def test_a_limit_is_obeyed_and_a_token_that_ended_needs_its_owner(
    sandbox: Sandbox, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox.url, way, monkeypatch)
    for kind, meant in ((Kind.RATE_LIMIT, RateLimited), (Kind.EXPIRE, Unauthorised)):
        sandbox.faults.add(Fault(kind=kind, on=Purpose.PUBLISH, seconds=120, count=1))
        outcome: Receipt | Outcome = sent(network, delivery(way))

        assert isinstance(outcome, meant)
        if isinstance(outcome, RateLimited):
            assert outcome.until is not None
            assert abs(outcome.until - datetime.now(UTC) - timedelta(seconds=120)) < timedelta(seconds=5)


def test_the_timelines_show_every_network_that_has_a_post(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in WAYS:
        client(sandbox.url, way, monkeypatch).send(delivery(way, "<script>alert(1)</script>"))
    page = requests.get(sandbox.url, timeout=5).text

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == len(WAYS)
    for title in ("Telegram", "Discord", "Reddit", "Tumblr", "Pinterest", "Webhook"):
        assert f"<h2>{title} <small>" in page
    assert "<h2>Threads" not in page, "one that never had a post takes no room"
