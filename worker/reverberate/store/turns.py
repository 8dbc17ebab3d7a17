"""Whose turn it is: how often an account may speak, and what it may spend. Exact, for it is part of the claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from reverberate.store.posts import insert_new
from reverberate.store.tables import events, spending, turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from reverberate.schedule import Daily, Pace

NEARLY = 0.8
"""The part of a budget from which on its owner is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What an account is allowed.

    Attributes:
        account: its name.
        paces: how often it may speak, by the setting's name; all of them hold.
        waived: those that this share is counted in, and does not wait for.
        price: what this share costs, in millionths of the budget's unit.
        budget: what the account may spend in a calendar month (UTC), in the same; None for no bound.
    """

    account: str
    paces: Mapping[str, Pace | Daily] = field(default_factory=dict)
    waived: frozenset[str] = frozenset()
    price: int = 0
    budget: int | None = None

    @property
    def bounded(self) -> bool:
        """Whether there is anything to heed."""
        return bool(self.paces) or bool(self.price)


@dataclass(frozen=True, slots=True)
class Later:
    """A share has to wait: until when, and why."""

    due: datetime
    reason: str


def check(tx: Connection, wanted: Allowance, *, now: datetime) -> Later | None:
    """None if the account may speak now; else until when the share has to wait, with its turn booked."""
    if wanted.budget is not None and _spent(tx, wanted.account, month_of(now)) + wanted.price > wanted.budget:
        words = f"this month's budget of {wanted.budget / 1e6:.2f} is used up; it goes on next month"
        _note(tx, wanted.account, "budget used up", words, now=now)
        return Later(_next_month(now), words)
    rows = _rows(tx, wanted, now=now)
    for name, pace in wanted.paces.items():
        row = rows[name]
        if name not in wanted.waived and pace.taken(row.full, now=now) is None:
            due = pace.next_turn(row.full, row.booked)
            _update(tx, wanted.account, name, booked=due)
            return Later(due, f"waits its turn ({name})")
    return None


def take(tx: Connection, taken: Sequence[Allowance], *, now: datetime) -> None:
    """These have gone: note the turns, and what they cost."""
    for one in taken:
        rows = _rows(tx, one, now=now)
        for name, pace in one.paces.items():
            _update(tx, one.account, name, full=pace.taken(rows[name].full, now=now) or rows[name].full)
        if one.price:
            add(tx, one.account, one.price, now=now)
            _warn(tx, one, now=now)


def _warn(tx: Connection, one: Allowance, *, now: datetime) -> None:
    """Say so when this share took the month's spending past NEARLY of its budget."""
    if one.budget is None:
        return
    after, nearly = _spent(tx, one.account, month_of(now)), one.budget * NEARLY
    if after - one.price < nearly <= after:
        words = f"{after / 1e6:.2f} of this month's budget of {one.budget / 1e6:.2f} are spent"
        _note(tx, one.account, "budget nearly used", words, now=now)


def _note(tx: Connection, account: str, kind: str, words: str, *, now: datetime) -> None:
    tx.execute(insert(events).values(at=now, kind=kind, account=account, words=words))


def add(tx: Connection, account: str, micros: int, *, now: datetime) -> None:
    """So much more was spent this month; less, if it came back."""
    month = month_of(now)
    tx.execute(insert_new(tx, spending), [{"account": account, "month": month, "micros": 0}])
    mine = update(spending).where(spending.c.account == account, spending.c.month == month)
    tx.execute(mine.values(micros=spending.c.micros + micros))


def spent(tx: Connection, *, now: datetime) -> Mapping[str, int]:
    """What each account has spent this month, in millionths."""
    query = select(spending.c.account, spending.c.micros).where(spending.c.month == month_of(now))
    return {account: int(micros) for account, micros in tx.execute(query)}


def month_of(now: datetime) -> str:
    """The calendar month, as budgets count them."""
    return now.astimezone(UTC).strftime("%Y-%m")


def _next_month(now: datetime) -> datetime:
    utc = now.astimezone(UTC)
    year, month = (utc.year + 1, 1) if utc.month == 12 else (utc.year, utc.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def _spent(tx: Connection, account: str, month: str) -> int:
    tx.execute(insert_new(tx, spending), [{"account": account, "month": month, "micros": 0}])
    mine = select(spending.c.micros).where(spending.c.account == account, spending.c.month == month)
    return int(tx.execute(mine.with_for_update()).scalar_one())


def _rows(tx: Connection, wanted: Allowance, *, now: datetime) -> Mapping[str, Any]:
    """The account's turns, locked until the transaction ends."""
    fresh = [{"account": wanted.account, "pace": name, "full": now, "booked": now} for name in wanted.paces]
    if not fresh:
        return {}
    tx.execute(insert_new(tx, turns), fresh)
    mine = select(turns).where(turns.c.account == wanted.account).order_by(turns.c.pace)
    return {row.pace: row for row in tx.execute(mine.with_for_update())}


def _update(tx: Connection, account: str, pace: str, **values: datetime) -> None:
    tx.execute(update(turns).where(turns.c.account == account, turns.c.pace == pace).values(values))
