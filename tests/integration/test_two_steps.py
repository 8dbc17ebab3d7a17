"""Instagram and Threads, against the sandbox: a container, then the post, once, whatever breaks in between."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from PIL import Image as Pillow

from reverberate.errors import Outcome, Refused, Transient, Unauthorised, Unsure
from reverberate.model import Delivery, Message, Picture, Receipt, Step
from reverberate.networks import containers, networks
from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.sandbox.records import blob_cid
from reverberate.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reverberate.model import JSON
    from reverberate.networks.containers import Containers

NAMES = ("threads", "instagram")
LINK = "https://example.org/2026/a-post"


def jpeg() -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (640, 480), "teal").save(out, "JPEG")
    return out.getvalue()


PICTURE = Picture(digest="a" * 64, mime="image/jpeg", width=640, height=480, size=9, alt="A hill")


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(containers, "PAUSE", 0.01)
    with Sandbox(tmp_path / "sandbox", seed="s") as running:
        running.picture = f"{running.url}/blob/{running._networks['threads']._blobs.put(jpeg())}"  # type: ignore[attr-defined]  # the sandbox itself serves what is fetched
        yield running


def client(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> Containers:
    values: dict[str, object] = dict(settings(sandbox.url, "s", name, "alice"))
    for key, secret in credentials("s", name, "alice").items():
        monkeypatch.setenv(f"{name}_{key}".upper(), secret)
        values[key] = Secret("env", f"{name}_{key}".upper())
    network = networks.get(name)
    made = network("alice", network.Settings(**values))
    assert isinstance(made, containers.Containers)
    return made


def delivery(sandbox: Sandbox, *parts: str, serial: int = 1) -> Delivery:
    """One that keeps its steps in memory, as a store would."""
    steps: dict[str, Step] = {}

    def record(name: str, answer: Mapping[str, JSON]) -> None:
        steps.setdefault(name, Step(answer=answer, at=datetime.now(UTC)))

    message = Message(parts=parts or (f"A post: {LINK}",), link=LINK, pictures=(PICTURE,))
    return Delivery(
        serial=serial,
        key=f"key-{serial}",
        planned=datetime.now(UTC),
        message=message,
        steps=steps,
        record=record,
        address=lambda _digest: sandbox.picture,  # type: ignore[attr-defined]  # as above
    )


def sent(network: Containers, what: Delivery) -> Receipt | Outcome:
    try:
        return network.send(what)
    except Outcome as outcome:
        return outcome


def found(network: Containers, what: Delivery) -> Receipt | None:
    receipt = network.find(what)  # type: ignore[attr-defined]  # both find
    assert receipt is None or isinstance(receipt, Receipt)
    return receipt


@pytest.mark.parametrize("name", NAMES)
def test_a_post_arrives_with_its_picture_and_its_description(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    assert found(network, what) is None
    receipt = network.send(what)

    (entry,) = sandbox.ledger.of()
    assert (entry.network, entry.remote_id, entry.text) == (name, receipt.remote_id, f"A post: {LINK}")
    assert entry.details["pictures"] == [{"cid": blob_cid(jpeg()), "alt": "A hill"}]
    assert 'alt="A hill"' in requests.get(receipt.permalink, timeout=5).text
    assert found(network, what) == receipt


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [Kind.DROP, Kind.HANG, Kind.FAIL, Kind.CUT_ANSWER, Kind.TRUNCATE])
@pytest.mark.parametrize("on", [Purpose.OTHER, Purpose.PUBLISH, Purpose.READ])
def test_an_answer_that_is_lost_at_either_step_makes_one_post(
    sandbox: Sandbox, name: str, kind: Kind, on: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the policy does it: look up what is unsure, try again what brought nothing."""
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    number = sandbox.faults.add(Fault(kind=kind, on=on, count=1, seconds=0.05, byte=40 if "cut" in kind else None))
    first = sent(network, what)
    sandbox.faults.clear(number)

    assert isinstance(first, Receipt | Transient | Unsure)
    if isinstance(first, Transient):
        assert sandbox.ledger.accepted() == []
    receipt = first if isinstance(first, Receipt) else found(network, what) or network.send(what)
    (entry,) = sandbox.ledger.accepted()
    assert entry.remote_id == receipt.remote_id


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_between_the_steps_goes_on_with_the_same_container(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    number = sandbox.faults.add(Fault(kind=Kind.CUT_REQUEST, on=Purpose.PUBLISH, byte=10))
    sent(network, what)
    sandbox.faults.clear(number)

    assert found(network, what) is None
    network.send(what)
    (entry,) = sandbox.ledger.accepted()
    (step,) = what.steps.values()
    assert entry.key == step.answer["id"]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_container_is_never_published_again(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    receipt = network.send(what)

    assert network.send(what) == receipt
    assert len(sandbox.ledger.accepted()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_published_post_that_the_list_lacks_is_waited_for_and_then_named_by_its_container(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    network.send(what)
    sandbox.faults.add(Fault(kind=Kind.LAG, seconds=900))

    with pytest.raises(Transient, match="not in the account's own list yet"):
        found(network, what)
    with pytest.raises(Unsure, match="not in the account's own list yet"):
        network.send(what)
    network.now = lambda: datetime.now(UTC) + timedelta(minutes=20)
    receipt = found(network, what)
    assert receipt is not None
    assert receipt.remote_id == sandbox.ledger.accepted()[0].key


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_that_cannot_be_fetched_costs_a_container_and_no_post(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    broken = replace(what, address=lambda _digest: f"{sandbox.url}/nothing-there.jpg")
    outcome = sent(network, broken)

    assert isinstance(outcome, Transient)
    assert "FAILED_DOWNLOADING_IMAGE" in outcome.words
    assert found(network, what) is None
    assert network.send(what).remote_id == sandbox.ledger.accepted()[0].remote_id
    assert sorted(what.steps) == sorted([*broken.steps])


@pytest.mark.parametrize("name", NAMES)
def test_a_container_that_the_vendor_lost_is_made_anew_once_it_was_looked_for(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    state, published = type(network)._state, sandbox._networks[name]
    number = network._made(what, network_draft(network, what))[1]
    published.containers.clear()  # type: ignore[attr-defined]  # the sandbox forgets, as Meta has been seen to
    monkeypatch.setattr(
        type(network), "_state", lambda self, one: ("FINISHED", "") if one == number else state(self, one)
    )

    assert isinstance(sent(network, what), Unsure)
    assert found(network, what) is None
    network.send(what)
    assert len(sandbox.ledger.accepted()) == 1


def network_draft(network: Containers, what: Delivery) -> containers.Draft:
    """The draft that the network's own send would make."""
    drafts: list[containers.Draft] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(network), "publish", lambda _self, _what, draft: drafts.append(draft) or Receipt(remote_id="1")
        )
        network.send(what)
    return drafts[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_tells_who_it_is_and_what_is_left_of_the_quota(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = client(sandbox, name, monkeypatch)
    network.send(delivery(sandbox))

    standing = network.verify()
    assert (standing.who, standing.notes) == ("@alice", ("1 of 250 posts used in 24 hours",))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_posted_can_be_counted_and_taken_back_twice(
    sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, name, monkeypatch), delivery(sandbox)
    receipt = network.send(what)

    assert network.reactions(receipt).likes == 0  # type: ignore[attr-defined]  # both count
    for _ in range(2):
        network.delete(what, receipt)  # type: ignore[attr-defined]  # both delete
    assert sandbox.ledger.of() == []


@pytest.mark.parametrize("name", NAMES)
def test_a_token_that_expired_needs_its_owner(sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, name, monkeypatch)
    sandbox.faults.add(Fault(kind=Kind.EXPIRE, on=Purpose.PUBLISH, count=1))

    assert isinstance(sent(network, delivery(sandbox)), Unauthorised)


def test_threads_posts_the_text_alone_where_no_address_is_public(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, "threads", monkeypatch), delivery(sandbox)
    network.send(replace(what, address=lambda _digest: ""))

    (entry,) = sandbox.ledger.accepted()
    assert (entry.text, entry.details) == (f"A post: {LINK}", {})


def test_threads_counts_bytes(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    network = client(sandbox, "threads", monkeypatch)
    assert isinstance(sent(network, delivery(sandbox, "ü" * 251)), Refused)

    assert isinstance(sent(network, delivery(sandbox, "ü" * 250)), Receipt)


def test_a_thread_is_a_chain_of_replies_and_goes_on_after_a_crash(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, what = client(sandbox, "threads", monkeypatch), delivery(sandbox, f"One {LINK}", "two", "three")
    sandbox.faults.add(Fault(kind=Kind.DROP, on=Purpose.PUBLISH, count=1))
    assert isinstance(sent(network, what), Unsure)
    sandbox.faults.add(Fault(kind=Kind.DROP, on=Purpose.PUBLISH, count=1))
    assert found(network, what) is None, "the second part is not there yet"
    assert isinstance(sent(network, what), Unsure)
    assert found(network, what) is None, "the third part is not there yet"
    receipt = network.send(what)

    one, two, three = sandbox.ledger.accepted()
    assert receipt.remote_id == one.remote_id
    assert (one.text, two.text, three.text) == (f"One {LINK}", "two", "three")
    assert [two.details["reply_to"], three.details["reply_to"]] == [one.remote_id, two.remote_id]
    assert "pictures" not in two.details
    assert found(network, what) == receipt
    network.delete(what, receipt)  # type: ignore[attr-defined]  # it deletes
    assert sandbox.ledger.of() == []
