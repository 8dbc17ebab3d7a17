"""Every request that a client makes, against the vendor's own specification; and the sandbox's answers too."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reverberate.errors import Duplicate
from reverberate.model import Assurance, Card, Delivery, Message, Picture, Step
from reverberate.networks import mastodon, networks
from reverberate.networks.base import Counts, Deletes, Edits, Finds, Verifies
from reverberate.networks.containers import Containers
from reverberate.sandbox import Sandbox, credentials, entities, settings
from reverberate.sandbox.blobs import Blobs
from reverberate.secrets import Secret
from reverberate.testing import Asked, Reply, ScriptedServer
from support.judges import JUDGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from reverberate.model import JSON
    from reverberate.networks.base import Network
    from support.judges import Judge

pytestmark = pytest.mark.specs
LINK = "https://example.org/2026/a-post?a=1&b=2"
CALLS = {
    "twitter": {"createPosts", "deletePosts", "getUsersPosts", "getUsersMe"},
    "mastodon": {"createStatus", "getAccountsVerifyCredentials", "getAccountStatuses", "getInstanceV2"}
    | {"getAppsVerifyCredentials", "updateStatus", "deleteStatus"},
    "bluesky": {
        "com.atproto.identity.resolveHandle",
        "com.atproto.repo.deleteRecord",
        "com.atproto.repo.getRecord",
        "com.atproto.repo.putRecord",
        "com.atproto.repo.uploadBlob",
        "com.atproto.server.createSession",
        "com.atproto.server.getSession",
        "com.atproto.server.refreshSession",
    },
    "facebook": {"POST feed", "POST photos", "GET published_posts", "GET", "POST post", "DELETE post", "GET post"},
    "instagram": {
        *("POST media", "GET container", "POST media_publish", "GET media", "GET post", "DELETE post"),
        *("GET me", "GET content_publishing_limit"),
    },
    "threads": {
        *("POST me/threads", "GET *", "POST me/threads_publish", "GET me/threads", "GET me/replies", "DELETE *"),
        *("GET me", "GET me/threads_publishing_limit", "GET */insights"),
    },
}
CALLS_WITH_PICTURES = {
    "twitter": ["mediaUpload", "createMediaMetadata"] * 4 + ["createPosts"],
    "mastodon": ["getInstanceV2"] + ["createMediaV2", "getMedia"] * 4 + ["createStatus"],
}
AUTHORIZATION = defaultdict(lambda: "Bearer ", twitter="OAuth ")
SIGN_IN = "com.atproto.server.createSession"
AFTERWARDS = {"facebook", "instagram", "threads"}
"""Networks whose posts are also changed, counted and taken back here."""
JPEG = b"\xff\xd8\xff and the rest"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
PICTURES = tuple(
    Picture(digest=f"{n}" * 64, mime="image/png", width=640, height=480, size=len(PNG), alt="A hill") for n in range(5)
)


class Line:
    """An account, and all that goes over its line."""

    def __init__(self, network: Network, base: str) -> None:
        self.network, self.base = network, base
        self.answers: list[requests.Response] = []
        network.session.hooks["response"].append(self._heard)

    def _heard(self, answer: requests.Response, **_: Any) -> None:
        """Nodeinfo is another vendor's: no specification here knows it."""
        if "nodeinfo" not in str(answer.request.url):
            self.answers.append(answer)

    @classmethod
    def to(cls, url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> Line:
        """A line to a sandbox, or to whatever else listens at ``url``."""
        values: dict[str, Any] = dict(settings(url, "s", name, "alice"))
        for key, secret in credentials("s", name, "alice").items():
            monkeypatch.setenv(key.upper(), secret)
            values[key] = Secret("env", key.upper())
        network = networks.get(name)
        return cls(network("alice", network.Settings(**values)), values["api_base"])

    @property
    def asked(self) -> list[requests.PreparedRequest]:
        """The requests, as they were sent."""
        return [answer.request for answer in self.answers]

    def wrong_requests(self, judge: Judge) -> list[str]:
        return [wrong for asked in self.asked for wrong in judge.request(asked, base=self.base)]

    def wrong_answers(self, judge: Judge) -> list[str]:
        return [wrong for answer in self.answers for wrong in judge.answer(answer, base=self.base)]

    def calls(self, judge: Judge) -> list[str]:
        return [judge.call(asked, base=self.base) for asked in self.asked]


def delivery(*parts: str, serial: int = 1, card: Card | None = None, pictures: tuple[Picture, ...] = ()) -> Delivery:
    message = Message(parts=parts, link=LINK, card=card or Card(url=LINK), pictures=pictures, language="en-GB")
    return Delivery(
        serial=serial, key=f"key-{serial}", planned=datetime.now(UTC), message=message, load=lambda _digest: PNG
    )


def two_steps(made: Delivery, address: str) -> Delivery:
    """One that keeps its steps, and whose picture lies at an address: what Instagram and Threads need."""
    steps: dict[str, Step] = {}

    def record(name: str, answer: Mapping[str, JSON]) -> None:
        steps[name] = Step(answer=answer, at=datetime.now(UTC))

    return replace(made, steps=steps, record=record, address=lambda _digest: address)


def deliveries(network: Network, address: str) -> list[Delivery]:
    """Each kind of message that the network takes; pictures only where the sandbox takes them too."""
    if isinstance(network, Containers):
        seen = [delivery(f"Seen {LINK}", pictures=PICTURES[:1])]
        told = [delivery(f"Told {LINK}", serial=2), delivery("First of two", f"and the second: {LINK}", serial=3)]
        return [two_steps(one, address) for one in seen + told * network.threads]
    made = [delivery(f"Grüße & <b>Küsse</b> 🎉, @bob.sandbox.test, @nobody.test #blog: {LINK}")]
    if network.threads:
        made += [delivery("First of two", f"and the second: {LINK}", serial=2)]
    if network.name == "bluesky":
        card = Card(url=LINK, title="A post", description="in short", picture=PICTURES[0])
        made += [delivery(f"Card {LINK}", serial=3, card=card), delivery("Seen", serial=4, pictures=PICTURES)]
    if network.name == "facebook":
        seen = delivery("Seen", serial=5, pictures=PICTURES)
        made += [replace(seen, message=replace(seen.message, link=f"{LINK}&c=3"))]
    return made


def sent_twice_and_found(network: Network, what: Delivery) -> None:
    """Looked up in vain, sent, sent again, and looked up."""
    assert isinstance(network, Finds)
    assert network.find(what) is None
    receipt = network.send(what)
    known = network.assurance is Assurance.IDENTITY or isinstance(network, Containers)
    with nullcontext() if known else pytest.raises(Duplicate):
        assert network.send(what).remote_id == receipt.remote_id
    assert network.find(what) == receipt
    assert network.find(replace(what, steps=_but_parts(what))) == receipt


def _but_parts(what: Delivery) -> dict[str, Step]:
    """The steps of one that crashed before it noted that its parts are there."""
    return {name: step for name, step in what.steps.items() if not name.startswith("part")}


def changed_counted_and_taken_back(network: Network, what: Delivery) -> None:
    """All that can be done with what is there."""
    receipt = network.find(what)  # type: ignore[attr-defined]  # as above
    assert receipt is not None
    if isinstance(network, Edits):
        network.edit(what, receipt)
    assert isinstance(network, Counts)
    assert network.reactions(receipt).likes == 0
    assert isinstance(network, Deletes)
    network.delete(what, receipt)


def edited_and_deleted(network: Network, what: Delivery) -> None:
    """Sent, changed where that is possible, and taken back."""
    receipt = network.send(what)
    if isinstance(network, Edits):
        receipt = network.edit(replace(what, message=replace(what.message, parts=(f"Now: {LINK}",))), receipt)
    assert isinstance(network, Deletes)
    network.delete(what, receipt)


@pytest.fixture(scope="module", params=JUDGES)
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """An account on a sandbox that did all that its client can do."""
    folder = tmp_path_factory.mktemp("sandbox")
    with pytest.MonkeyPatch.context() as patch, Sandbox(folder, seed="s") as sandbox:
        made = Line.to(sandbox.url, request.param, patch)
        assert isinstance(made.network, Verifies)
        made.network.verify()
        made.network.live_limit()
        address = f"{sandbox.url}/blob/{Blobs(folder / 'blobs').put(JPEG)}"
        for what in deliveries(made.network, address):
            sent_twice_and_found(made.network, what)
        if request.param in AFTERWARDS:
            changed_counted_and_taken_back(made.network, what)
        else:
            edited_and_deleted(made.network, delivery(f"Soon gone: {LINK}", serial=6))
        if request.param == "bluesky":
            made.network._session["accessJwt"] = "alice.old.token"  # type: ignore[attr-defined]  # its own memory, made stale
            made.network.send(delivery("Signed in anew", serial=5))
        yield made


@pytest.fixture(scope="module")
def judge(line: Line) -> Judge:
    return JUDGES[line.network.name]()


def test_every_request_is_as_the_vendor_says(line: Line, judge: Judge) -> None:
    assert line.wrong_requests(judge) == []


def test_every_answer_of_the_sandbox_is_as_the_vendor_says(line: Line, judge: Judge) -> None:
    assert line.wrong_answers(judge) == []


def test_these_and_no_other_calls_are_made(line: Line, judge: Judge) -> None:
    assert set(line.calls(judge)) == CALLS[line.network.name]


def test_each_request_says_who_asks_in_the_vendors_way_and_in_no_address(line: Line, judge: Judge) -> None:
    kind = AUTHORIZATION[line.network.name]
    secrets = line.network.secrets()
    for asked, call in zip(line.asked, line.calls(judge), strict=True):
        assert str(asked.headers.get("Authorization", "")).startswith(kind) != (call == SIGN_IN)
        assert not any(secret in str(asked.url) for secret in secrets)


def vendor(asked: Asked) -> Reply:
    """What the vendor answers to a picture and to the post that shows it; Mastodon needs a while for a picture."""
    base = "http://127.0.0.1"
    media = {"id": "22", "type": "image", "preview_url": None, "url": None, "description": "A hill"}
    told = {"id": "1", "created_at": "2026-11-24T12:00:00.000Z", "content": "<p>Seen</p>", "visibility": "public"}
    told |= {"spoiler_text": "", "uri": f"{base}/1", "url": f"{base}/1"}
    answers: dict[str, tuple[int, Any]] = {
        "/twitter/2/media/upload": (200, {"data": {"id": "22", "media_key": "3_22", "expires_after_secs": 86400}}),
        "/twitter/2/media/metadata": (200, {"data": {"id": "22"}}),
        "/twitter/2/tweets": (201, {"data": {"id": "1", "text": "Seen"}}),
        "/mastodon/api/v2/instance": (200, entities.instance(max_characters=500, link=23, base=base)),
        "/mastodon/.well-known/nodeinfo": (404, {"error": "Record not found"}),
        "/mastodon/api/v2/media": (202, media),
        "/mastodon/api/v1/media/22": (200, media | {"url": f"{base}/22.png"}),
        "/mastodon/api/v1/statuses": (200, entities.status(entities.account("alice", number="1", base=base), told)),
    }
    status, body = answers[asked.target]
    return Reply(status=status, body=json.dumps(body).encode())


@pytest.mark.parametrize("name", CALLS_WITH_PICTURES)
def test_pictures_are_uploaded_described_and_attached_as_the_vendor_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mastodon, "MEDIA_PAUSE", 0)
    judge = JUDGES[name]()
    with ScriptedServer(vendor) as server:
        line = Line.to(server.url, name, monkeypatch)
        line.network.send(delivery("Seen", pictures=PICTURES))

    assert line.calls(judge) == CALLS_WITH_PICTURES[name]
    assert line.wrong_requests(judge) == []
    assert line.wrong_answers(judge) == [], "the script of this test is not what the vendor would answer"


def test_an_older_mastodon_is_asked_for_its_limit_as_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 of its instance is asked for where version 2 is not there."""
    older = json.dumps(entities.instance_v1(max_characters=640, link=23)).encode()
    judge = JUDGES["mastodon"]()
    with ScriptedServer(
        lambda asked: Reply(body=older) if "/v1/" in asked.target else Reply(status=404, body=b'{"error": "no"}')
    ) as server:
        line = Line.to(server.url, "mastodon", monkeypatch)
        limit = line.network.live_limit()

    assert limit.maximum == 640
    assert line.calls(judge) == ["getInstanceV2", "getInstance"]
    assert line.wrong_requests(judge) == line.wrong_answers(judge) == []
