"""Lists and the one screen find what they show in an index, on both databases: whatever is asked, no table is gone through."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from reverberate.front import cursor_of
from reverberate.model import ShareState
from reverberate.store import claims, events, journal, posts, shares, tallies
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
    "of a post": lambda tx: shares.listed(tx, shares.Wanted(post_id=7, states=SENT), limit=50),
    "posts": lambda tx: posts.listed(tx, posts.Wanted(), limit=50),
    "posts of a source": lambda tx: posts.listed(tx, posts.Wanted(source="s1", before=PLACE), limit=50),
    "events": lambda tx: events.listed(tx, events.Wanted(before=PLACE), limit=50),
    "events of an account": lambda tx: events.listed(tx, events.Wanted(account="a1"), limit=50),
    "events of a source": lambda tx: events.listed(tx, events.Wanted(source="s1"), limit=50),
    "events of a kind": lambda tx: events.listed(tx, events.Wanted(kind="share refused", until=NOW), limit=50),
    "events of an account and a kind": lambda tx: events.listed(tx, events.Wanted(account="a1", kind="x"), limit=50),
    "events of a share": lambda tx: events.listed(tx, events.Wanted(share_id=7), limit=50),
    "events of a post": lambda tx: events.listed(tx, events.Wanted(post_id=7), limit=50),
    "events that follow": lambda tx: events.following(tx, 7, now=NOW),
    "the last event": events.newest,
    "what waits longest": lambda tx: shares.oldest_waiting(tx, now=NOW),
    "the next to wake": claims.next_wake,
    "what ran out": lambda tx: claims.any_expired(tx, now=NOW),
    "a share's events": lambda tx: journal.events_of(tx, 7),
}


@pytest.fixture
def full(store: Store) -> Store:
    """A store with enough rows for a planner to care."""
    fill(store, posts=2000, accounts=5)
    return store


@contextmanager
def heard(tx: Transaction) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: object) -> None:
        said.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", hear)
    yield said
    event.remove(tx, "before_cursor_execute", hear)


def plan_of(tx: Transaction, statement: str, parameters: Any) -> str:
    """How the database would go about it."""
    explain = "EXPLAIN " if tx.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in tx.exec_driver_sql(explain + statement, parameters))


def goes_through_a_table(plan: str) -> bool:
    """A whole table, or all that an index holds, read or sorted for a page of it."""
    scans = any(f"Seq Scan on {name}" in plan for name in ("shares", "posts", "events", "attempts"))
    lines = [line.strip() for line in plan.splitlines()]
    return scans or any(
        line.startswith("SCAN") and "USING INDEX" not in line and "COVERING" not in line for line in lines
    )


def test_every_list_is_backed_by_an_index(full: Store) -> None:
    found: dict[str, list[str]] = {}
    with full.read() as tx:
        for name, ask in ASKED.items():
            with heard(tx) as said:
                ask(tx)
            plans = [plan_of(tx, *one) for one in said]
            assert plans
            found[name] = [plan for plan in plans if goes_through_a_table(plan)]

    assert {name: plans for name, plans in found.items() if plans} == {}


def test_pages_are_read_in_the_order_of_their_index(full: Store) -> None:
    """No page is sorted: but for those of a single post or share, which are small."""
    sorts = []
    with full.read() as tx:
        for name, ask in ASKED.items():
            with heard(tx) as said:
                ask(tx)
            plans = [plan_of(tx, *one) for one in said]
            sorts += [name for plan in plans if "TEMP B-TREE" in plan or "Sort" in plan.split("(")[0]]

    assert {
        name for name in sorts if "of a post" not in name and "share's" not in name and "of a share" not in name
    } == set()


def test_the_tallies_agree_with_a_count(full: Store) -> None:
    with full.read() as tx:
        rows = tx.exec_driver_sql("SELECT account, state, count(*) FROM shares GROUP BY account, state")
        assert tallies.counts(tx) == {(account, state): number for account, state, number in rows}


def test_a_cursor_leads_back_to_its_place() -> None:
    assert len(cursor_of(*PLACE)) < 40
