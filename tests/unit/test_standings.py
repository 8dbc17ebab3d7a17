"""How accounts stand: asked together, told in one line each, and never kept waiting by one that is silent."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, get_args

import pytest

from reverberate import policy, standings
from reverberate.config import Account
from reverberate.errors import OutOfCredit, Unauthorised
from reverberate.model import Standing
from reverberate.networks import networks, versions
from reverberate.secrets import Secret
from reverberate.testing import Asked, Reply, ScriptedServer
from support.plugins import NETWORKS, Toy
from support.world import make_accounts, make_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FINE = Standing(who="@alice")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Standing]]:
    """What the network says of each account."""
    says: dict[str, Callable[[], Standing]] = {}

    class Asked(Toy):
        def verify(self) -> Standing:
            return says.get(self.account, lambda: FINE)()

    monkeypatch.setitem(NETWORKS._loaded, "toy", Asked)
    return says


def ask(*names: str, limit: float = 5) -> dict[str, standings.Stand]:
    accounts = make_accounts(make_config(names))
    return {one.account: one for one in standings.ask(accounts, names, now=lambda: NOW, limit=limit)}


def raises(error: Exception) -> Callable[[], Standing]:
    def verify() -> Standing:
        raise error

    return verify


def test_each_account_is_told_in_order_whatever_becomes_of_the_others(
    answers: dict[str, Callable[[], Standing]],
) -> None:
    answers["dead"] = raises(Unauthorised("the token is dead", status=401))
    answers["poor"] = raises(OutOfCredit("no credit", status=402))
    answers["broken"] = raises(KeyError("username"))
    found = ask("a", "dead", "poor", "broken")

    assert list(found) == ["a", "dead", "poor", "broken"]
    assert (found["a"].who, found["a"].troubles) == ("@alice", ())
    assert (found["dead"].troubles, found["dead"].pause) == (("the token is dead",), "the token is dead")
    assert (found["poor"].troubles, found["poor"].pause) == (("no credit",), "")
    assert found["broken"].troubles == ("the plug-in failed: KeyError",)


def test_accounts_are_asked_at_the_same_time_and_a_silent_one_holds_nobody_up(
    answers: dict[str, Callable[[], Standing]],
) -> None:
    names = [f"a{n}" for n in range(20)]

    def slow() -> Standing:
        time.sleep(0.3)
        return FINE

    answers |= dict.fromkeys(names, slow)
    answers["silent"] = lambda: time.sleep(3) or FINE
    began = time.monotonic()
    found = ask(*names, "silent", limit=1.5)

    assert time.monotonic() - began < 2.5, "one after the other it would take six seconds"
    assert [found[name].who for name in names] == ["@alice"] * 20
    assert found["silent"].troubles == ("did not answer within 1.5 s",)


@pytest.mark.parametrize(
    ("days", "notes", "troubles"),
    [
        (60, ("its permission ends on 2027-01-23, in 60 days",), ()),
        (7, (), ("its permission ends on 2026-12-01, in 7 days: reconnect it",)),
        (-1, (), ("its permission ended on 2026-11-23: reconnect it",)),
    ],
)
def test_a_permission_that_ends_is_told_and_soon_is_trouble(
    answers: dict[str, Callable[[], Standing]], days: int, notes: tuple[str, ...], troubles: tuple[str, ...]
) -> None:
    answers["a"] = lambda: replace(FINE, expires=NOW + timedelta(days=days))
    found = ask("a")["a"]

    assert (found.notes, found.troubles) == (notes, troubles)


@pytest.mark.parametrize(
    ("headers", "note", "trouble"),
    [
        ({"x-rate-limit-limit": "75", "x-rate-limit-remaining": "74"}, "74 of 75 requests left", ""),
        (
            {"ratelimit-limit": "3000", "ratelimit-remaining": "0", "ratelimit-reset": "1795522500"},
            "",
            "0 of 3000 requests left until 12:15 UTC",
        ),
        ({"x-ratelimit-limit": "300", "x-ratelimit-remaining": "98.5"}, "", ""),
        ({}, "", ""),
    ],
)
def test_what_is_left_is_told_and_nothing_left_is_trouble(headers: dict[str, str], note: str, trouble: str) -> None:
    assert standings.quota(headers, now=NOW) == (note, trouble)


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Tue, 24 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 24 Nov 2026 11:59:30 GMT", -timedelta(seconds=30)),
        ("yesterday", None),
        ("", None),
        ("Tue, 24 Nov 2026 12:05:00 -0000", None),
    ],
)
def test_the_date_of_an_answer_tells_how_far_clocks_differ(date: str, skew: timedelta | None) -> None:
    assert policy.skew({"date": date}, at=NOW) == skew


@pytest.mark.parametrize(
    ("network", "version", "note", "trouble"),
    [
        ("facebook", "v26.0", "", ""),
        ("facebook", "v25.0", "API version v25.0 ends on 2028-07-29", ""),
        ("facebook", "v20.0", "", "API version v20.0 ended on 2026-09-24: set a newer `version`"),
        ("facebook", "v3.1", "", "API version v3.1 ended on 2026-09-24: set a newer `version`"),
        ("linkedin", "202511", "", "API version 202511 ended on 2026-11-16: set a newer `version`"),
        ("linkedin", "202601", "API version 202601 ends on 2027-01-15", ""),
        ("linkedin", "202607", "API version 202607 ends on 2027-07-15", ""),
        ("linkedin", "newest", "", ""),
        ("linkedin", "", "", ""),
        ("mastodon", "v1", "", ""),
        ("facebook", "latest", "", ""),
    ],
)
def test_an_ended_version_is_trouble(network: str, version: str, note: str, trouble: str) -> None:
    assert versions.told(network, version, now=NOW) == (note, trouble)


def test_a_version_that_ends_within_a_month_is_trouble() -> None:
    note, trouble = versions.told("linkedin", "202601", now=datetime(2026, 12, 20, tzinfo=UTC))

    assert (note, trouble) == ("", "API version 202601 ends on 2027-01-15: set a newer `version`")


# --- the real clients


def stand(
    name: str, replies: Mapping[str, Reply], monkeypatch: pytest.MonkeyPatch, **settings: object
) -> standings.Stand:
    """How an account stands whose network answers so, by the end of the path."""

    def accept(asked: Asked) -> Reply:
        path = asked.target.partition("?")[0]
        return next((reply for end, reply in replies.items() if path.endswith(end)), Reply(status=404))

    network = networks.get(name)
    for key, info in network.Settings.model_fields.items():
        if (info.annotation is Secret or Secret in get_args(info.annotation)) and key != "client_secret":
            monkeypatch.setenv(f"STAND_{key}".upper(), f"1-{key}")
            settings[key] = Secret("env", f"STAND_{key}".upper())
    with ScriptedServer(accept) as server:
        account = Account(name="a", network=name, settings=network.Settings(**settings, api_base=server.url))
        config = replace(make_config("a"), accounts={"a": account})
        accounts = make_accounts(config)
        accounts._networks = networks
        (found,) = standings.ask(accounts, ["a"], now=lambda: datetime.now(UTC))
    return found


def said(**document: object) -> Reply:
    return Reply(body=json.dumps(document).encode())


def test_mastodon_tells_its_limits_and_a_token_that_may_not_post(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"configuration": {"statuses": {"max_characters": 5000, "characters_reserved_per_url": 23}}}
    replies = {
        "/accounts/verify_credentials": said(acct="alice", limited=True),
        "/v2/instance": said(**limits),
        "/apps/verify_credentials": said(name="app", scopes=["read", "profile"]),
    }
    found = stand("mastodon", replies, monkeypatch, instance="https://mastodon.example")

    assert found.who == "@alice@mastodon.example"
    assert "5,000 graphemes" in found.notes[0]
    assert found.troubles == ("the account is limited", "its token may not post: it lacks write:statuses")
    del replies["/apps/verify_credentials"]
    found = stand("mastodon", replies, monkeypatch, instance="https://mastodon.example")
    assert found.troubles == ("the account is limited",), "a server that does not tell is no trouble"


def test_a_networks_clock_that_is_wrong_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    late = {"Date": format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)}
    replies = {"/users/me": Reply(body=b'{"data": {"username": "alice"}}', headers=late)}
    found = stand("twitter", replies, monkeypatch)

    assert found.who == "@alice"
    assert found.skew is not None
    assert found.skew < -timedelta(minutes=9)
    assert found.troubles[0].startswith("its clock and ours differ by 6")


def test_x_tells_what_is_left_and_a_token_that_may_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"x-rate-limit-limit": "75", "x-rate-limit-remaining": "3", "x-access-level": "read"}
    replies = {"/users/me": Reply(body=b'{"data": {"username": "alice"}}', headers=headers)}
    found = stand("twitter", replies, monkeypatch)

    assert found.notes == ("3 of 75 requests left",)
    assert found.troubles[0].startswith("its token may only read")


def test_facebook_tells_calls_and_an_ended_version(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {"1": [{"type": "pages", "call_count": 100, "total_cputime": 25, "total_time": 25}]}
    headers = {"X-Business-Use-Case-Usage": json.dumps(usage), "X-App-Usage": "nonsense"}
    replies = {"/1": Reply(body=b'{"id": "1", "name": "My page", "is_published": false}', headers=headers)}
    found = stand("facebook", replies, monkeypatch, page_id="1", version="v19.0")

    assert found.who == "My page (1)"
    assert found.troubles == (
        "the Page is not published: nobody sees its posts",
        "100 % of its calls used",
        "API version v19.0 ended on 2026-09-24: set a newer `version`",
    )


def test_bluesky_tells_an_account_that_is_taken_down(monkeypatch: pytest.MonkeyPatch) -> None:
    session = {"did": "did:plc:a", "handle": "alice.test", "accessJwt": "x", "refreshJwt": "y"}
    gone = {"did": "did:plc:a", "handle": "alice.test", "active": False, "status": "suspended"}
    replies = {"createSession": said(**session), "getSession": said(**gone)}
    found = stand("bluesky", replies, monkeypatch, handle="alice.test")

    assert (found.who, found.troubles) == ("@alice.test", ("the account is suspended",))


def test_a_secret_that_is_missing_is_its_accounts_trouble() -> None:
    settings = networks.get("mastodon").Settings(
        instance="https://mastodon.example", access_token=Secret("env", "NO_SUCH_VARIABLE")
    )
    account = Account(name="a", network="mastodon", settings=settings)
    accounts = make_accounts(replace(make_config("a"), accounts={"a": account}))
    accounts._networks = networks
    (found,) = standings.ask(accounts, ["a"], now=lambda: NOW)

    assert "NO_SUCH_VARIABLE" in found.troubles[0]


def test_a_network_that_is_gone_or_cannot_be_asked_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS._loaded, "toy", Toy)
    assert ask("a")["a"].notes == ("cannot be asked",)
    account = Account(name="a", network="googleplus", settings=networks.get("googleplus").Settings())
    accounts = make_accounts(replace(make_config("a"), accounts={"a": account}))
    accounts._networks = networks
    (found,) = standings.ask(accounts, ["a"], now=lambda: NOW)

    assert found.notes[0].startswith("Google+ closed in 2019")
    assert found.troubles == ()


@pytest.mark.parametrize(
    ("now", "trouble"),
    [
        (datetime(2027, 6, 1, tzinfo=UTC), ""),
        (datetime(2027, 6, 20, tzinfo=UTC), "API version 202607 ends on 2027-07-15: set a newer `version`"),
        (datetime(2027, 7, 16, tzinfo=UTC), "API version 202607 ended on 2027-07-15: set a newer `version`"),
        (datetime(2030, 1, 1, tzinfo=UTC), "API version 202607 ended on 2027-07-15: set a newer `version`"),
    ],
)
def test_a_version_named_after_its_month_is_counted_on_for_a_year(now: datetime, trouble: str) -> None:
    assert versions.told("linkedin", "202607", now=now)[1] == trouble
