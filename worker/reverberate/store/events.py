"""Events as people and programs read them: by time, the latest first; or as they come, for those who follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select

from reverberate.model import Event
from reverberate.store import codec
from reverberate.store.shares import unsought
from reverberate.store.spans import within
from reverberate.store.tables import events, shares

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

SETTLED = timedelta(seconds=1)
"""PostgreSQL numbers rows before they are committed: who follows by number waits so long for a straggler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events to list: of all that is given; from ``since`` on and before ``until``, after the place ``before``."""

    account: str = ""
    source: str = ""
    kind: str = ""
    share_id: int | None = None
    post_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


def listed(tx: Connection, wanted: Wanted, *, limit: int) -> list[Event]:
    """Events by time, the latest first."""
    query = select(events).where(*_where(wanted)).order_by(events.c.at.desc(), events.c.id.desc()).limit(limit)
    return [codec.load(Event, row) for row in tx.execute(query)]


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    few = wanted.share_id is not None or wanted.post_id is not None
    account = unsought(events.c.account) if few or wanted.source else events.c.account
    source = unsought(events.c.source) if few else events.c.source
    kind = unsought(events.c.kind) if few or wanted.source else events.c.kind
    conditions: list[ColumnElement[bool]] = []
    # what the partial index says must be said here too, or the database does not see that it serves
    conditions += [account == wanted.account, account != literal("")] if wanted.account else []
    conditions += [source == wanted.source, source != literal("")] if wanted.source else []
    conditions += [kind == wanted.kind] if wanted.kind else []
    conditions += [events.c.share_id == wanted.share_id] if wanted.share_id is not None else []
    if wanted.post_id is not None:
        of_post = select(shares.c.id).where(shares.c.post_id == wanted.post_id)
        conditions.append(events.c.share_id.in_(of_post))
    return conditions + within(events.c.at, events.c.id, since=wanted.since, until=wanted.until, before=wanted.before)


def newest(tx: Connection) -> int:
    """The number of the last event; 0 where there is none."""
    return tx.execute(select(func.max(events.c.id))).scalar_one_or_none() or 0


def following(tx: Connection, after: int, *, now: datetime, limit: int = 200) -> list[Event]:
    """The events after that number, in order; none of them is missed by who asks on with the last one's number."""
    query = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
    found = [codec.load(Event, row) for row in tx.execute(query)]
    if tx.dialect.name != "postgresql":
        return found
    young = next((place for place, one in enumerate(found) if one.at > now - SETTLED), len(found))
    return found[:young]
