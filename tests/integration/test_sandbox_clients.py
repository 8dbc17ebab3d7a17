"""The real clients against the sandbox: posted, found again, and refused as the networks do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.errors import Duplicate, RateLimited, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Card, Delivery, Message, Picture, Reactions, Receipt, Step
from reverberate.networks.base import Counts, Deletes, Edits, Finds, Verifies
from reverberate.sandbox import Dialect, Fault, Kind, Ledger, Purpose, Sandbox, credentials
from support import clients
from support.clients import sent
from support.reconciling import assert_finds_nothing_unlisted, assert_finds_only_its_own, assert_finds_what_was_lost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reverberate.networks.base import Network

NAMES = ("twitter", "facebook", "mastodon", "bluesky", "linkedin")
LINK = "https://example.org/2026/a-post"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        yield running


def client(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> Network:
    """The real client of an account."""
    return clients.client(sandbox.url, name, monkeypatch, **more)


def delivery(text: str = f"A post, in short\n{LINK}", *, serial: int = 1) -> Delivery:
    card = Card(url=LINK, title="A post", description="in short")
    message = Message(parts=(text,), link=LINK, card=card, language="en")
    return Delivery(serial=serial, key=f"key-{serial}", planned=datetime.now(UTC), message=message)


@pytest.mark.parametrize("name", ["twitter", "facebook", "mastodon"])
def test_a_post_is_found_below_thirty_newer_ones(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an outage in which its answer was lost and others waited."""
    network, what = client(sandbox, name, monkeypatch), delivery()
    receipt = network.send(what)
    for number in range(2, 32):
        link = f"https://blog.example/{number}"
        message = Message(parts=(f"Another post {number}\n{link}",), link=link)
        network.send(replace(delivery(serial=number), message=message))

    assert isinstance(network, Finds)
    assert network.find(what) == receipt


@pytest.mark.parametrize("name", NAMES)
def test_a_post_arrives_and_its_permalink_answers(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = client(sandbox, name, monkeypatch).send(delivery("Grüße & <b>Kisses</b> 🎉 #blog " + LINK))

    (entry,) = sandbox.ledger.of()
    assert (entry.network, entry.account, entry.remote_id) == (name, "alice", receipt.remote_id)
    assert entry.text == "Grüße & <b>Kisses</b> 🎉 #blog " + LINK
    page = requests.get(receipt.permalink, timeout=5)
    assert page.status_code == 200
    assert "Grüße &amp; &lt;b&gt;Kisses&lt;/b&gt; 🎉" in page.text


@pytest.mark.parametrize("name", NAMES)
def test_what_was_sent_is_found_and_what_was_not_is_not(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bluesky's are found by their own key, whenever they were made
    assert_finds_only_its_own(client(sandbox, name, monkeypatch), delivery(), since=name != "bluesky")


@pytest.mark.parametrize("name", NAMES)
def test_sending_the_same_delivery_twice_makes_one_post(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery()
    first, second = network.send(what), sent(network, what)

    assert second == first or isinstance(second, Duplicate)
    assert len(sandbox.ledger.of()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_wrong_keys_are_unauthorised_and_stand_in_no_text(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox, name, monkeypatch, seed="another")
    outcome = sent(network, delivery())

    assert isinstance(outcome, Unauthorised)
    for secret in credentials("another", name, "alice").values():
        assert secret not in f"{outcome} {outcome!r} {outcome.words} {network!r} {network.settings!r}"
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize(("name", "length"), [("twitter", 281), ("mastodon", 501), ("bluesky", 301)])
def test_a_text_that_is_too_long_is_refused_with_the_networks_words(
    sandbox: Sandbox, name: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sent(client(sandbox, name, monkeypatch), delivery("x" * length))

    assert isinstance(outcome, Refused)
    assert outcome.status in {400, 403, 422}
    assert any(word in outcome.words for word in ("too long", "limit", "too big"))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "linkedin"])
def test_each_client_tells_who_it_is(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, name, monkeypatch)

    assert isinstance(network, Verifies)
    assert "alice" in network.verify().who


def test_accounts_of_one_network_do_not_see_each_other(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        client(sandbox, name, monkeypatch, account="alice").send(delivery())
        bob = client(sandbox, name, monkeypatch, account="bob")
        assert bob.find(delivery()) is None  # type: ignore[attr-defined]  # as above
        bob.send(delivery(serial=7))

    assert len(sandbox.ledger.of()) == 2 * len(NAMES)


def test_bluesky_links_tags_and_a_card_are_in_the_record(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"Über #Blogs, @bob.sandbox.test und @nobody.test: {LINK}"
    client(sandbox, "bluesky", monkeypatch).send(delivery(text))

    record = sandbox.ledger.of()[0].details["record"]
    spans = {
        feature["$type"].split("#")[1]: text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        for facet in record["facets"]
        for feature in facet["features"]
    }
    assert spans == {"tag": "#Blogs", "mention": "@bob.sandbox.test", "link": LINK}
    assert record["embed"]["external"] == {"uri": LINK, "title": "A post", "description": "in short"}


def test_bluesky_signs_in_anew_when_its_session_is_over(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "bluesky", monkeypatch)
    network.send(delivery())
    network._session["accessJwt"] = "alice.old.token"  # type: ignore[attr-defined]  # its own memory, made stale
    network.send(delivery("again", serial=2))
    network._session.update(accessJwt="alice.old.token", refreshJwt="alice.old.token")  # type: ignore[attr-defined]  # as above
    network.send(delivery("and again", serial=3))

    assert len(sandbox.ledger.of()) == 3


@pytest.mark.parametrize("name", ["mastodon", "bluesky"])
def test_reactions_are_counted(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, name, monkeypatch)
    assert isinstance(network, Counts)

    assert network.reactions(network.send(delivery())) == Reactions(likes=0, reposts=0, replies=0)


def test_a_picture_reaches_mastodon_with_its_words(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\x89PNG\r\n\x1a\n and the rest"
    picture = Picture(digest="d" * 64, mime="image/png", width=64, height=48, size=len(data), alt="A dot")
    what = delivery()
    shown = replace(what.message, pictures=(picture,), warning="Spoilers")
    client(sandbox, "mastodon", monkeypatch).send(replace(what, message=shown, load=lambda _digest: data))

    (entry,) = sandbox.ledger.of()
    assert entry.details["spoiler_text"] == "Spoilers"
    (attached,) = entry.details["media_attachments"]
    assert attached["description"] == "A dot"
    assert requests.get(attached["url"], timeout=5).content == data


def test_mastodon_asks_its_server_for_the_limit_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "mastodon", monkeypatch)

    asked: list[str] = []
    network.session.hooks["response"].append(lambda answer, **_: asked.append(answer.request.path_url))

    assert network.live_limit().maximum == network.live_limit().maximum == 500
    assert [path for path in asked if "instance" in path] == ["/mastodon/api/v2/instance"]
    assert len(asked) == len(set(asked))


def test_the_sandbox_remembers_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tmp_path, seed="s") as first:
        what = delivery()
        client(first, "bluesky", monkeypatch).send(what)
    with Sandbox(tmp_path, seed="s") as second:
        network = client(second, "bluesky", monkeypatch)

        assert network.find(what) is not None  # type: ignore[attr-defined]  # as above
    assert len(Ledger.read(tmp_path / "ledger.jsonl")) == 1


def test_the_timelines_show_every_post_and_run_no_script(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        client(sandbox, name, monkeypatch).send(delivery(f"<script>alert(1)</script> {name} {LINK}"))
    page = requests.get(sandbox.url, timeout=5)

    assert "<script" not in page.text
    assert page.text.count("&lt;script&gt;") == len(NAMES)
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert requests.get(f"{sandbox.url}/ledger.json", timeout=5).json()[0]["account"] == "alice"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/a-post?utm_source=feed",
        "https://example.org/a-post?a=1&b=2",
        "https://example.org/a-post/#part",
        "https://example.org/a%20post",
        "https://example.org/~me/a_(post)",
        "https://example.org/" + "a-long-address-" * 8,
        "http://127.0.0.1:8000/a-post",
    ],
)
def test_a_post_is_found_by_any_link(sandbox: Sandbox, name: str, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, plain = client(sandbox, name, monkeypatch), delivery(f"A post\n{link}")
    what = replace(plain, message=replace(plain.message, link=link, card=Card(url=link)))
    receipt = network.send(what)

    assert network.find(what) == receipt  # type: ignore[attr-defined]  # as above


BEFORE = (Kind.ERROR, Kind.RATE_LIMIT, Kind.DUPLICATE, Kind.EXPIRE, Kind.REDIRECT, Kind.CUT_REQUEST)
AFTER = (Kind.DROP, Kind.HANG, Kind.FAIL, Kind.CUT_ANSWER, Kind.TRUNCATE, Kind.DRIP)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER])
def test_whatever_goes_wrong_the_outcome_is_true(
    sandbox: Sandbox, name: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says that it is there, has it there; who says that it is not, does not; Unsure may be either."""
    network = client(sandbox, name, monkeypatch)
    for serial in range(1, 13):
        number = sandbox.faults.add(Fault(kind=kind, on=Purpose.PUBLISH, seconds=0.01, count=1))
        before = len(sandbox.ledger.accepted())
        outcome = sent(network, delivery(f"Post {serial}\n{LINK}", serial=serial))
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


@pytest.mark.parametrize("name", NAMES)
def test_a_post_whose_answer_was_lost_is_found(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_finds_what_was_lost(client(sandbox, name, monkeypatch), delivery(), sandbox)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dialect", Dialect)
def test_a_limit_is_understood_in_every_dialect(
    sandbox: Sandbox, name: str, dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.RATE_LIMIT, on=Purpose.PUBLISH, dialect=dialect, seconds=120, count=1))
    outcome = sent(network, delivery())
    later = datetime.now(UTC) + timedelta(seconds=120)

    if dialect is Dialect.USAGE and name != "facebook":
        assert isinstance(outcome, Refused | RateLimited)
        return
    assert isinstance(outcome, RateLimited)
    if dialect not in {Dialect.NONE, Dialect.ABSURD, Dialect.USAGE}:
        assert outcome.until is not None
        assert abs(outcome.until - later) < timedelta(seconds=5)


@pytest.mark.parametrize("name", ["twitter", "facebook", "bluesky", "linkedin"])
def test_a_duplicate_is_understood_in_the_networks_words(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.DUPLICATE, count=1))

    assert isinstance(sent(network, delivery()), Duplicate)


@pytest.mark.parametrize("name", ["twitter", "facebook", "mastodon", "linkedin"])
def test_a_token_that_expired_needs_its_owner(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.EXPIRE, count=1))

    assert isinstance(sent(network, delivery()), Unauthorised)


def test_a_session_that_expired_on_bluesky_is_renewed_unseen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "bluesky", monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.EXPIRE, on=Purpose.PUBLISH, count=1))

    assert isinstance(sent(network, delivery()), Receipt)


@pytest.mark.parametrize("name", NAMES)
def test_a_refused_connection_posts_nothing(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.REFUSE))

    assert isinstance(sent(network, delivery()), Transient | Unsure)
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("name", ["twitter", "facebook", "mastodon", "linkedin"])
def test_what_a_listing_does_not_show_yet_is_not_found_yet(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_finds_nothing_unlisted(client(sandbox, name, monkeypatch), delivery(), sandbox)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_deleted_is_gone_and_deleting_it_twice_is_fine(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery()
    assert isinstance(network, Deletes)
    receipt = network.send(what)
    for _ in range(2):
        network.delete(what, receipt)

    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("name", ["facebook", "mastodon", "bluesky"])
def test_what_is_edited_says_the_new_words_in_the_same_place(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery()
    assert isinstance(network, Edits)
    receipt = network.send(what)
    new = replace(what, message=replace(what.message, parts=(f"Other words\n{LINK}",)))
    for _ in range(2):
        assert network.edit(new, receipt).permalink == receipt.permalink

    (entry,) = sandbox.ledger.of()
    assert (entry.text, entry.remote_id) == (f"Other words\n{LINK}", receipt.remote_id)
    network.delete(new, receipt)  # type: ignore[attr-defined]  # as the test above shows
    with pytest.raises(Refused):
        network.edit(new, receipt)
    assert sandbox.ledger.of() == [], "what was deleted does not come back by an edit"


@pytest.mark.parametrize("name", ["twitter", "mastodon", "bluesky"])
def test_a_thread_is_edited_and_deleted_whole(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, steps = client(sandbox, name, monkeypatch), {}
    message = Message(parts=("One", "Two", f"Three {LINK}"), link=LINK)
    keep = lambda step, answer: steps.update({step: Step(answer=answer, at=datetime.now(UTC))})  # noqa: E731 - a line
    what = replace(delivery(), message=message, steps=steps, record=keep)
    receipt = network.send(what)
    if isinstance(network, Edits):
        network.edit(replace(what, message=replace(message, parts=("Uno", "Due", f"Tre {LINK}"))), receipt)
        assert [entry.text for entry in sandbox.ledger.of()] == [f"Tre {LINK}", "Due", "Uno"]
        with pytest.raises(Refused, match="the new words make 1 parts, and 3 are there"):
            network.edit(replace(what, message=replace(message, parts=("Uno",))), receipt)
    assert isinstance(network, Deletes)
    network.delete(what, receipt)

    assert sandbox.ledger.of() == []
