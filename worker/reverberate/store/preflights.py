"""When accounts were asked before their scheduled shares, and whose time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select, update

from reverberate.model import ShareState
from reverberate.store import journal
from reverberate.store.posts import insert_new
from reverberate.store.tables import EPOCH, preflights, shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection


def due(
    tx: Connection, flights: Mapping[str, Sequence[timedelta]], *, now: datetime
) -> dict[str, tuple[datetime, tuple[timedelta, ...]]]:
    """The accounts to ask now: when the next share of each is due, and the times ahead that have come.

    One look into the index of shares for each account, however many shares wait. An account that took a message
    since the time began is in order; one that is paused waits for its owner anyway.
    """
    asked = {(row.account, row.ahead): row.at for row in tx.execute(select(preflights))}
    states = journal.account_states(tx)
    found: dict[str, tuple[datetime, tuple[timedelta, ...]]] = {}
    for name, times in flights.items():
        state = states.get(name)
        proven = (state.last_success if state else None) or EPOCH
        open_times = [t for t in times if max(proven, asked.get((name, _seconds(t)), EPOCH)) <= now - t]
        if open_times and not (state and state.paused):
            share_due = _next_due(tx, name, now=now, most=max(open_times))
            come = tuple(t for t in open_times if share_due and share_due <= now + t)
            if share_due and come:
                found[name] = (share_due, come)
    return found


def take(tx: Connection, name: str, times: Sequence[timedelta], *, now: datetime) -> bool:
    """Whether it falls to the caller to ask this account, and to nobody else."""
    rows = [{"account": name, "ahead": _seconds(one), "at": EPOCH} for one in times]
    tx.execute(insert_new(tx, preflights), rows)
    taken = 0
    for one in times:
        open_yet = and_(preflights.c.account == name, preflights.c.ahead == _seconds(one), preflights.c.at <= now - one)
        taken += tx.execute(update(preflights).where(open_yet).values(at=now)).rowcount
    return taken > 0


def note(tx: Connection, name: str, trouble: str) -> bool:
    """Remember what was found of an account, "" for nothing; whether there was trouble before."""
    mine = preflights.c.account == name
    before = tx.execute(select(preflights.c.ahead).where(mine, preflights.c.trouble != "").limit(1)).first()
    tx.execute(update(preflights).where(mine).values(trouble=trouble))
    return before is not None


def _next_due(tx: Connection, name: str, *, now: datetime, most: timedelta) -> datetime | None:
    """When the next scheduled share of an account is due, if that is within ``most``."""
    mine = and_(shares.c.account == name, shares.c.state == ShareState.SCHEDULED)
    coming = and_(mine, shares.c.due > now, shares.c.due <= now + most)
    return tx.execute(select(shares.c.due).where(coming).order_by(shares.c.due).limit(1)).scalar_one_or_none()


def _seconds(ahead: timedelta) -> int:
    return int(ahead.total_seconds())
