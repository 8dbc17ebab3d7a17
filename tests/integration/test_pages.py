"""Lists, the one screen and the dispatch find what they want in an index, on both databases: no table is gone through."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from reverberate.model import Message, Receipt, ShareState
from reverberate.paging import cursor_of
from reverberate.store import (
    bookings,
    claims,
    endings,
    events,
    forget,
    journal,
    posts,
    preflights,
    reactions,
    shares,
    tallies,
    watch,
)
from reverberate.store.claims import Claim
from reverberate.store.endings import Ending
from support.bulk import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverberate.store import Store, Transaction

NOW = datetime.now(UTC)
PLACE = (NOW - timedelta(hours=1), 500)
SENT = (ShareState.SENT,)
ASKED: dict[str, Callable[[Transaction], Any]] = {
    "shares": lambda tx: shares.listed(tx, shares.Wanted(), limit=50),
    "in a state": lambda tx: shares.listed(tx, shares.Wanted(states=SENT), limit=50),
    "soonest": lambda tx: shares.listed(tx, shares.Wanted(states=(ShareState.SCHEDULED,)), limit=50, soonest=True),
    "of an account": lambda tx: shares.listed(tx, shares.Wanted(account="a1"), limit=50),
    "of an account in a state": lambda tx: shares.listed(tx, shares.Wanted(account="a1", states=SENT), limit=50),
    "of a source": lambda tx: shares.listed(tx, shares.Wanted(source="s1"), limit=50),
    "of a time": lambda tx: shares.listed(tx, shares.Wanted(since=NOW - timedelta(hours=2), until=NOW), limit=50),
    "after a place": lambda tx: shares.listed(tx, shares.Wanted(before=PLACE), limit=50),
    "of an account after a place": lambda tx: shares.listed(tx, shares.Wanted(account="a1", before=PLACE), limit=50),
    "of an account and a source": lambda tx: shares.listed(tx, shares.Wanted(account="a1", source="s1"), limit=50),
    "of a post": lambda tx: shares.listed(tx, shares.Wanted(post_id=7, states=SENT), limit=50),
    "of a post and a source": lambda tx: shares.listed(tx, shares.Wanted(post_id=7, source="s1"), limit=50),
    "posts": lambda tx: posts.listed(tx, posts.Wanted(), limit=50),
    "posts of a source": lambda tx: posts.listed(tx, posts.Wanted(source="s1", before=PLACE), limit=50),
    "events": lambda tx: events.listed(tx, events.Wanted(before=PLACE), limit=50),
    "events of an account": lambda tx: events.listed(tx, events.Wanted(account="a1"), limit=50),
    "events of a source": lambda tx: events.listed(tx, events.Wanted(source="s1"), limit=50),
    "events of a kind": lambda tx: events.listed(tx, events.Wanted(kind="share refused", until=NOW), limit=50),
    "events of an account and a kind": lambda tx: events.listed(tx, events.Wanted(account="a1", kind="x"), limit=50),
    "events of an account and a source": lambda tx: events.listed(
        tx, events.Wanted(account="a1", source="s1", kind="x"), limit=50
    ),
    "events of an account and a share": lambda tx: events.listed(
        tx, events.Wanted(account="a1", kind="x", share_id=7), limit=50
    ),
    "events of a share": lambda tx: events.listed(tx, events.Wanted(share_id=7), limit=50),
    "events of a post": lambda tx: events.listed(tx, events.Wanted(post_id=7), limit=50),
    "events that follow": lambda tx: events.following(tx, 7, now=NOW),
    "the last event": events.newest,
    "what waits longest": lambda tx: shares.oldest_waiting(tx, now=NOW),
    "the next to wake": claims.next_wake,
    "what ran out": lambda tx: endings.any_expired(tx, now=NOW),
    "a share's events": lambda tx: journal.events_of(tx, 7),
}

ONE = Claim(share_id=7, kind="send", state=ShareState.SCHEDULED, message=Message(parts=("x",), link=""), fence=0)
THERE = Receipt(remote_id="1", permalink="https://there.example/1")
END = Ending(share_id=7, fence=1, now=NOW, state=ShareState.SENT, outcome="receipt", receipt=THERE)
FLIGHTS = {"a1": (timedelta(days=7),)}
DONE: dict[str, Callable[[Transaction], Any]] = {
    "handing over": lambda tx: claims.take_due(tx, now=NOW, limit=100),
    "what nobody claimed": lambda tx: claims.overdue(tx, before=NOW, limit=100),
    "reading what is due": lambda tx: claims.work(tx, [7, 8]),
    "claiming": lambda tx: claims.claim(tx, [ONE], owner="x", lease=NOW, now=NOW),
    "prolonging": lambda tx: claims.renew(tx, [7], owner="x", lease=NOW),
    "settling": lambda tx: endings.settle(tx, [END]),
    "sweeping": lambda tx: endings.sweep(tx, now=NOW, settle=lambda _: timedelta(0)),
    "an account that rests": lambda tx: shares.postpone_account(tx, "a1", until=NOW),
    "whom to ask before": lambda tx: preflights.due(tx, FLIGHTS, now=NOW),
    "what is booked": lambda tx: bookings.booked(tx, "a1", since=NOW, limit=100),
    "who has a slot": lambda tx: bookings.holders(tx, "a1", [NOW.replace(tzinfo=None)]),
    "what may move": lambda tx: bookings.movable(tx, "a1", since=NOW, limit=100),
    "what may be shared again": lambda tx: bookings.originals(tx, "a1", since=NOW - timedelta(hours=1), until=NOW),
    "old attempts": lambda tx: forget.attempts_after(tx, 0, before=NOW, limit=100),
    "old events": lambda tx: forget.old_events(tx, before=NOW, limit=100),
    "whose reactions to ask for": lambda tx: reactions.take(
        tx, now=NOW + timedelta(days=2), lease=NOW, limit=9, pace=lambda _: None
    ),
    "reactions by account": lambda tx: reactions.by_account(tx, account="", since=NOW - timedelta(hours=1)),
    "reactions by post": lambda tx: reactions.by_post(tx, account="a1", since=NOW - timedelta(hours=1), limit=50),
    "reactions by hour": lambda tx: reactions.by_quarter(tx, account="", since=NOW - timedelta(hours=1)),
    "is it known?": lambda tx: posts.known(tx, ["x", "y"]),
    "how many are due": lambda tx: watch.due(tx, now=NOW),
}
BEST = {
    "of an account and a source": "ix_shares_account_source (account=? AND source=? AND state=?",
    "of a post": "(post_id=?",
    "of a post and a source": "(post_id=?",
    "events of a share": "(share_id=?",
    "events of a post": "(share_id=?",
    "events of an account and a share": "(share_id=?",
    "events of an account and a source": "ix_events_source (source=?",
    "an account that rests": "ix_shares_account_state_due_id (account=? AND state=? AND due<?)",
    "what is booked": "ix_shares_account_wanted (account=? AND wanted>?)",
    "who has a slot": "ix_shares_account_wanted (account=? AND wanted>? AND wanted<?)",
    "what may move": "ix_shares_account_wanted (account=? AND wanted>?)",
    "what may be shared again": "ix_shares_account_wanted (account=? AND wanted>? AND wanted<?)",
    "reactions by account": "COVERING INDEX ix_reactions_latest (sent>?)",
    "reactions by post": "COVERING INDEX ix_reactions_latest (sent>?",
    "reactions by hour": "COVERING INDEX ix_reactions_latest (sent>?",
}
"""Where SQLite could find it in more ways than one, that which no other row makes slower."""
TABLES = ("shares", "posts", "events", "attempts", "messages", "identities", "reactions")


@pytest.fixture
def full(store: Store) -> Store:
    """A store with enough rows for a planner to care."""
    fill(store, posts=2000, accounts=5)
    return store


@pytest.fixture(params=["as it is", "counted"])
def counted(full: Store, request: pytest.FixtureRequest) -> Store:
    """The same; SQLite has not counted its rows unless somebody told it to."""
    if request.param == "counted":
        with full.write() as tx:
            tx.exec_driver_sql("ANALYZE")
    return full


@contextmanager
def heard(tx: Transaction) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: object) -> None:
        said.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", hear)
    yield said
    event.remove(tx, "before_cursor_execute", hear)


def plans_of(tx: Transaction, do: Callable[[Transaction], Any]) -> list[str]:
    """How the database goes about each statement of it."""
    with heard(tx) as said:
        do(tx)
    questions = [(text, values) for text, values in said if text.startswith(("SELECT", "UPDATE", "DELETE"))]
    assert questions
    return [plan_of(tx, text, values) for text, values in questions if not isinstance(values, list)]


def plan_of(tx: Transaction, statement: str, parameters: Any) -> str:
    """How the database would go about it."""
    explain = "EXPLAIN " if tx.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in tx.exec_driver_sql(explain + statement, parameters))


def goes_through_a_table(plan: str) -> bool:
    """A whole table, or all that an index holds, read or sorted for a page of it."""
    lines = [line.strip() for line in plan.splitlines()]
    scans = any(f"Seq Scan on {name}" in plan for name in TABLES)
    return scans or any(
        line.startswith(f"SCAN {name}") and "USING INDEX" not in line and "COVERING" not in line
        for line in lines
        for name in TABLES
    )


def test_every_list_and_the_dispatch_are_backed_by_an_index(counted: Store) -> None:
    found: dict[str, list[str]] = {}
    with counted.write() as tx:
        for name, do in {**ASKED, **DONE}.items():
            plans = plans_of(tx, do)
            found[name] = [plan for plan in plans if goes_through_a_table(plan)]
            if tx.dialect.name == "sqlite" and BEST.get(name, "") not in "\n".join(plans):
                found[name] += plans

    assert {name: plans for name, plans in found.items() if plans} == {}


def test_pages_are_read_in_the_order_of_their_index(full: Store) -> None:
    """No page is sorted: but for those of a single post or share, which are small."""
    sorts = []
    with full.read() as tx:
        for name, ask in ASKED.items():
            sorts += [name for plan in plans_of(tx, ask) if "TEMP B-TREE" in plan or "Sort" in plan.split("(")[0]]

    assert [name for name in sorts if "a post" not in name and "a share" not in name] == []


def test_pages_of_a_span_hold_all_of_it_once(full: Store) -> None:
    """The cursor of one list may stand before, in or behind the span of another."""
    span = {"since": NOW - timedelta(minutes=900), "until": NOW - timedelta(minutes=700)}
    with full.read() as tx:
        whole = shares.listed(tx, shares.Wanted(**span), limit=1000)
        assert 100 < len(whole) < 200
        paged: list[int] = []
        place = None
        while page := shares.listed(tx, shares.Wanted(**span, before=place), limit=7):
            paged += [one.id for one in page]
            place = (page[-1].due, page[-1].id)
        assert paged == [one.id for one in whole]
        outside = {NOW: len(whole), NOW - timedelta(minutes=700): len(whole), NOW - timedelta(minutes=900): 0}
        for at, number in outside.items():
            found = shares.listed(tx, shares.Wanted(**span, before=(at, 1)), limit=1000)
            assert len(found) == number


def test_the_tallies_agree_with_a_count(full: Store) -> None:
    with full.read() as tx:
        rows = tx.exec_driver_sql("SELECT account, state, count(*) FROM shares GROUP BY account, state")
        assert tallies.counts(tx) == {(account, state): number for account, state, number in rows}


def test_a_cursor_leads_back_to_its_place() -> None:
    assert len(cursor_of(*PLACE)) < 40
