"""Facebook's photos against the sandbox: uploaded once, described, with the link in the text, found, changed, taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from reverberate.errors import Outcome, Transient
from reverberate.model import Card, Delivery, Message, Picture, Step
from reverberate.networks.facebook import Facebook, FacebookSettings
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.sandbox.records import blob_cid
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reverberate.model import JSON

LINK = "https://example.org/2026/a-post"
PNG = b"\x89PNG\r\n\x1a\n and the rest\r\n--of it"
PICTURE = Picture(digest="a" * 64, mime="image/png", width=640, height=480, size=len(PNG), alt="Ein Hügel")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        yield running


@pytest.fixture
def page(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Facebook:
    monkeypatch.setenv("FB_TOKEN", credentials("s", "facebook", "alice")["access_token"])
    plain = settings(sandbox.url, "s", "facebook", "alice")
    return Facebook("alice", FacebookSettings(access_token=Secret("env", "FB_TOKEN"), **plain))


@pytest.fixture
def what() -> Delivery:
    steps: dict[str, Step] = {}

    def record(name: str, answer: Mapping[str, JSON]) -> None:
        steps.setdefault(name, Step(answer=answer, at=datetime.now(UTC)))

    return Delivery(
        serial=1,
        key="key-1",
        planned=datetime.now(UTC),
        message=Message(parts=("A post",), link=LINK, card=Card(url=LINK), pictures=(PICTURE,)),
        steps=steps,
        record=record,
        load=lambda _digest: PNG,
    )


def test_a_photo_is_shown_with_its_description_and_the_link_in_the_text(
    sandbox: Sandbox, page: Facebook, what: Delivery
) -> None:
    receipt = page.send(what)

    (entry,) = sandbox.ledger.of()
    assert (entry.text, entry.link) == (f"A post\n\n{LINK}", "")
    assert entry.details["pictures"] == [{"cid": blob_cid(PNG), "alt": "Ein Hügel"}]
    assert 'alt="Ein Hügel"' in requests.get(receipt.permalink, timeout=5).text
    assert page.find(what) == receipt


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.FAIL, Kind.CUT_REQUEST, Kind.ERROR])
def test_an_upload_that_went_wrong_posted_nothing(sandbox: Sandbox, page: Facebook, what: Delivery, kind: Kind) -> None:
    sandbox.faults.add(Fault(kind=kind, on=Purpose.OTHER, count=1, byte=10 if kind is Kind.CUT_REQUEST else None))

    with pytest.raises(Transient):
        page.send(what)
    assert sandbox.ledger.of() == []
    page.send(what)
    assert len(sandbox.ledger.accepted()) == 1


def test_a_photo_is_uploaded_once_however_often_its_post_is_tried(
    sandbox: Sandbox, page: Facebook, what: Delivery
) -> None:
    sandbox.faults.add(Fault(kind=Kind.CUT_REQUEST, on=Purpose.PUBLISH, byte=10, count=2))
    for _ in range(2):
        with pytest.raises(Outcome):
            page.send(what)
    page.send(what)

    assert len(sandbox._networks["facebook"]._photos) == 1  # type: ignore[attr-defined]  # what the sandbox was given


def test_words_are_changed_and_keep_their_link_and_a_post_is_taken_back_twice(
    sandbox: Sandbox, page: Facebook, what: Delivery
) -> None:
    receipt = page.send(what)
    page.edit(replace(what, message=replace(what.message, parts=("Other words",))), receipt)
    assert sandbox.ledger.of()[0].text == f"Other words\n\n{LINK}"
    assert page.reactions(receipt).reposts == 0

    for _ in range(2):
        page.delete(what, receipt)
    assert sandbox.ledger.of() == []
