"""LinkedIn and Google Business Profile against the sandbox: cards, escapes, members, buttons, changes, lost answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reverberate.errors import Duplicate, Outcome, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Card, Delivery, Message, Picture, Receipt, Step
from reverberate.networks import networks
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.sandbox.records import blob_cid
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reverberate.model import JSON

LINK = "https://example.org/2026/a_post_(1)"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
PICTURE = Picture(digest="a" * 64, mime="image/png", width=640, height=480, size=len(PNG), alt="A hill")
AFTER = (Kind.DROP, Kind.HANG, Kind.FAIL, Kind.CUT_ANSWER, Kind.TRUNCATE)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        yield running


def client(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> Any:
    values: dict[str, object] = dict(settings(sandbox.url, "s", name, "alice")) | more
    for key, secret in credentials("s", name, "alice").items():
        monkeypatch.setenv(f"{name}_{key}".upper(), secret)
        values[key] = Secret("env", f"{name}_{key}".upper())
    network = networks.get(name)
    return network("alice", network.Settings(**values))


def member(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    page = settings(sandbox.url, "s", "linkedin", "alice")["author"]
    return client(sandbox, "linkedin", monkeypatch, author=page.replace("organization", "person"))


def delivery(text: str = "A post", *, serial: int = 1, address: str = "", **message: Any) -> Delivery:
    """One that keeps its steps in memory, as a store would."""
    steps: dict[str, Step] = {}

    def record(name: str, answer: Mapping[str, JSON]) -> None:
        steps.setdefault(name, Step(answer=answer, at=datetime.now(UTC)))

    card = message.pop("card", Card(url=LINK, title="A post", description="in short"))
    return Delivery(
        serial=serial,
        key=f"key-{serial}",
        planned=datetime.now(UTC),
        message=Message(parts=(text,), link=LINK, card=card, language="en-GB", **message),
        steps=steps,
        record=record,
        load=lambda _digest: PNG,
        address=lambda _digest: address,
    )


def sent(network: Any, what: Delivery) -> Receipt | Outcome:
    try:
        receipt: Receipt = network.send(what)
    except Outcome as outcome:
        return outcome
    return receipt


@pytest.mark.parametrize(
    "text", ["(a) [b] {c} <d> *e* _f_ ~g~ |h| @i \\j", "#blog and C# and #", "Ende_\n\n#fünf_6 🎉"]
)
def test_linkedin_shows_every_character_as_it_was_meant(
    sandbox: Sandbox, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(sandbox, "linkedin", monkeypatch).send(delivery(text))

    assert sandbox.ledger.of()[0].text == text


def test_the_sandboxes_linkedin_cuts_what_is_not_escaped_as_the_real_one_does(sandbox: Sandbox) -> None:
    base = settings(sandbox.url, "s", "linkedin", "alice")
    token = credentials("s", "linkedin", "alice")["access_token"]
    headers = {"Authorization": f"Bearer {token}", "LinkedIn-Version": "202607"}
    body = {"author": base["author"], "commentary": "Before (after)"}
    answer = requests.post(f"{base['api_base']}/rest/posts", json=body, headers=headers, timeout=5)

    assert answer.status_code == 201
    assert sandbox.ledger.of()[0].text == "Before "


def test_a_linkedin_card_has_title_words_and_the_uploaded_picture(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(url=LINK, title="A post", description="in short", picture=PICTURE)
    network, what = client(sandbox, "linkedin", monkeypatch), delivery(card=card)
    receipt = network.send(what)

    (entry,) = sandbox.ledger.of()
    assert entry.link == LINK
    assert entry.details["card"] == {"title": "A post", "description": "in short", "cid": blob_cid(PNG)}
    page = requests.get(receipt.permalink, timeout=5).text
    assert f'<img src="/blob/{blob_cid(PNG)}"' in page
    assert "in short" in page


def test_a_linkedin_picture_is_uploaded_once_and_leaves_the_link_in_the_text(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, "linkedin", monkeypatch), delivery("x" * 3000, pictures=(PICTURE,))
    number = sandbox.faults.add(Fault(kind=Kind.CUT_REQUEST, on=Purpose.PUBLISH, byte=10))
    sent(network, what)
    sandbox.faults.clear(number)
    uploaded = dict(what.steps)
    receipt = network.send(what)

    (entry,) = sandbox.ledger.of()
    assert what.steps == uploaded
    assert len(uploaded) == 1
    assert entry.details["pictures"] == [{"cid": blob_cid(PNG), "alt": "A hill"}]
    assert entry.text.endswith(f"…\n\n{LINK}")
    assert network.find(what) == receipt


@pytest.mark.parametrize("kind", AFTER)
def test_a_members_lost_answer_is_settled_by_linkedins_refusal(
    sandbox: Sandbox, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = member(sandbox, monkeypatch), delivery()
    sandbox.faults.add(Fault(kind=kind, on=Purpose.PUBLISH, count=1, seconds=0.05, byte=12 if "cut" in kind else None))
    first = sent(network, what)
    assert isinstance(first, Unsure | Receipt)
    assert network.find(what) is None, "no ordinary app may read a member's posts"

    again = sent(network, what)
    (entry,) = sandbox.ledger.accepted()
    assert isinstance(again, Duplicate)
    assert again.receipt is not None
    assert (again.receipt.remote_id, again.receipt.permalink) == (entry.remote_id, entry.permalink)


def test_linkedin_tells_whose_the_token_is(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = member(sandbox, monkeypatch), client(sandbox, "linkedin", monkeypatch, author="urn:li:person:bob")

    assert mine.verify().who == "alice"
    assert mine.verify().troubles == ()
    assert "the account's author is urn:li:person:bob" in other.verify().troubles[0]


def test_a_linkedin_version_that_ended_needs_the_owner(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sent(client(sandbox, "linkedin", monkeypatch, version="202501"), delivery())

    assert isinstance(outcome, Unauthorised)
    assert "set a newer one" in outcome.words


def test_linkedins_picture_goes_to_linkedin_alone(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "linkedin", monkeypatch)
    theirs = ("https://www.linkedin.com/dms-uploads/x", f"{sandbox.url}/linkedin/upload/x")
    others = ("https://linkedin.com.evil.example/x", "http://www.linkedin.com/x", "https://notlinkedin.com/x", "x")

    assert [network._theirs(url) for url in (*theirs, *others)] == [True, True, False, False, False, False]


def test_a_google_post_has_a_button_and_the_fetched_picture(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"{sandbox.url}/blob/{sandbox._networks['google_business']._blobs.put(PNG)}"  # type: ignore[attr-defined]  # the sandbox itself serves what is fetched
    network, what = client(sandbox, "google_business", monkeypatch), delivery(pictures=(PICTURE,), address=address)
    assert network.find(what) is None
    receipt = network.send(what)

    (entry,) = sandbox.ledger.of()
    assert (entry.text, entry.link, entry.details["button"]) == ("A post", LINK, "LEARN_MORE")
    assert entry.details["pictures"][0]["cid"] == blob_cid(PNG)
    assert requests.get(receipt.permalink, timeout=5).status_code == 200
    assert network.find(what) == receipt
    assert network.verify().who.startswith("location ")


def test_a_google_post_goes_without_its_picture_where_no_address_is_public(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(sandbox, "google_business", monkeypatch).send(delivery(pictures=(PICTURE,)))

    assert "pictures" not in sandbox.ledger.of()[0].details


@pytest.mark.parametrize("kind", [*AFTER, Kind.CUT_REQUEST, Kind.EXPIRE, Kind.RATE_LIMIT, Kind.ERROR])
def test_whatever_goes_wrong_at_google_the_outcome_is_true_and_a_lost_post_is_found(
    sandbox: Sandbox, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, "google_business", monkeypatch), delivery()
    sandbox.faults.add(Fault(kind=kind, on=Purpose.PUBLISH, count=1, seconds=0.05, byte=12 if "cut" in kind else None))
    outcome = sent(network, what)

    accepted = sandbox.ledger.accepted()
    if kind in AFTER:
        assert isinstance(outcome, Unsure | Receipt)
        assert network.find(what).remote_id == accepted[0].remote_id
    else:
        assert isinstance(outcome, Outcome)
        assert accepted == []
        assert network.find(what) is None


def test_googles_own_refusals_are_understood(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "google_business", monkeypatch)
    strange = client(sandbox, "google_business", monkeypatch, location="1")

    assert isinstance(sent(network, delivery("x" * 1501)), Refused)
    assert isinstance(sent(strange, delivery()), Unauthorised)
    assert isinstance(sent(network, delivery(pictures=(PICTURE,), address=f"{sandbox.url}/nothing")), Refused)


@pytest.mark.parametrize("name", ["linkedin", "google_business"])
def test_what_was_posted_can_be_changed_and_taken_back_twice(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery()
    receipt = network.send(what)
    changed = replace(what, message=replace(what.message, parts=("Other words (2)",)))

    assert network.edit(changed, receipt) == receipt
    assert sandbox.ledger.of()[0].text == "Other words (2)"
    for _ in range(2):
        network.delete(what, receipt)
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("name", ["linkedin", "google_business"])
def test_a_listing_that_cannot_be_read_is_asked_again(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.TRUNCATE, on=Purpose.LIST, byte=60))

    with pytest.raises(Transient):
        network.find(delivery())
