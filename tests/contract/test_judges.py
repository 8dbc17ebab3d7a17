"""The judges of test_specs can say no: what is wrong is refused, by each specification and for that very reason."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.judges import JUDGES, X_MOVED, X_RENAMED
from support.lexicon import Lexicons
from support.openapi import Described
from support.specs import folder, spec

if TYPE_CHECKING:
    from support.judges import Judge

BASE = "http://127.0.0.1/api"
DID = "did:plc:awv22dnsvazqgg6lrwdy4vwr"
PUT = "/xrpc/com.atproto.repo.putRecord"
CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
TEXT = "A post: https://example.org/1"
LINK = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/1"}
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 7}
IMAGES: dict[str, Any] = {"$type": "app.bsky.embed.images", "images": [{"image": BLOB, "alt": "A hill"}]}
RECORD: dict[str, Any] = {
    "$type": "app.bsky.feed.post",
    "text": TEXT,
    "createdAt": "2026-11-24T12:00:00.000Z",
    "langs": ["en-GB"],
    "facets": [{"index": {"byteStart": 8, "byteEnd": 29}, "features": [LINK]}],
    "embed": IMAGES,
    "reply": {name: {"uri": f"at://{DID}/app.bsky.feed.post/3k2akjdlkjf22", "cid": CID} for name in ("root", "parent")},
}
RECORD_PUT: dict[str, Any] = {"repo": DID, "collection": RECORD["$type"], "rkey": "3k2akjdlkjf22", "record": RECORD}


def asked(method: str, path: str, **how: Any) -> requests.PreparedRequest:
    return requests.Request(method, BASE + path, **how).prepare()


def answered(request: requests.PreparedRequest, body: Any, status: int = 200) -> requests.Response:
    answer = requests.Response()
    answer.request, answer.status_code, answer._content = request, status, json.dumps(body).encode()
    answer.headers["Content-Type"] = "application/json"
    return answer


def judged(judge: Judge, request: requests.PreparedRequest) -> str:
    return "; ".join(judge.request(request, base=BASE))


TIMELINE, FEED = "/2/users/1/tweets", "/v26.0/1/feed"
REQUESTS = [
    ("twitter", asked("POST", "/2/tweets", json={"text": "a", "lang": "en"}), "'lang' was unexpected"),
    ("twitter", asked("POST", "/2/tweets", json={"text": 5}), "not of type 'string'"),
    ("twitter", asked("POST", "/2/tweets", json={"text": "a", "media": {"media_ids": []}}), "[]"),
    ("twitter", asked("POST", "/2/tweets", data={"text": "a"}), "mimetype"),
    ("twitter", asked("POST", "/2/statuses", json={"text": "a"}), "Path not found"),
    ("twitter", asked("POST", "/2/media/metadata", json={"id": "1", "alt": "a"}), "'alt' was unexpected"),
    ("twitter", asked("POST", "/2/media/upload", files={"media": b"a"}, data={"media_category": "photo"}), "photo"),
    (
        "twitter",
        asked("POST", "/2/media/upload", files={"file": b"a"}, data={"media_category": "tweet_image"}),
        "media",
    ),
    ("twitter", asked("GET", TIMELINE, params={"max_results": 4}), "max_results"),
    ("twitter", asked("GET", TIMELINE, params={"max_result": 5}), "no parameter max_result"),
    ("twitter", asked("GET", TIMELINE, params={"tweet.fields": "created_at,entitys"}), "entitys"),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"visibility": "public"}), "not valid under any"),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"status": "a", "visibility": "all"}), "all"),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"status": "a", "reply_to": "1"}), "reply_to"),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"status": "a", "media_ids": [1]}), "not valid under any"),
    ("mastodon", asked("POST", "/api/v2/media", files={"file": b"a"}, data={"alt": "a"}), "no part alt"),
    ("mastodon", asked("POST", "/api/v2/media", data={"description": "a"}), "mimetype"),
    ("mastodon", asked("GET", "/api/v1/accounts/1/statuses", params={"limit": "many"}), "parameter error: limit"),
    ("mastodon", asked("GET", "/api/v1/accounts/1/statuses", params={"limits": "4"}), "no parameter limits"),
    ("facebook", asked("POST", FEED, data={"message": "a", "url": "b"}), "no parameter url"),
    ("facebook", asked("POST", FEED, data={"message": "a", "published": "maybe"}), "'maybe' is no bool"),
    ("facebook", asked("POST", FEED, data={"message": "a", "targeting": "[]"}), "'[]' is no Object"),
    ("facebook", asked("POST", FEED, data={"message": "a", "fields": "id,permalink"}), "no field permalink"),
    ("facebook", asked("POST", FEED, data={"message": "a", "formatting": "bold"}), "not known here"),
    ("facebook", asked("GET", "/v26.0/1/published_posts", params={"limit": "-1"}), "'-1' is no unsigned int"),
    ("facebook", asked("GET", "/v26.0/1/publishedposts"), "no GET publishedposts"),
    ("facebook", asked("GET", "/v26.0/1", params={"fields": "id,title"}), "no field title"),
    ("bluesky", asked("GET", PUT), "GET com.atproto.repo.putRecord"),
    ("bluesky", asked("POST", PUT, data={"repo": DID}), "instead of application/json"),
    ("bluesky", asked("POST", PUT, json={**RECORD_PUT, "collection": "app.bsky.feed.like"}), "goes not into"),
    ("bluesky", asked("POST", "/xrpc/com.atproto.repo.uploadBlob"), "nothing instead of */*"),
    ("bluesky", asked("POST", "/xrpc/com.atproto.server.refreshSession", json={}), "takes none"),
    (
        "bluesky",
        asked("POST", "/xrpc/com.atproto.server.createSession", json={"identifier": "a"}),
        "password: is missing",
    ),
    ("bluesky", asked("GET", "/xrpc/com.atproto.identity.resolveHandle?handle=alice"), "'alice' is no handle"),
    ("bluesky", asked("GET", f"/xrpc/com.atproto.repo.getRecord?repo={DID}&collection=a.b.c"), "rkey: is missing"),
]


@pytest.mark.specs
@pytest.mark.parametrize(("name", "request_", "why"), REQUESTS)
def test_a_wrong_request_is_refused(name: str, request_: requests.PreparedRequest, why: str) -> None:
    assert why in judged(JUDGES[name](), request_)


ANSWERS = [
    ("twitter", asked("POST", "/2/tweets", json={"text": "a"}), {"data": {"id": 1, "text": "a"}}, 201),
    ("twitter", asked("GET", TIMELINE), {"data": [{"id": "1", "entities": {"urls": [{"url": "a"}]}}]}, 200),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"status": "a"}), {"id": "1"}, 200),
    ("mastodon", asked("POST", "/api/v1/statuses", json={"status": "a"}), {"errors": "b"}, 422),
    ("facebook", asked("POST", FEED, data={"message": "a"}), {"id": 1}, 200),
    ("facebook", asked("POST", FEED, data={"message": "a"}), {"id": "1", "permalink": "b"}, 200),
    ("facebook", asked("GET", "/v26.0/1/published_posts"), {"data": [{"id": "1", "attachments": []}]}, 200),
    ("facebook", asked("GET", "/v26.0/1/published_posts"), {"data": [{"created_time": "today"}]}, 200),
    ("bluesky", asked("POST", PUT, json=RECORD_PUT), {"uri": "https://a", "cid": CID}, 200),
    ("bluesky", asked("POST", PUT, json=RECORD_PUT), {"error": "RecordNotFound", "message": "a"}, 400),
    ("bluesky", asked("GET", "/xrpc/com.atproto.repo.getRecord"), {"uri": f"at://{DID}", "value": {}}, 200),
]


@pytest.mark.specs
@pytest.mark.parametrize(("name", "request_", "body", "status"), ANSWERS)
def test_a_wrong_answer_is_refused(name: str, request_: requests.PreparedRequest, body: Any, status: int) -> None:
    assert JUDGES[name]().answer(answered(request_, body, status), base=BASE)


def changed(place: str, value: Any) -> dict[str, Any]:
    """The good body of a put, with one thing in it changed; the place is a path of names and numbers."""
    made: Any = copy.deepcopy(RECORD_PUT)
    *way, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
    inner = made
    for step in way:
        inner = inner[step]
    inner[last] = value
    return made  # type: ignore[no-any-return]  # a copy of what it is


@pytest.mark.specs
def test_a_good_record_is_taken() -> None:
    assert judged(JUDGES["bluesky"](), asked("POST", PUT, json=RECORD_PUT)) == ""


FACET = "record.facets.0"
CHANGES = [
    ("rkey", "3k2akjdlkjf2", "is no tid"),
    ("rkey", "3k2akjdlkjf2!", "is no record-key"),
    ("repo", "alice", "is no at-identifier"),
    ("validate", "true", "must be true or false"),
    ("record", "a", "must be an object"),
    ("record.$type", "app.bsky.feed.like", "goes not into"),
    ("record.text", "🎉" * 301, "301 graphemes"),
    ("record.text", "👩‍👩‍👧‍👦" * 121, "3025 bytes"),
    ("record.text", None, "must be a text"),
    ("record.createdAt", "2026-11-24T12:00:00", "is no datetime"),
    ("record.createdAt", "2026-11-24T12:00:00-00:00", "is no datetime"),
    ("record.createdAt", "2026-11-31T12:00:00Z", "is no datetime"),
    ("record.langs", ["en"] * 4, "4 items"),
    ("record.langs", ["English"], "is no language"),
    ("record.langs", "en", "must be a list"),
    ("record.via", "us", "is no property"),
    (f"{FACET}.index.byteStart", -1, "out of range"),
    (f"{FACET}.index.byteStart", "0", "must be a whole number"),
    (f"{FACET}.index", {"byteStart": 0}, "byteEnd: is missing"),
    (f"{FACET}.features.0", {"$type": "app.bsky.richtext.facet#url", "uri": "https://a"}, "is none of"),
    (f"{FACET}.features.0", {"uri": "https://a"}, "None is none of"),
    (f"{FACET}.features.0.uri", "example.org/a b", "is no uri"),
    ("record.embed.$type", "app.bsky.embed.image", "is none of"),
    ("record.embed.images", IMAGES["images"] * 5, "5 items"),
    ("record.embed.images.0.$type", "app.bsky.embed.images#view", "and not a #image"),
    ("record.embed.images.0.alt", 5, "must be a text"),
    ("record.embed.images.0.aspectRatio", {"width": 0, "height": 1}, "out of range"),
    ("record.embed.images.0.image", CID, "a blob has"),
    ("record.embed.images.0.image.size", "7", "wrong in a blob: size"),
    ("record.embed.images.0.image.size", 2_000_001, "at most 2000000"),
    ("record.embed.images.0.image.mimeType", "text/html", "none of image/*"),
    ("record.embed.images.0.image.ref", {"$link": "a"}, "is no cid"),
    ("record.reply.root.cid", "", "is no cid"),
    ("record.reply.root.uri", "https://example.org", "is no at-uri"),
]


@pytest.mark.specs
@pytest.mark.parametrize(("place", "value", "why"), CHANGES)
def test_a_record_with_one_thing_wrong_is_refused(place: str, value: Any, why: str) -> None:
    assert why in judged(JUDGES["bluesky"](), asked("POST", PUT, json=changed(place, value)))


@pytest.mark.specs
def test_a_record_must_say_what_it_is() -> None:
    lexicons = Lexicons(lambda name: spec(f"bluesky/lexicons/{name.replace('.', '/')}.json"))

    assert lexicons.record({"text": "a"}) == ["record: names no $type"]
    assert "is no record" in lexicons.record({"$type": "com.atproto.repo.putRecord"})[0]


@pytest.mark.parametrize("schema", [{"type": "bytes"}, {"type": "string", "format": "at-time"}])
def test_what_the_validator_does_not_know_never_passes(schema: dict[str, str]) -> None:
    body = {"type": "object", "properties": {"it": schema}}
    call = {"type": "procedure", "input": {"encoding": "application/json", "schema": body}}
    lexicons = Lexicons(lambda _name: {"defs": {"main": call}})

    (wrong,) = lexicons.input("a.b.c", "application/json", {"it": "a"})
    assert "not known here" in wrong


@pytest.mark.specs
def test_xs_description_still_calls_by_new_names_what_tweepy_asks_for_by_the_old() -> None:
    """When this fails, X_RENAMED and X_MOVED can go."""
    plain = Described(spec("x/openapi.json"), server="https://api.x.com")
    for name in X_RENAMED:
        assert judged(plain, asked("GET", TIMELINE, params={name: "id"})) == f"the call has no parameter {name}"
    for value in X_MOVED:
        assert value in judged(plain, asked("GET", TIMELINE, params={"post.fields": value}))


def test_a_specification_that_is_not_there_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no nobody/api"):
        spec("nobody/api.json")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not beside the checkout"):
        folder("nobody")
