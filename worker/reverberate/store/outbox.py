"""The outbox of notices: events wait in the journal to be told, notices wait here to be sent. Nothing is lost between.

An event is written with what it tells of in one transaction. Gathering takes events and makes notices of them in one
transaction; sending claims a notice by a conditional UPDATE. So each notice is sent at least once, whoever dies when,
and by one dispatcher at a time, however many there are.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import and_, delete, func, insert, or_, select, text, update

from reverberate.alerts import LASTING, TROUBLES, Group, Trouble, gather, lasts
from reverberate.model import ShareState
from reverberate.store.tables import events, shares
from reverberate.store.tables_watch import notices, troubles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

GATHER_LOCK = 0x4E6F_7469_6365  # "Notice"
_groups = TypeAdapter(tuple[Group, ...])
STILL = {"share refused": ShareState.REFUSED, "share held": ShareState.HELD, "share too late": ShareState.SKIPPED}
"""Events about shares that are worth telling only while the share is in that state still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one channel.

    Attributes:
        id: its number.
        channel: its name in the config.
        key: the same at each try, so that a receiver recognises a repeat.
        made: when it was begun.
        due: when it is to be tried next; None when it is sent or given up.
        tries: how often it was tried.
        sent: when it arrived, or None.
        words: what kept it from arriving last, or "".
        groups: what it tells of.
    """

    id: int
    channel: str
    key: str
    made: datetime
    due: datetime | None
    tries: int
    sent: datetime | None
    words: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a channel wants to hear: of which kinds, how long to gather, and how far apart its notices are."""

    channel: str
    on: frozenset[str]
    gather: timedelta
    every: timedelta


def any_untold(tx: Connection) -> bool:
    """Whether an event waits to be told."""
    return tx.execute(select(events.c.id).where(events.c.untold.is_not(None)).limit(1)).first() is not None


def take(tx: Connection, wishes: Sequence[Wish], *, now: datetime, limit: int = 500) -> int:
    """Make notices of the events that wait; how many events there were."""
    _lock(tx)
    rows = _untold(tx, limit)
    if rows:
        fresh = _news(tx, [trouble for row in _last(rows) if (trouble := _trouble(row)) is not None])
        for wish in wishes:
            wanted = [one for one in fresh if one.kind in wish.on]
            if wanted:
                _draft(tx, wish, wanted, now=now)
        tx.execute(update(events).where(events.c.id.in_([row.id for row in rows])).values(untold=None))
    return len(rows)


def _last(rows: Sequence[Any]) -> list[Any]:
    """Of events of one kind about one share, the last."""
    found = {(row.share_id or -row.id, row.kind): row for row in rows}
    return sorted(found.values(), key=lambda row: int(row.id))


def _lock(tx: Connection) -> None:
    """One gatherer at a time; on SQLite the write transaction is that lock."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": GATHER_LOCK})


def _untold(tx: Connection, limit: int) -> Sequence[Any]:
    query = (
        select(events, shares.c.account.label("of"), shares.c.state, shares.c.wake, shares.c.lease)
        .outerjoin(shares, shares.c.id == events.c.share_id)
        .where(events.c.untold.is_not(None))
        .order_by(events.c.id)
        .limit(limit)
    )
    return list(tx.execute(query))


def _trouble(row: Any) -> Trouble | None:
    """What the event means for a person; None where that has passed already, or goes on by itself."""
    if row.kind in STILL and row.state != STILL[row.kind]:
        return None
    if row.kind == "share unsure" and not (row.state == ShareState.UNSURE and row.wake is None and row.lease is None):
        return None  # it is being looked up; if that does not settle it, there will be another event
    kind, over = TROUBLES[row.kind]
    return Trouble(
        kind=kind,
        account=row.account or row.of or "",
        source=row.source,
        at=row.at,
        words=row.words[:500],
        share_id=row.share_id,
        over=over,
        what=row.kind,
    )


def _news(tx: Connection, several: Sequence[Trouble]) -> list[Trouble]:
    """Those that are news: of what lasts, the first and the end."""
    return [one for one in several if one.kind not in LASTING or _turns(tx, one)]


def _turns(tx: Connection, one: Trouble) -> bool:
    kind, subject = one.topic
    mine = and_(troubles.c.kind == kind, troubles.c.subject == subject)
    told = tx.execute(select(troubles).where(mine)).one_or_none()
    lasting = told is not None and lasts(one, told.since, told.words)
    if told is not None and (one.over or not lasting):
        tx.execute(delete(troubles).where(mine))
    if one.over or lasting:
        return one.over and told is not None
    tx.execute(insert(troubles).values(kind=kind, subject=subject, since=one.at, words=one.words))
    return True


def _draft(tx: Connection, wish: Wish, wanted: Sequence[Trouble], *, now: datetime) -> None:
    """Put them into the channel's notice that nobody has begun to send, or into a new one."""
    query = select(notices).where(notices.c.channel == wish.channel).order_by(notices.c.id.desc()).limit(1)
    last = tx.execute(query.with_for_update()).one_or_none()
    if last is not None and last.tries == 0 and last.due is not None:
        groups = gather(_groups.validate_python(last.body), wanted)
        mine = notices.c.id == last.id
        if groups:
            tx.execute(update(notices).where(mine).values(body=_groups.dump_python(groups, mode="json")))
        else:
            tx.execute(delete(notices).where(mine))
        return
    groups = gather((), wanted)
    if groups:
        due = now + wish.gather
        if last is not None:
            due = max(due, (last.sent or last.made) + wish.every)
        row = {"channel": wish.channel, "key": f"notice_{uuid.uuid4().hex}", "made": now, "due": due}
        tx.execute(insert(notices).values(row | {"body": _groups.dump_python(groups, mode="json")}))


def drop_closed(tx: Connection, channels: Sequence[str]) -> None:
    """Give up what waits for channels that the config no longer knows."""
    gone = and_(notices.c.due.is_not(None), notices.c.channel.not_in(channels))
    tx.execute(update(notices).where(gone).values(due=None, words="the channel is no longer in the config"))


def any_closed(tx: Connection, channels: Sequence[str]) -> bool:
    """Whether something waits for a channel that the config does not know."""
    gone = and_(notices.c.due.is_not(None), notices.c.channel.not_in(channels))
    return tx.execute(select(notices.c.id).where(gone).limit(1)).first() is not None


def next_due(tx: Connection, channel: str) -> datetime | None:
    """When the channel's first waiting notice is to be tried; None if none waits."""
    row = _first(tx, channel)
    return None if row is None else max(row.due, row.lease or row.due)


def _first(tx: Connection, channel: str) -> Any:
    waiting = and_(notices.c.channel == channel, notices.c.due.is_not(None))
    return tx.execute(select(notices).where(waiting).order_by(notices.c.id).limit(1)).one_or_none()


def claim(tx: Connection, channel: str, *, now: datetime, lease: datetime) -> Notice | None:
    """The channel's first notice, if it is due and in nobody's hands; ours until ``lease``."""
    row = _first(tx, channel)
    if row is None:
        return None
    free = and_(notices.c.id == row.id, notices.c.due <= now, or_(notices.c.lease.is_(None), notices.c.lease < now))
    taken = update(notices).where(free).values(lease=lease, tries=notices.c.tries + 1)
    won = tx.execute(taken.returning(*notices.c)).one_or_none()
    return None if won is None else _load(won)


def arrived(tx: Connection, notice_id: int, *, now: datetime) -> None:
    """It is there."""
    mine = and_(notices.c.id == notice_id, notices.c.due.is_not(None))
    tx.execute(update(notices).where(mine).values(sent=now, due=None, lease=None, words=""))


def failed(tx: Connection, notice_id: int, *, words: str, due: datetime | None) -> None:
    """It did not arrive: it is tried again at ``due``, or given up."""
    mine = and_(notices.c.id == notice_id, notices.c.due.is_not(None))
    tx.execute(update(notices).where(mine).values(due=due, lease=None, words=words))


def newest(tx: Connection, *, limit: int = 50, channel: str = "") -> list[Notice]:
    """The notices, newest first."""
    query = select(notices).order_by(notices.c.id.desc()).limit(limit)
    if channel:
        query = query.where(notices.c.channel == channel)
    return [_load(row) for row in tx.execute(query)]


def waiting(tx: Connection) -> int:
    """How many notices are not sent yet."""
    query = select(func.count()).select_from(notices).where(notices.c.due.is_not(None))
    return int(tx.execute(query).scalar_one())


def open_troubles(tx: Connection) -> list[tuple[str, str, datetime, str]]:
    """What was told and is not over: (kind, whom, since, words)."""
    query = select(troubles).order_by(troubles.c.since)
    return [(row.kind, row.subject, row.since, row.words) for row in tx.execute(query)]


def _load(row: Any) -> Notice:
    values = {name: getattr(row, name) for name in ("id", "channel", "key", "made", "due", "tries", "sent", "words")}
    return Notice(**values, groups=_groups.validate_python(row.body))
