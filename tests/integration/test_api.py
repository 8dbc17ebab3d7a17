"""The HTTP API: what it answers, to whom, and how it says no."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from fastapi.routing import APIRoute

from reverberate.model import Scope, ShareState
from reverberate.schedule import Schedule, Slot
from reverberate.service import Service
from reverberate.store import journal, shares, tallies, tokens
from reverberate.web.app import PREFIX, ROUTERS, make_app
from reverberate.web.doors import scopes_of
from reverberate.web.guard import Limits
from reverberate.web.limits import Rate
from support.api import POST, serving
from support.plugins import NETWORKS, SOURCES
from support.world import get, make_accounts, make_config, plan, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.delivery import Courier
    from reverberate.model import Delivery, Receipt
    from reverberate.store import Store
    from support.api import Api
    from support.plugins import Toy


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with serving(store) as found:
        yield found


def all_routes(store: Store) -> list[tuple[str, str, Scope]]:
    """Every route of the API: method, an address that fits it, and the scope it needs."""
    config = make_config(["a"])
    app = make_app(Service(config, store, make_accounts(config), sources=SOURCES)).api
    declared = {
        (method, PREFIX + route.path): scopes_of(route.dependant)
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    described = {(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item}
    assert set(declared) == described
    found = []
    for (method, path), (scope,) in sorted(declared.items()):
        filled = path.replace("{post}", "1").replace("{share}", "1").replace("{account}", "a")
        found.append((method, filled.replace("{source}", "s").replace("{name}", "nobody"), scope))
    return found


def test_every_route_refuses_a_caller_without_a_token_and_one_with_too_small_a_scope(store: Store, api: Api) -> None:
    routes = all_routes(store)
    assert len(routes) >= 24
    for method, path, needed in routes:
        assert "{" not in path
        for scope in [None, *(scope for scope in Scope if not scope.includes(needed))]:
            answer = api.ask(method, path, scope=scope)
            assert answer.status_code == (403 if scope else 401), (method, path, scope)
            assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_caller_without_the_scope_learns_nothing_of_what_was_wrong(api: Api) -> None:
    answer = api.ask(
        "POST", "/api/accounts/a/pause", scope=Scope.READ, data=b"\x00", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 403


def test_what_is_not_named_open_needs_a_token(api: Api) -> None:
    for path in ("/", "/api", "/api/", "/api/openapi.json", "/docs", "/healthz/", "/pictures", "//healthz"):
        assert api.ask("GET", path, scope=None).status_code in {401, 404}, path
    assert api.ask("GET", "/api/openapi.json", scope=None).status_code == 401
    assert api.ask("GET", "/api/nothing").status_code == 404


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp4", "Bearer \xe9\xff", "Bearer rvb_" + "A" * 5000]
)
def test_a_wrong_token_is_none(api: Api, said: str) -> None:
    answer = api.ask("GET", "/api/posts", scope=None, headers={"Authorization": said.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_when_it_is_revoked_and_when_its_days_are_over(store: Store, api: Api) -> None:
    made = api.post("/api/tokens", {"name": "short", "scope": "read", "days": 1})
    answer = {"headers": {"Authorization": f"Bearer {made['token']}"}, "scope": None}
    assert api.ask("GET", "/api/posts", **answer).status_code == 200
    with store.write() as tx:
        assert tokens.recognise(tx, made["token"], now=datetime.now(UTC) + timedelta(days=2)) is None
    assert api.ask("DELETE", "/api/tokens/short").status_code == 204
    assert api.ask("GET", "/api/posts", **answer).status_code == 401
    assert api.ask("DELETE", "/api/tokens/short").status_code == 404


def test_no_token_is_kept_or_shown_again(store: Store, api: Api) -> None:
    secrets = list(api.tokens.values())
    with store.read() as tx:
        kept = str(list(tx.execute(tokens.tokens.select())))
    shown = api.ask("GET", "/api/tokens").text

    assert not any(secret in kept or secret in shown for secret in secrets)
    assert [row["used"] is not None for row in api.get("/api/tokens")] == [True, False, False]


def test_publishing_plans_shares_and_rings(store: Store, api: Api) -> None:
    done = api.post("/api/posts", {"post": POST, "accounts": ["b"]}, scope=Scope.PUBLISH)

    assert [(share["account"], share["state"]) for share in done["shares"]] == [("b", "scheduled")]
    assert api.rung == [None]
    whole = api.get(f"/api/posts/{done['post']}", scope=Scope.READ)
    assert (whole["title"], whole["summary"], len(whole["shares"])) == ("One", "What it says.", 1)
    assert api.get("/api/posts/1/why/b")["rule"] == {"when": None, "holds": True}
    assert [row["fits"] for row in api.get("/api/posts/1/preview")] == [True, True]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"post": POST, "accounts": ["nobody"]}, "no account 'nobody'"),
        ({"post": {"title": "No address"}}, "body.post.url"),
        ({"post": POST | {"url": "javascript:alert(1)"}}, "body.post.url"),
        ({"post": POST | {"title": "\ud800"}}, "body.post.title"),
        ({"post": POST | {"summary": "\x00"}}, "body.post.summary"),
        ({"post": POST, "acounts": []}, "body.acounts"),
        ([], "body"),
    ],
)
def test_what_cannot_be_published_is_told_where(api: Api, body: object, where: str) -> None:
    answer = api.ask("POST", "/api/posts", json=body)

    assert answer.status_code == 422
    assert where in answer.json()["detail"]


def test_a_share_tells_its_whole_story_and_its_doors_open(store: Store, api: Api) -> None:
    (share_id,) = plan(store, accounts=["a"])
    assert api.post(f"/api/shares/{share_id}/cancel", scope=Scope.PUBLISH)["state"] == "cancelled"
    refused = api.ask("POST", f"/api/shares/{share_id}/resolve", json={"outcome": "sent"})
    assert (refused.status_code, refused.json()["detail"]) == (409, f"share {share_id} is cancelled")
    at = "2027-01-05T12:00:00+01:00"
    api.post(f"/api/shares/{share_id}/retry")
    story = api.post(f"/api/shares/{share_id}/reschedule", {"at": at})

    assert story["due"] == "2027-01-05T11:00:00Z"
    assert [event["kind"] for event in story["events"]] == ["share cancelled", "share scheduled", "share scheduled"]
    assert api.ask("GET", "/api/shares/999").status_code == 404


def test_a_post_is_published_for_a_time_and_its_share_reworded(api: Api) -> None:
    done = api.post("/api/posts", {"post": POST, "at": "2099-12-24T09:00"}, scope=Scope.PUBLISH)
    first = done["shares"][0]
    assert (first["due"], first["state"]) == ("2099-12-24T09:00:00Z", "scheduled")
    over = api.ask(
        "POST", "/api/posts", json={"post": POST | {"url": "https://b.example/2"}, "at": "2020-01-01T00:00Z"}
    )
    assert (over.status_code, "is over" in over.json()["detail"]) == (409, True)

    story = api.post(f"/api/shares/{first['id']}/edit", {"text": "Other words"}, scope=Scope.PUBLISH)
    assert (story["state"], story["message"]["parts"]) == ("scheduled", ["Other words"])
    wordless = api.ask("POST", f"/api/shares/{first['id']}/edit", json={})
    assert (wordless.status_code, "say the words" in wordless.json()["hint"]) == (409, True)
    assert api.ask("POST", "/api/shares/999/edit", json={"text": "x"}).status_code == 404


def test_what_is_out_is_edited_and_taken_back_by_a_worker(
    store: Store, api: Api, courier: Callable[..., Courier], toy: type[Toy]
) -> None:
    one = courier("a")
    (share_id,) = plan(store, accounts=["a"])
    one.deliver([share_id])
    assert one.drain(20)

    refused = api.ask("POST", f"/api/shares/{share_id}/edit", json={"text": "Better"})
    assert (refused.status_code, refused.json()["detail"]) == (409, "Toy lets us not edit posts")
    refused = api.ask("POST", f"/api/shares/{share_id}/delete")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Toy lets us not delete posts")

    class Pliable(toy):  # type: ignore[misc, valid-type]  # a class that the fixture made
        def edit(self, _delivery: Delivery, receipt: Receipt) -> Receipt:
            return receipt

        def delete(self, _delivery: Delivery, _receipt: Receipt) -> None:
            self.accepted.clear()

    NETWORKS._loaded["toy"] = Pliable  # the fixture puts back what was there
    story = api.post(f"/api/shares/{share_id}/delete", scope=Scope.PUBLISH)
    assert [(chore["kind"], chore["by"], chore["outcome"]) for chore in story["chores"]] == [("delete", "hand", "open")]
    another = courier("a")
    another.deliver([share_id])
    assert another.drain(20)
    assert (get(store, share_id).state, toy.accepted) == (ShareState.CANCELLED, [])


def test_what_is_to_come_is_told_and_moved(store: Store) -> None:
    before = make_config(["a"], schedule=Schedule(slots=tuple(Slot.parse("17:00"))))
    with serving(store, config=before) as api:
        (share,) = api.post("/api/posts", {"post": POST})["shares"]
        told = api.get("/api/plan", scope=Scope.READ)
        assert [(row["share"], row["parts"]) for row in told["shares"]] == [
            (share["id"], ["One\nhttps://blog.example/one"])
        ]
        assert told["moves"] == []
        (slot, *_) = api.get("/api/accounts/a/schedule?limit=2", scope=Scope.READ)
        assert (slot["share"], slot["slot"][-5:]) == (share["id"], "17:00")
        dry = api.post("/api/plan", {"post": POST | {"url": "https://blog.example/two"}}, scope=Scope.READ)
        assert [(row["share"], row["account"], row["state"]) for row in dry["shares"]] == [(None, "a", "scheduled")]
        assert api.get("/api/posts/1/plan")["shares"][0]["title"] == "One"
        assert api.ask("POST", "/api/plan", json={"post": POST, "accounts": ["nobody"]}).status_code == 422
        assert len(api.get("/api/posts")["items"]) == 1
    after = make_config(["a"], schedule=Schedule(slots=tuple(Slot.parse("09:00"))))
    with store.write() as tx:
        tx.execute(tokens.tokens.delete())
    with serving(store, config=after) as api:
        (move,) = api.get("/api/plan")["moves"]
        assert (move["from"][11:16], move["to"][11:16]) == ("17:00", "09:00")
        assert api.ask("POST", "/api/plan/apply", scope=Scope.READ).status_code == 403
        assert api.post("/api/plan/apply", scope=Scope.PUBLISH)["moves"] == [move]
        assert api.rung == [None]
        assert api.get("/api/plan")["moves"] == []


@pytest.mark.parametrize(("outcome", "state"), [("sent", "sent"), ("resend", "scheduled"), ("give-up", "cancelled")])
def test_an_unsure_share_is_resolved(store: Store, api: Api, outcome: str, state: str) -> None:
    (share_id,) = plan(store, accounts=["a"])
    with store.write() as tx:
        tx.execute(shares.shares.update().values(state=ShareState.UNSURE, wake=None, reason="nobody knows"))
    (need,) = api.get("/api/status")["needs"]
    assert need["mend"] == f"reverberate share resolve {share_id} --sent | --resend | --give-up"
    story = api.post(f"/api/shares/{share_id}/resolve", {"outcome": outcome, "url": "https://there.example/1"})

    assert story["state"] == state
    assert api.get("/api/status")["needs"] == []


def test_an_account_pauses_and_goes_on(store: Store, api: Api) -> None:
    (share_id,) = plan(store, accounts=["a"])
    assert api.ask("POST", "/api/accounts/a/pause", json={}, scope=Scope.PUBLISH).status_code == 403
    (paused, _) = api.post("/api/accounts/a/pause", {"why": "holidays"})
    assert (paused["why"], get(store, share_id).wake) == ("paused by hand: holidays", None)
    (need,) = api.get("/api/status")["needs"]
    assert (need["what"], need["why"]) == ("account a", "paused by hand: holidays")
    assert api.post("/api/accounts/a/resume")[0]["paused"] is None
    assert get(store, share_id).wake is not None
    assert api.ask("POST", "/api/accounts/nobody/resume").status_code == 404


def test_everything_stops_and_goes_on(api: Api) -> None:
    api.post("/api/pause", {"why": "moving house"})
    (need,) = api.get("/api/status")["needs"]
    assert (need["what"], need["why"], need["mend"]) == ("everything", "moving house", "reverberate resume")
    api.post("/api/resume")
    assert api.get("/api/status")["needs"] == []


def test_pages_hold_every_share_once_in_order(store: Store, api: Api) -> None:
    ids = plan(store, accounts=["a", "b"], number=13)
    with store.write() as tx:
        sent = shares.shares.c.id.in_(ids[::3])
        tx.execute(shares.shares.update().where(sent).values(state=ShareState.SENT))
    for query in ("", "account=a&", "source=s&", "state=sent&", "state=sent&state=scheduled&account=b&"):
        seen, cursor = [], ""
        while cursor is not None:
            page = api.get(f"/api/shares?{query}limit=4&cursor={cursor}")
            seen += page["items"]
            cursor = page["next"]
        whole = api.get(f"/api/shares?{query}limit=200")["items"]
        assert seen == whole
        assert len({row["id"] for row in seen}) == len(seen) > 4
        assert [row["due"] for row in seen] == sorted((row["due"] for row in seen), reverse=True)


def test_lists_are_bounded_by_time_and_by_post(store: Store, api: Api) -> None:
    now = datetime.now(UTC)
    ids = plan(store, accounts=["a"], number=3)
    with store.write() as tx:
        late = now + timedelta(days=3)
        tx.execute(shares.shares.update().where(shares.shares.c.id == ids[1]).values(due=late))
        journal.note(tx, "account paused", now=now - timedelta(days=9), account="a", words="long ago")
        journal.note(tx, "account paused", now=now, account="b", words="now")
    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert [row["id"] for row in api.get(f"/api/shares?since={tomorrow}")["items"]] == [ids[1]]
    assert [row["id"] for row in api.get(f"/api/shares?until={tomorrow}")["items"]] == [ids[2], ids[0]]
    assert [row["id"] for row in api.get("/api/shares?post=2&state=scheduled")["items"]] == [ids[1]]
    assert api.get(f"/api/posts?since={tomorrow}")["items"] == []
    assert len(api.get(f"/api/posts?until={tomorrow}&source=s")["items"]) == 3
    assert [row["words"] for row in api.get("/api/events?kind=account%20paused&account=a")["items"]] == ["long ago"]
    assert [row["words"] for row in api.get("/api/events?limit=1")["items"]] == ["now"]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "MTIz", "MS4tMQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE"])
def test_what_is_no_cursor_is_said(api: Api, cursor: str) -> None:
    answer = api.ask("GET", "/api/shares", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["detail"]) == (409, "this is no cursor")


def test_an_idempotency_key_answers_once(store: Store, api: Api) -> None:
    key = {"headers": {"Idempotency-Key": "k1"}}
    first = api.ask("POST", "/api/posts", json={"post": POST}, **key)
    again = api.ask("POST", "/api/posts", json={"post": POST}, **key)
    other = api.ask("POST", "/api/posts", json={"post": POST | {"title": "Another"}}, **key)
    somebody = api.ask("POST", "/api/posts", json={"post": POST}, scope=Scope.PUBLISH, **key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.json()["new"] is True
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert somebody.json()["new"] is False
    assert "Idempotency-Replayed" not in somebody.headers


def test_what_failed_may_come_again_under_its_key(api: Api) -> None:
    key = {"headers": {"Idempotency-Key": "k1"}}
    assert api.ask("POST", "/api/shares/1/cancel", **key).status_code == 404
    assert api.ask("POST", "/api/shares/1/cancel", **key).status_code == 404


def test_requests_side_by_side_with_one_key_do_it_once(api: Api) -> None:
    answers: list[requests.Response] = []

    def ask() -> None:
        answers.append(api.ask("POST", "/api/posts", json={"post": POST}, headers={"Idempotency-Key": "together"}))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [answer for answer in answers if answer.status_code == 201]
    assert all(answer.json()["new"] for answer in answers if answer.status_code == 201)


def test_a_caller_that_asks_too_often_is_told_to_wait(store: Store) -> None:
    limits = Limits(token=Rate(0.01, 3), strangers=Rate(0.01, 2))
    with serving(store, limits=limits) as api:
        answers = [api.ask("GET", "/api/posts").status_code for _ in range(5)]
        wrong = {"headers": {"Authorization": "Bearer nonsense"}, "scope": None}
        strangers = [api.ask("GET", "/api/posts", **wrong) for _ in range(4)]
        assert answers == [200, 200, 200, 429, 429]
        assert [answer.status_code for answer in strangers] == [401, 401, 429, 429]
        assert int(strangers[-1].headers["Retry-After"]) > 0
        assert api.ask("GET", "/api/posts", scope=Scope.READ).status_code == 200


def test_a_body_has_a_largest_size_however_it_comes(api: Api) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    assert api.ask("POST", "/api/posts", data=b" " * 1_100_000).status_code == 413
    assert api.ask("POST", "/api/posts", data=chunks()).status_code == 413
    assert api.ask("POST", "/api/posts", data=chunks(), scope=None).status_code == 401


def test_the_door_answers_to_its_own_names_only(api: Api) -> None:
    def status(host: str, path: str = "/healthz") -> int:
        return api.ask("GET", path, scope=None, headers={"Host": host}).status_code

    assert {status(host) for host in ("localhost", "127.0.0.1:8640", "[::1]", "192.168.1.9")} == {200}
    assert {status(host) for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a]b")} == {
        421
    }
    assert status("localhost", "/metrics") == 200
    assert status("192.168.1.9", "/metrics") == 401


def test_what_came_through_a_proxy_does_not_come_from_this_machine(api: Api) -> None:
    assert api.ask("GET", "/status.json", scope=None).status_code == 200
    assert api.ask("GET", "/status.json", scope=None, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert (
        api.ask("GET", "/status.json", scope=Scope.READ, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
    )


def test_every_answer_has_the_headers_that_keep_browsers_careful(api: Api) -> None:
    for path in ("/healthz", "/api/posts", "/api/nothing"):
        headers = api.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers


def follow(api: Api, last: str = "") -> Iterator[dict[str, str]]:
    """Server-sent events as they come."""
    headers = {"Authorization": f"Bearer {api.tokens[Scope.READ]}"} | ({"Last-Event-ID": last} if last else {})
    with requests.get(f"{api.address}/api/events/stream", headers=headers, stream=True, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith(":"):
                yield {}
            elif line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event:
                yield event
                event = {}


def test_events_are_followed_and_none_is_missed_by_who_comes_back(store: Store, api: Api) -> None:
    def note(words: str) -> None:
        with store.write() as tx:
            journal.note(tx, "account paused", now=datetime.now(UTC), account="a", words=words)

    note("before")
    stream = follow(api)
    assert next(stream) == {}
    note("first")
    first = next(event for event in stream if event)
    assert (first["event"], "first" in first["data"]) == ("account paused", True)
    stream.close()
    note("second")
    note("third")
    back = follow(api, first["id"])
    found = [event for _, event in zip(range(2), (event for event in back if event), strict=False)]
    back.close()
    assert [("second" in found[0]["data"]), ("third" in found[1]["data"])] == [True, True]


def test_tallies_follow_every_change(store: Store) -> None:
    def counted(tx: Any) -> dict[tuple[str, str], int]:
        tallied = tallies.counts(tx)
        rows = tx.exec_driver_sql("SELECT account, state, count(*) FROM shares GROUP BY account, state")
        assert tallied == {(account, state): number for account, state, number in rows}
        return tallied

    ids = plan(store, accounts=["a", "b"], number=5)
    table = shares.shares
    with store.write() as tx:
        assert counted(tx) == {("a", "scheduled"): 5, ("b", "scheduled"): 5}
        tx.execute(table.update().where(table.c.id.in_(ids[:4])).values(state=ShareState.SENT))
        tx.execute(table.update().values(due=datetime.now(UTC)))
        tx.execute(table.delete().where(table.c.id == ids[0]))
        assert counted(tx)["a", "sent"] == 1
        tallies.compact(tx)
        assert counted(tx)["b", "sent"] == 2
        tx.execute(table.delete())
        assert counted(tx) == {}


def test_a_change_that_is_taken_back_leaves_the_tallies(store: Store) -> None:
    plan(store, accounts=["a"], number=2)

    def fail() -> None:
        with store.write() as tx:
            tx.execute(shares.shares.delete())
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.read() as tx:
        assert tallies.counts(tx) == {("a", "scheduled"): 2}


def test_a_stream_ends_when_the_door_closes(store: Store) -> None:
    ended = threading.Event()

    def listen(api: Api) -> None:
        for _ in follow(api):
            pass
        ended.set()

    with serving(store) as api:
        threading.Thread(target=listen, args=(api,), daemon=True).start()
        until(lambda: bool(api.get("/api/tokens")))
    assert ended.wait(5)


def test_reactions_are_told(api: Api) -> None:
    assert api.get("/api/stats?days=7", scope=Scope.READ) == {"accounts": [], "posts": [], "hours": []}
