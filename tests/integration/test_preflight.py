"""Before a scheduled share its account is asked how it stands: in time, once, and never at the cost of a dispatch."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reverberate import preflight
from reverberate.dispatcher import Dispatcher
from reverberate.doorbell import LocalBell
from reverberate.errors import Transient, Unauthorised
from reverberate.model import Post, Standing
from reverberate.networks import networks
from reverberate.service import Service
from reverberate.store import claims, journal, posts, preflights, shares
from reverberate.store.shares import NewShare
from support.plugins import NETWORKS, SOURCES, Toy
from support.world import make_accounts, make_config, until

if TYPE_CHECKING:
    from reverberate.store import Store

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was asked, in order; the account called "dead" has a dead token, and "away" a network that is away."""
    names: list[str] = []

    class Verified(Toy):
        def verify(self) -> Standing:
            names.append(self.account)
            if self.account == "dead":
                raise Unauthorised("the token is dead", status=401)
            if self.account == "away":
                raise Transient("away")
            return Standing(who=self.account, expires=NOW + 9 * HOUR if self.account == "ends" else None)

    monkeypatch.setitem(NETWORKS._loaded, "toy", Verified)
    return names


def make(store: Store, *names: str, clock: Clock | None = None, **account: object) -> tuple[Service, Clock]:
    config, clock = make_config(names, **account), clock or Clock()
    return Service(config, store, make_accounts(config), sources=SOURCES, now=clock), clock


def plan(store: Store, account: str, *ahead: timedelta) -> None:
    with store.write() as tx:
        for one in ahead:
            post_id = posts.add(tx, _post(), source="s", now=NOW)
            new = NewShare(post_id=post_id, account=account, due=NOW + one, key=f"{account}-{post_id}")
            shares.plan(tx, [new], now=NOW)


def _post() -> Post:
    return Post(url="https://blog.example/1", title="A post")


def told(store: Store, kind: str = "preflight trouble") -> list[tuple[str, str]]:
    with store.read() as tx:
        rows = tx.execute(journal.events.select().order_by(journal.events.c.id))
        return [(row.account, row.words) for row in rows if row.kind == kind]


def test_an_account_is_asked_once_for_each_time_ahead_and_never_for_each_share(store: Store, asked: list[str]) -> None:
    service, clock = make(store, "a")
    plan(store, "a", *(13 * HOUR + timedelta(minutes=n) for n in range(50)))
    whens = []
    while clock.now < NOW + 13 * HOUR:
        before = len(asked)
        preflight.look(service, now=clock)
        whens += [(clock.now - NOW) / HOUR] * (len(asked) - before)
        clock.now += timedelta(minutes=10)

    assert whens == [1, 12], "twelve hours and one hour ahead"
    assert told(store) == []


def test_a_dead_token_is_told_and_pauses_the_account_as_a_delivery_would(store: Store, asked: list[str]) -> None:
    service, clock = make(store, "a", "dead", "away", "ends")
    for name in ("a", "dead", "away", "ends"):
        plan(store, name, 10 * HOUR)
    preflight.look(service, now=clock)
    with store.read() as tx:
        states = journal.account_states(tx)

    assert sorted(asked) == ["a", "away", "dead", "ends"]
    assert dict(told(store)) == {
        "dead": "the token is dead; its next share is due at 2026-11-24 22:00 UTC",
        "away": "away; its next share is due at 2026-11-24 22:00 UTC",
        "ends": "its permission ends on 2026-11-24, in 0 days: reconnect it; its permission ends on 2026-11-24 21:00 "
        "UTC, before the share; its next share is due at 2026-11-24 22:00 UTC",
    }
    assert [name for name, state in states.items() if state.paused] == ["dead"], "nothing else is paused"
    clock.now += 12 * HOUR
    preflight.look(service, now=clock)
    assert asked.count("dead") == 1, "it waits for its owner"


def test_an_account_that_is_mended_is_told_so(store: Store, asked: list[str]) -> None:
    service, clock = make(store, "a")
    plan(store, "a", 10 * HOUR)
    with store.write() as tx:
        preflights.take(tx, "a", (HOUR,), now=NOW - 12 * HOUR)
        preflights.note(tx, "a", "the token is dead")
    preflight.look(service, now=clock)

    assert told(store, "preflight fine") == [("a", "")]


def test_an_account_whose_posts_arrive_is_not_asked(store: Store, asked: list[str]) -> None:
    service, clock = make(store, "a")
    plan(store, "a", 2 * HOUR)
    with store.write() as tx:
        journal.succeeded(tx, ["a"], now=NOW - timedelta(minutes=5))
    preflight.look(service, now=clock)
    assert asked == []
    clock.now += timedelta(minutes=65)
    preflight.look(service, now=clock)

    assert asked == ["a"], "an hour ahead, for it has been silent for longer than that"


def test_two_dispatchers_ask_once(store: Store, asked: list[str]) -> None:
    service, clock = make(store, "a")
    plan(store, "a", HOUR)
    with store.read() as tx:
        due = preflights.due(tx, {"a": (HOUR, 12 * HOUR)}, now=clock())
    with store.write() as tx:
        assert preflights.take(tx, "a", due["a"][1], now=clock()) is True
        assert preflights.take(tx, "a", due["a"][1], now=clock()) is False
    preflight.look(service, now=clock)

    assert asked == []


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, 1), ({"preflight": ()}, 0), ({"preflight": (timedelta(minutes=5),)}, 0)]
)
def test_the_config_says_when(store: Store, asked: list[str], settings: dict[str, object], expected: int) -> None:
    service, clock = make(store, "a", **settings)
    plan(store, "a", HOUR / 2)
    preflight.look(service, now=clock)

    assert len(asked) == expected


def test_a_network_that_charges_for_it_is_asked_only_where_that_is_wanted(
    store: Store, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert networks.get("twitter").verify_costs
    monkeypatch.setattr(NETWORKS.get("toy"), "verify_costs", True)
    plan(store, "a", HOUR / 2)
    for settings, expected in (({}, 0), ({"preflight": (HOUR,)}, 1)):
        service, clock = make(store, "a", **settings)
        preflight.look(service, now=clock)
        assert len(asked) == expected


def test_the_dispatcher_looks_beside_its_work(store: Store, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = make(store, "dead")
    now = datetime.now(UTC)
    with store.write() as tx:
        post_id = posts.add(tx, _post(), source="s", now=now)
        shares.plan(tx, [NewShare(post_id=post_id, account="dead", due=now + HOUR / 2, key="k")], now=now)
    dispatcher = Dispatcher(service, lambda _ids: None, LocalBell())
    dispatcher.step()
    until(lambda: bool(told(store)))
    dispatcher.step()
    dispatcher.rest()

    assert asked == ["dead"]


def test_a_look_costs_the_same_however_many_shares_wait(store: Store, asked: list[str]) -> None:
    """The index is asked once for each account; a look over a hundred accounts is quick among many shares."""
    names = [f"n{n}" for n in range(100)]
    flights = dict.fromkeys(names, (HOUR, 12 * HOUR))

    def cost() -> float:
        best = 9.0
        for _ in range(3):
            began = time.perf_counter()
            with store.read() as tx:
                preflights.due(tx, flights, now=NOW)
            best = min(best, time.perf_counter() - began)
        return best

    def fill(number: int) -> None:
        with store.write() as tx:
            post_id = posts.add(tx, _post(), source="s", now=NOW)
            rows = [
                NewShare(
                    post_id=post_id,
                    account=names[n % 100],
                    due=NOW + 20 * HOUR,
                    key=f"{number}{n}",
                    slot=f"{number}{n}",
                )
                for n in range(number)
            ]
            shares.plan(tx, rows, now=NOW)

    fill(100)
    few = cost()
    fill(20_000)
    assert cost() < 5 * few + 0.05
    with store.read() as tx:
        assert claims.next_wake(tx) is not None
