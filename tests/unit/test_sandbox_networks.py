"""The sandbox's networks, as plain HTTP: what each accepts, refuses, shows and forgets."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests_oauthlib import OAuth1

from reverberate.sandbox import Fault, Kind, Purpose, Sandbox, credentials, settings
from reverberate.sandbox.keys import draw, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POST = "app.bsky.feed.post"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


class Clock:
    """A clock that stands until it is set on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path, seed="s", now=clock) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Asks:
    """One account's client, without any sense of its own."""

    def __init__(self, sandbox: Sandbox, http: requests.Session, network: str, account: str = "alice") -> None:
        self.base, self.http = settings(sandbox.url, "s", network, account)["api_base"], http
        self.keys = credentials("s", network, account)
        self.auth: Any = None
        self.headers: dict[str, str] = {}

    def __call__(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return self.http.request(method, self.base + path, headers=headers, auth=self.auth, timeout=5, **kwargs)


@pytest.fixture
def x(sandbox: Sandbox, http: requests.Session) -> Asks:
    asks = Asks(sandbox, http, "twitter")
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    asks.auth = OAuth1(*(asks.keys[name] for name in names))
    return asks


@pytest.fixture
def page(sandbox: Sandbox, http: requests.Session) -> Asks:
    asks = Asks(sandbox, http, "facebook")
    asks.base += "/v26.0"
    asks.headers = {"Authorization": f"Bearer {asks.keys['access_token']}"}
    return asks


@pytest.fixture
def fedi(sandbox: Sandbox, http: requests.Session) -> Asks:
    asks = Asks(sandbox, http, "mastodon")
    asks.headers = {"Authorization": f"Bearer {asks.keys['access_token']}"}
    return asks


@pytest.fixture
def pds(sandbox: Sandbox, http: requests.Session) -> Asks:
    asks = Asks(sandbox, http, "bluesky")
    asks.base += "/xrpc"
    login = {"identifier": "alice.sandbox.test", "password": asks.keys["app_password"]}
    asks.headers = {
        "Authorization": f"Bearer {asks('POST', '/com.atproto.server.createSession', json=login).json()['accessJwt']}"
    }
    return asks


def did(pds: Asks) -> str:
    found: str = pds("GET", "/com.atproto.server.getSession").json()["did"]
    return found


ME = number("s", "twitter", "alice")
PAGE = number("s", "facebook", "alice")
FEDI = number("s", "mastodon", "alice")


class TestKeys:
    def test_they_depend_on_seed_network_account_and_field_alone(self) -> None:
        assert credentials("s", "mastodon", "a") == credentials("s", "mastodon", "a")
        drawn = {
            draw(*parts) for parts in (("s", "n", "a"), ("t", "n", "a"), ("s", "m", "a"), ("s", "n", "b"), ("s", "na"))
        }
        assert len(drawn) == 5

    def test_all_accounts_on_x_share_one_app(self) -> None:
        alice, bob = credentials("s", "twitter", "alice"), credentials("s", "twitter", "bob")
        same = {name for name in alice if alice[name] == bob[name]}
        assert same == {"consumer_key", "consumer_secret"}

    def test_a_network_that_is_not_here_has_none(self) -> None:
        assert credentials("s", "orkut", "a") == {}
        assert settings("http://h", "s", "orkut", "a") == {}


class TestX:
    def test_a_post_is_created_listed_and_read(self, x: Asks) -> None:
        created = x("POST", "/2/tweets", json={"text": "Read https://example.org/a and example.dev"})
        assert created.status_code == 201
        remote_id = created.json()["data"]["id"]
        listed = x("GET", f"/2/users/{ME}/tweets", params={"tweet.fields": "created_at,entities"}).json()

        (row,) = listed["data"]
        assert row["id"] == remote_id
        assert row["created_at"] == "2026-11-24T12:00:00.000Z"
        assert [url["expanded_url"] for url in row["entities"]["urls"]] == [
            "https://example.org/a",
            "http://example.dev",
        ]
        assert "example.org" not in row["text"]
        assert row["text"].count("https://t.co/") == 2
        assert x("GET", f"/2/tweets/{remote_id}").json()["data"]["id"] == remote_id

    def test_fields_that_were_not_asked_for_are_not_told(self, x: Asks) -> None:
        x("POST", "/2/tweets", json={"text": "Hello"})
        (row,) = x("GET", f"/2/users/{ME}/tweets").json()["data"]
        assert set(row) == {"id", "text", "edit_history_tweet_ids"}

    def test_the_same_text_is_refused_with_its_words(self, x: Asks) -> None:
        x("POST", "/2/tweets", json={"text": "Hello"})
        x("POST", "/2/tweets", json={"text": "Between"})
        again = x("POST", "/2/tweets", json={"text": "Hello"})

        assert again.status_code == 403
        assert again.json() == {
            "detail": "You are not allowed to create a Tweet with duplicate content.",
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
        }

    def test_what_was_deleted_can_be_posted_again(self, x: Asks) -> None:
        first = x("POST", "/2/tweets", json={"text": "Hello"}).json()["data"]["id"]
        assert x("DELETE", f"/2/tweets/{first}").json() == {"data": {"deleted": True}}
        assert x("DELETE", f"/2/tweets/{first}").json() == {"data": {"deleted": False}}
        assert x("POST", "/2/tweets", json={"text": "Hello"}).status_code == 201
        assert x("GET", f"/2/tweets/{first}").json()["errors"][0]["title"] == "Not Found Error"

    @pytest.mark.parametrize(
        ("text", "status"), [("x" * 280, 201), ("x" * 281, 403), ("🎉" * 140, 201), ("🎉" * 141, 403)]
    )
    def test_length_is_weighed(self, x: Asks, text: str, status: int) -> None:
        assert x("POST", "/2/tweets", json={"text": text}).status_code == status

    @pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 5}, {"text": "a", "colour": "red"}, [], None])
    def test_what_is_no_post_is_invalid(self, x: Asks, body: Any) -> None:
        refused = x("POST", "/2/tweets", json=body)
        assert refused.status_code == 400
        assert refused.json()["type"].endswith("/invalid-request")

    def test_rate_limits_are_told_in_seconds_since_1970(self, x: Asks) -> None:
        headers = x("GET", "/2/users/me").headers
        assert int(headers["x-rate-limit-reset"]) == int(datetime(2026, 11, 24, 12, 15, tzinfo=UTC).timestamp())
        assert int(headers["x-rate-limit-remaining"]) < int(headers["x-rate-limit-limit"])

    def test_a_wrong_signature_is_nobodys(self, x: Asks) -> None:
        x.auth = OAuth1(*(value if name != "access_token_secret" else "wrong" for name, value in x.keys.items()))
        assert x("GET", "/2/users/me").status_code == 401
        x.auth = None
        assert x("GET", "/2/users/me").status_code == 401
        assert x("GET", "/2/users/me", headers={"Authorization": 'OAuth oauth_token="x"'}).status_code == 401

    def test_a_body_that_was_changed_on_the_way_breaks_the_signature_of_a_form(
        self, x: Asks, http: requests.Session
    ) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        signed = requests.Request("POST", f"{x.base}/2/tweets", data={"text": "a"}, headers=form, auth=x.auth).prepare()
        signed.body = "text=b"
        assert http.send(signed, timeout=5).status_code == 401

    def test_a_signed_request_counts_once(self, x: Asks, http: requests.Session) -> None:
        signed = requests.Request("GET", f"{x.base}/2/users/me", auth=x.auth).prepare()
        assert [http.send(signed, timeout=5).status_code for _ in range(2)] == [200, 401]

    def test_an_old_signature_counts_no_more(self, x: Asks) -> None:
        x.auth = OAuth1(*x.keys.values(), timestamp="1318622958")
        assert x("GET", "/2/users/me").status_code == 401

    def test_listings_can_be_narrowed(self, x: Asks, clock: Clock) -> None:
        ids = []
        for n in range(3):
            clock.on(seconds=10)
            body: dict[str, Any] = {"text": f"Post {n}"} | (
                {"reply": {"in_reply_to_tweet_id": ids[0]}} if n == 2 else {}
            )
            ids.append(x("POST", "/2/tweets", json=body).json()["data"]["id"])

        def listed(**params: Any) -> list[str]:
            answer = x("GET", f"/2/users/{ME}/tweets", params=params).json()
            return [row["id"] for row in answer.get("data", [])]

        assert listed() == ids[::-1]
        assert listed(exclude="retweets,replies") == [ids[1], ids[0]]
        assert listed(since_id=ids[0]) == [ids[2], ids[1]]
        assert listed(start_time="2026-11-24T12:00:20Z") == [ids[2], ids[1]]
        assert listed(start_time="2027-01-01T00:00:00Z") == []

    @pytest.mark.parametrize("most", [4, 101])
    def test_listings_have_a_length_that_x_allows(self, x: Asks, most: int) -> None:
        assert x("GET", f"/2/users/{ME}/tweets", params={"max_results": most}).status_code == 400

    def test_other_peoples_listings_and_other_paths_are_not_there(self, x: Asks) -> None:
        assert x("GET", "/2/users/1/tweets").json()["errors"][0]["parameter"] == "id"
        assert x("GET", "/2/lists").status_code == 404

    def test_a_post_has_two_pages(self, x: Asks, sandbox: Sandbox) -> None:
        remote_id = x("POST", "/2/tweets", json={"text": "Hello"}).json()["data"]["id"]
        for place in (f"alice/status/{remote_id}", f"i/web/status/{remote_id}"):
            assert x.http.get(f"{sandbox.url}/web/twitter/{place}", timeout=5).status_code == 200


class TestFacebook:
    def test_a_post_is_created_listed_read_edited_and_deleted(self, page: Asks) -> None:
        form = {"message": "Hello", "link": "https://example.org/a", "fields": "id,permalink_url"}
        created = page("POST", f"/{PAGE}/feed", data=form).json()
        assert created["id"].startswith(f"{PAGE}_")
        assert created["permalink_url"].endswith(created["id"])
        fields = {"fields": "message,attachments{unshimmed_url},created_time"}
        (row,) = page("GET", f"/{PAGE}/published_posts", params=fields).json()["data"]
        assert row["attachments"]["data"][0]["unshimmed_url"] == "https://example.org/a"
        assert row["created_time"] == "2026-11-24T12:00:00+0000"
        assert page("POST", f"/{created['id']}", data={"message": "Edited"}).json() == {"success": True}
        assert page("GET", f"/{created['id']}").json()["message"] == "Edited"
        assert page("DELETE", f"/{created['id']}").json() == {"success": True}
        for method in ("GET", "DELETE", "POST"):
            assert page(method, f"/{created['id']}").json()["error"]["error_subcode"] == 33
        assert page("GET", "/me/posts").json() == {"data": []}

    def test_only_what_was_asked_for_is_told(self, page: Asks) -> None:
        created = page("POST", "/me/feed", data={"message": "Hello"}).json()
        assert set(created) == {"id"}
        assert set(page("GET", f"/{created['id']}", params={"fields": "permalink_url"}).json()) == {
            "id",
            "permalink_url",
        }

    def test_the_same_twice_in_a_row_is_506(self, page: Asks) -> None:
        statuses = [page("POST", f"/{PAGE}/feed", data={"message": text}).status_code for text in ("a", "a", "b", "a")]
        assert statuses == [200, 400, 200, 200]
        assert page("POST", f"/{PAGE}/feed", data={"message": "a"}).json()["error"]["code"] == 506

    @pytest.mark.parametrize("where", ["header", "query", "form"])
    def test_the_token_may_stand_in_three_places(self, page: Asks, where: str) -> None:
        token, headers = page.keys["access_token"], page.headers
        page.headers = headers if where == "header" else {}
        params = {"access_token": token} if where == "query" else {}
        data = {"message": "Hello"} | ({"access_token": token} if where == "form" else {})
        assert page("POST", f"/{PAGE}/feed", data=data, params=params).status_code == 200

    def test_a_wrong_token_is_190(self, page: Asks) -> None:
        page.headers = {"Authorization": "Bearer alice.wrong"}
        refused = page("GET", "/me")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 190)

    @pytest.mark.parametrize(
        ("method", "path", "data", "code"),
        [
            ("POST", "/1/feed", {"message": "a"}, 100),
            ("GET", "/1/feed", {}, 100),
            ("POST", "/me/feed", {}, 100),
            ("POST", "/me/feed", {"message": "x" * 63_207}, 100),
            ("PUT", "/me/feed", {}, 2500),
        ],
    )
    def test_what_cannot_be_done_is_an_error(
        self, page: Asks, method: str, path: str, data: dict[str, str], code: int
    ) -> None:
        refused = page(method, path, data=data)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)

    def test_a_path_begins_with_the_version(self, page: Asks) -> None:
        page.base = page.base.replace("v26.0", "latest")
        assert page("GET", "/me").json()["error"]["code"] == 2500


class TestMastodon:
    def test_the_key_holds_for_an_hour(self, fedi: Asks, clock: Clock, sandbox: Sandbox) -> None:
        def post(text: str = "Hello", key: str = "k") -> str:
            answer = fedi("POST", "/api/v1/statuses", json={"status": text}, headers={"Idempotency-Key": key})
            found: str = answer.json()["id"]
            return found

        first = post()
        clock.on(minutes=59)
        assert post("whatever it says") == first
        assert post(key="other") != first
        clock.on(minutes=2)
        assert post() != first
        assert len(sandbox.ledger.of()) == 3

    def test_without_a_key_the_same_is_posted_twice(self, fedi: Asks, sandbox: Sandbox) -> None:
        for _ in range(2):
            fedi("POST", "/api/v1/statuses", data={"status": "Hello"})
        assert len(sandbox.ledger.of()) == 2

    def test_a_status_is_shown_as_html_with_its_links(self, fedi: Asks) -> None:
        text = "A & <b>\n\nhttps://example.org/a/very/long/address?x=1&y=2\nend"
        content = fedi("POST", "/api/v1/statuses", json={"status": text}).json()["content"]
        assert content.startswith("<p>A &amp; &lt;b&gt;</p><p><a href=")
        assert 'href="https://example.org/a/very/long/address?x=1&amp;y=2"' in content
        assert '<span class="ellipsis">example.org/a/very/long/addres</span>' in content
        assert content.endswith("</a><br />end</p>")

    def test_a_status_is_read_edited_and_deleted(self, fedi: Asks) -> None:
        made = fedi(
            "POST", "/api/v1/statuses", json={"status": "Hello", "visibility": "unlisted", "language": "en"}
        ).json()
        path = f"/api/v1/statuses/{made['id']}"
        assert (made["visibility"], made["language"], made["edited_at"]) == ("unlisted", "en", None)
        edited = fedi("PUT", path, json={"status": "Edited"}).json()
        assert (edited["content"], edited["edited_at"] is None) == ("<p>Edited</p>", False)
        assert fedi("PUT", path, json={"status": ""}).status_code == 422
        assert fedi("GET", path).json() == edited
        assert fedi("DELETE", path).json()["text"] == "Edited"
        assert [fedi(method, path).status_code for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]

    @pytest.mark.parametrize(
        "status",
        [
            {"status": " "},
            {"status": "x" * 501},
            {"status": "x" * 490, "spoiler_text": "x" * 11},
            {"status": "a", "visibility": "loud"},
        ],
    )
    def test_what_is_invalid_is_422(self, fedi: Asks, status: dict[str, str]) -> None:
        refused = fedi("POST", "/api/v1/statuses", json=status)
        assert refused.status_code == 422
        assert refused.json()["error"].startswith("Validation failed: ")

    def test_the_limit_is_told_and_holds(self, tmp_path: Path, http: requests.Session) -> None:
        with Sandbox(tmp_path / "long", seed="s", max_characters=1000) as sandbox:
            fedi = Asks(sandbox, http, "mastodon")
            for version in ("v1", "v2"):
                told = fedi("GET", f"/api/{version}/instance").json()["configuration"]["statuses"]
                assert (told["max_characters"], told["characters_reserved_per_url"]) == (1000, 23)
            fedi.headers = {"Authorization": f"Bearer {fedi.keys['access_token']}"}
            assert fedi("POST", "/api/v1/statuses", json={"status": "x" * 1000}).status_code == 200
            assert fedi("POST", "/api/v1/statuses", json={"status": "x" * 1001}).status_code == 422

    def test_rate_limits_are_told_in_iso(self, fedi: Asks) -> None:
        headers = fedi("GET", "/api/v1/accounts/verify_credentials").headers
        assert headers["X-RateLimit-Reset"] == "2026-11-24T12:05:00.000000Z"

    def test_listings_are_newest_first_and_can_be_narrowed(self, fedi: Asks) -> None:
        made = [fedi("POST", "/api/v1/statuses", json={"status": f"Post {n}"}).json()["id"] for n in range(2)]
        made.append(fedi("POST", "/api/v1/statuses", json={"status": "Reply", "in_reply_to_id": made[0]}).json()["id"])

        def listed(**params: str) -> list[str]:
            return [one["id"] for one in fedi("GET", f"/api/v1/accounts/{FEDI}/statuses", params=params).json()]

        assert listed() == made[::-1]
        assert listed(limit="1") == made[2:]
        assert listed(exclude_replies="true") == [made[1], made[0]]
        assert listed(since_id=made[0]) == [made[2], made[1]]

    def test_who_has_no_token_sees_the_instance_alone(self, fedi: Asks) -> None:
        fedi.headers = {}
        assert fedi("GET", "/api/v2/instance").status_code == 200
        assert fedi("GET", "/api/v1/accounts/verify_credentials").status_code == 401
        assert fedi("GET", f"/api/v1/accounts/{FEDI}/statuses").status_code == 401

    def test_what_is_not_there_is_404(self, fedi: Asks) -> None:
        assert fedi("GET", "/api/v1/accounts/1/statuses").status_code == 404
        assert fedi("GET", "/api/v9/x").status_code == 404


class TestBluesky:
    KEY = "3mdxa2222222a"

    def body(self, pds: Asks, text: str = "Hello", **more: Any) -> dict[str, Any]:
        record = {"$type": POST, "text": text, "createdAt": "2026-11-24T12:00:00.000Z", "langs": ["en"]}
        body = {"repo": did(pds), "collection": POST, "rkey": self.KEY, "record": record}
        record |= more.pop("record", {})
        return body | more

    def put(self, pds: Asks, text: str = "Hello", **more: Any) -> requests.Response:
        return pds("POST", "/com.atproto.repo.putRecord", json=self.body(pds, text, **more))

    def get(self, pds: Asks) -> requests.Response:
        params = {"repo": did(pds), "collection": POST, "rkey": self.KEY}
        return pds("GET", "/com.atproto.repo.getRecord", params=params)

    def test_the_same_record_under_the_same_key_is_one_post(self, pds: Asks, sandbox: Sandbox) -> None:
        first, second = self.put(pds), self.put(pds, swapRecord=None)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert first.json()["uri"] == f"at://{did(pds)}/{POST}/{self.KEY}"
        assert len(sandbox.ledger.accepted()) == 1

    def test_another_record_under_the_same_key_needs_the_old_ones_identifier(self, pds: Asks, sandbox: Sandbox) -> None:
        first = self.put(pds).json()["cid"]
        for expected in (None, "bafyreiwrong"):
            refused = self.put(pds, "Other", swapRecord=expected)
            assert (refused.status_code, refused.json()["error"]) == (400, "InvalidSwap")
        assert self.get(pds).json()["value"]["text"] == "Hello"
        assert self.put(pds, "Other", swapRecord=first).status_code == 200
        assert self.put(pds, "Third").status_code == 200  # who expects nothing, overwrites
        assert self.get(pds).json()["value"]["text"] == "Third"
        assert [entry.text for entry in sandbox.ledger.accepted()] == ["Hello"]

    def test_a_new_record_cannot_replace_an_old_one(self, pds: Asks) -> None:
        assert self.put(pds, swapRecord="bafyreisomething").json()["error"] == "InvalidSwap"

    def test_creating_twice_under_one_key_breaks_the_server(self, pds: Asks, sandbox: Sandbox) -> None:
        body = self.body(pds)
        statuses = [pds("POST", "/com.atproto.repo.createRecord", json=body).status_code for _ in range(2)]
        del body["rkey"]
        assert statuses == [200, 500]
        assert pds("POST", "/com.atproto.repo.createRecord", json=body).status_code == 200
        assert len(sandbox.ledger.of()) == 2

    def test_a_record_is_read_without_keys_listed_and_deleted(self, pds: Asks) -> None:
        cid = self.put(pds).json()["cid"]
        identifier = did(pds)
        keys, pds.headers = pds.headers, {}
        query = {"repo": "alice.sandbox.test", "collection": POST, "rkey": self.KEY}
        assert pds("GET", "/com.atproto.repo.getRecord", params=query).json()["cid"] == cid
        listed = pds("GET", "/com.atproto.repo.listRecords", params={"repo": identifier, "collection": POST}).json()
        assert [row["cid"] for row in listed["records"]] == [cid]
        pds.headers = keys
        for _ in range(2):
            gone = {"repo": identifier, "collection": POST, "rkey": self.KEY}
            assert pds("POST", "/com.atproto.repo.deleteRecord", json=gone).status_code == 200
        missing = self.get(pds)
        assert (missing.status_code, missing.json()["error"]) == (400, "RecordNotFound")

    def test_nobody_writes_into_anothers_repo(self, pds: Asks) -> None:
        for call in ("put", "create", "delete"):
            refused = pds("POST", f"/com.atproto.repo.{call}Record", json=self.body(pds, repo="did:plc:other"))
            assert (refused.status_code, refused.json()["error"]) == (400, "InvalidRequest")

    @pytest.mark.parametrize("text", ["x" * 300, "🧑‍🧑‍🧒‍🧒" * 100, ""])
    def test_a_text_may_have_300_graphemes(self, pds: Asks, text: str) -> None:
        assert self.put(pds, text).status_code == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {"record": {"text": "x" * 301}},
            {"record": {"text": "🧑‍🧑‍🧒‍🧒" * 200}},  # 300 graphemes, but too many bytes
            {"record": {"text": None}},
            {"record": {"createdAt": "yesterday"}},
            {"record": {"createdAt": "2026-11-24T12:00:00"}},
            {"record": {"$type": "app.bsky.feed.like"}},
            {"record": {"langs": ["a", "b", "c", "d"]}},
            {"record": {"tags": "blog"}},
            {"record": {"facets": {}}},
            {"record": {"facets": [{}]}},
            {"record": {"facets": [{"index": {"byteStart": 0, "byteEnd": 6}, "features": []}]}},
            {"record": {"facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": [{"$type": "x"}]}]}},
            {"record": {"facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": []}]}},
            {"record": {"embed": "https://blog.example"}},
            {"record": {"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://blog.example"}}}},
            {
                "record": {
                    "embed": {
                        "$type": "app.bsky.embed.images",
                        "images": [{"$type": "blob", "ref": {"$link": "bafno"}}],
                    }
                }
            },
            {"rkey": "self"},
            {"rkey": "zzzzzzzzzzzzz"},
            {"collection": "app.bsky.feed.like"},
        ],
    )
    def test_what_is_no_post_is_invalid(self, pds: Asks, wrong: dict[str, Any], sandbox: Sandbox) -> None:
        refused = self.put(pds, **wrong)
        assert (refused.status_code, refused.json()["error"]) == (400, "InvalidRequest")
        assert sandbox.ledger.of() == []

    def test_a_record_must_be_an_object(self, pds: Asks) -> None:
        assert pds("POST", "/com.atproto.repo.putRecord", json=self.body(pds) | {"record": []}).status_code == 400

    def test_facets_are_taken(self, pds: Asks) -> None:
        features = [{"$type": "app.bsky.richtext.facet#link", "uri": "https://blog.example"}]
        facets = [{"index": {"byteStart": 0, "byteEnd": 5}, "features": features}]
        assert self.put(pds, record={"facets": facets}).status_code == 200

    def test_a_picture_is_uploaded_shown_and_there_after_a_restart(
        self, pds: Asks, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        blob = pds("POST", "/com.atproto.repo.uploadBlob", data=PNG, headers={"Content-Type": "image/png"}).json()[
            "blob"
        ]
        again = pds("POST", "/com.atproto.repo.uploadBlob", data=PNG, headers={"Content-Type": "image/png"}).json()
        assert blob["ref"]["$link"].startswith("bafkrei")
        assert again["blob"] == blob
        assert (blob["size"], blob["mimeType"]) == (len(PNG), "image/png")
        card = {"uri": "https://blog.example", "title": "T", "description": "", "thumb": blob}
        assert (
            self.put(pds, record={"embed": {"$type": "app.bsky.embed.external", "external": card}}).status_code == 200
        )
        path = f"/blob/{blob['ref']['$link']}"
        assert f'src="{path}"' in pds.http.get(sandbox.url, timeout=5).text
        with Sandbox(tmp_path, seed="s") as again:
            shown = pds.http.get(again.url + path, timeout=5)
        assert (shown.content, shown.headers["Content-Type"]) == (PNG, "image/png")

    def test_a_blobs_identifier_is_the_true_cid(self, pds: Asks) -> None:
        """Version 1, raw bytes, SHA-256 of 32 bytes, in base32 (https://github.com/multiformats/cid)."""
        blob = pds("POST", "/com.atproto.repo.uploadBlob", data=b"hello world").json()["blob"]
        decoded = base64.b32decode(blob["ref"]["$link"].removeprefix("b").upper() + "======")
        assert decoded == b"\x01\x55\x12\x20" + hashlib.sha256(b"hello world").digest()

    def test_what_is_no_picture_is_not_shown(self, pds: Asks, sandbox: Sandbox) -> None:
        blob = pds("POST", "/com.atproto.repo.uploadBlob", data=b"<script>alert(1)</script>").json()["blob"]
        assert pds.http.get(f"{sandbox.url}/blob/{blob['ref']['$link']}", timeout=5).status_code == 404

    def test_a_thumb_may_have_a_million_bytes(self, pds: Asks) -> None:
        blob = pds("POST", "/com.atproto.repo.uploadBlob", data=PNG * 30_000).json()["blob"]
        card = {"uri": "https://blog.example", "title": "T", "description": "", "thumb": blob}
        refused = self.put(pds, record={"embed": {"$type": "app.bsky.embed.external", "external": card}})
        assert "larger than 1000000" in refused.json()["message"]

    def test_a_blob_may_have_five_mebibytes(self, pds: Asks) -> None:
        assert pds("POST", "/com.atproto.repo.uploadBlob", data=b"x" * 5_242_881).status_code == 413
        assert pds("GET", "/com.atproto.server.describeServer").json()["blobUploadLimit"] == 5_242_880

    def test_sessions_are_opened_renewed_and_refused(self, pds: Asks) -> None:
        login = {"identifier": "alice.sandbox.test", "password": pds.keys["app_password"]}
        session = pds("POST", "/com.atproto.server.createSession", json=login).json()
        assert session["handle"] == "alice.sandbox.test"
        refresh = {"Authorization": f"Bearer {session['refreshJwt']}"}
        renewed = pds("POST", "/com.atproto.server.refreshSession", headers=refresh).json()
        assert renewed["accessJwt"] != session["accessJwt"]
        access = {"Authorization": f"Bearer {session['accessJwt']}"}
        assert pds("POST", "/com.atproto.server.refreshSession", headers=access).json()["error"] == "ExpiredToken"
        for wrong in ({"password": "wrong"}, {"identifier": ""}, {"password": 5}):
            refused = pds("POST", "/com.atproto.server.createSession", json=login | wrong)
            assert (refused.status_code, refused.json()["error"]) == (401, "AuthenticationRequired")

    def test_a_refresh_token_opens_no_repo(self, pds: Asks) -> None:
        login = {"identifier": "alice.sandbox.test", "password": pds.keys["app_password"]}
        session = pds("POST", "/com.atproto.server.createSession", json=login).json()
        pds.headers = {"Authorization": f"Bearer {session['refreshJwt']}"}
        assert pds("GET", "/com.atproto.server.getSession").json()["error"] == "InvalidToken"

    def test_handles_of_the_sandbox_resolve(self, pds: Asks) -> None:
        def resolve(handle: str) -> requests.Response:
            return pds("GET", "/com.atproto.identity.resolveHandle", params={"handle": handle})

        assert resolve("alice.sandbox.test").json() == {"did": did(pds)}
        assert resolve("alice.elsewhere.test").status_code == 400
        assert did(pds).removeprefix("did:plc:").isalnum()

    def test_rate_limits_are_told_in_seconds_since_1970(self, pds: Asks) -> None:
        headers = pds("GET", "/com.atproto.server.getSession").headers
        assert int(headers["RateLimit-Reset"]) == int(datetime(2026, 11, 24, 12, 5, tzinfo=UTC).timestamp())

    def test_what_it_cannot_do_is_501(self, pds: Asks) -> None:
        assert pds("GET", "/app.bsky.feed.getTimeline").status_code == 501

    def test_an_expired_token_is_over_and_a_new_one_is_good(self, pds: Asks, sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault(kind=Kind.EXPIRE, on=Purpose.PUBLISH, count=1))
        body = self.body(pds)
        answers = [pds("POST", "/com.atproto.repo.putRecord", json=body) for _ in range(2)]
        assert [(a.status_code, a.json()["error"]) for a in answers] == [(400, "ExpiredToken")] * 2
        login = {"identifier": "alice.sandbox.test", "password": pds.keys["app_password"]}
        fresh = pds("POST", "/com.atproto.server.createSession", json=login).json()["accessJwt"]
        pds.headers = {"Authorization": f"Bearer {fresh}"}
        assert self.put(pds).status_code == 200


class TestFaultsInListings:
    def listed(self, fedi: Asks) -> list[str]:
        return [one["id"] for one in fedi("GET", f"/api/v1/accounts/{FEDI}/statuses").json()]

    def test_a_fresh_post_is_listed_when_the_lag_is_over(self, fedi: Asks, sandbox: Sandbox, clock: Clock) -> None:
        sandbox.faults.add(Fault(kind=Kind.LAG, network="mastodon", seconds=30))
        made = fedi("POST", "/api/v1/statuses", json={"status": "Hello"}).json()["id"]
        assert self.listed(fedi) == []
        clock.on(seconds=29)
        assert self.listed(fedi) == []
        clock.on(seconds=1)
        assert self.listed(fedi) == [made]

    def test_rows_are_missing_now_and_then(self, fedi: Asks, sandbox: Sandbox) -> None:
        made = [fedi("POST", "/api/v1/statuses", json={"status": f"Post {n}"}).json()["id"] for n in range(10)]
        sandbox.faults.add(Fault(kind=Kind.MISSING, fraction=0.5))
        looks = [self.listed(fedi) for _ in range(8)]
        assert all(set(look) < set(made) for look in looks)
        assert len({tuple(look) for look in looks}) > 1
        assert {one for look in looks for one in look} == set(made)

    def test_a_fresh_post_is_not_found_alone_until_later(self, fedi: Asks, sandbox: Sandbox, clock: Clock) -> None:
        sandbox.faults.add(Fault(kind=Kind.VANISH, seconds=5))
        made = fedi("POST", "/api/v1/statuses", json={"status": "Hello"}).json()

        def found() -> tuple[int, int]:
            alone = fedi("GET", f"/api/v1/statuses/{made['id']}").status_code
            return alone, fedi.http.get(made["url"], timeout=5).status_code

        assert found() == (404, 404)
        assert self.listed(fedi) == [made["id"]]
        clock.on(seconds=5)
        assert found() == (200, 200)
