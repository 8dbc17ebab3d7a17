"""Forgetting the story of what is long done, a little at a time. That it was done is kept for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select

from reverberate.model import ShareState
from reverberate.store.tables import attempts, events, messages, pictures, shares, steps
from reverberate.store.tables_watch import notices, reactions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

DONE = (ShareState.SENT, ShareState.REFUSED, ShareState.SKIPPED, ShareState.CANCELLED)
"""States in which nothing waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldAttempt:
    """An attempt, and whether its share's story may be forgotten."""

    id: int
    share_id: int
    started: datetime
    over: bool


def attempts_after(tx: Connection, number: int, *, before: datetime, limit: int) -> list[OldAttempt]:
    """The attempts behind that number, oldest first, up to the first that began after ``before``."""
    query = (
        select(attempts.c.id, attempts.c.share_id, attempts.c.started, shares.c.state, shares.c.changed)
        .join(shares, shares.c.id == attempts.c.share_id)
        .where(attempts.c.id > number)
        .order_by(attempts.c.id)
        .limit(limit)
    )
    found: list[OldAttempt] = []
    for row in tx.execute(query):
        if row.started >= before:
            break
        over = row.state in DONE and row.changed < before
        found.append(OldAttempt(id=row.id, share_id=row.share_id, started=row.started, over=over))
    return found


def stories(tx: Connection, share_ids: Sequence[int]) -> None:
    """Forget how these shares came to be what they are: attempts, steps, messages, and what people made of them before."""
    for table in (attempts, steps, messages):
        tx.execute(delete(table).where(table.c.share_id.in_(share_ids)))
    tx.execute(delete(reactions).where(reactions.c.share_id.in_(share_ids), ~reactions.c.latest))


def old_events(tx: Connection, *, before: datetime, limit: int) -> list[int]:
    """Events of before that, of nothing that still waits."""
    over = or_(events.c.share_id.is_(None), and_(shares.c.state.in_(DONE), shares.c.changed < before))
    query = (
        select(events.c.id)
        .outerjoin(shares, shares.c.id == events.c.share_id)
        .where(events.c.at < before, events.c.untold.is_(None), over)
        .order_by(events.c.at, events.c.id)
        .limit(limit)
    )
    return list(tx.execute(query).scalars())


def old_notices(tx: Connection, *, before: datetime, limit: int) -> list[int]:
    """Notices of before that, of which nothing waits to be sent."""
    query = select(notices.c.id).where(notices.c.made < before, notices.c.due.is_(None)).order_by(notices.c.id)
    return list(tx.execute(query.limit(limit)).scalars())


def old_pictures(tx: Connection, *, before: datetime) -> list[str]:
    """Pictures of before that which no share needs that is still to be sent or looked up."""
    old = set(tx.execute(select(pictures.c.digest).where(pictures.c.added < before)).scalars())
    if old:
        waits: ColumnElement[bool] = shares.c.state.not_in(DONE)
        query = select(messages.c.body).join(shares, shares.c.id == messages.c.share_id).where(waits)
        for body in tx.execute(query).scalars():
            old.difference_update(_digests(body))
    return sorted(old)


def _digests(body: Any) -> Iterable[str]:
    card = (body.get("card") or {}).get("picture")
    return [one["digest"] for one in (*body.get("pictures", ()), card) if one]


def drop_events(tx: Connection, ids: Sequence[int]) -> None:
    """Forget these."""
    tx.execute(delete(events).where(events.c.id.in_(ids)))


def drop_notices(tx: Connection, ids: Sequence[int]) -> None:
    """Forget these."""
    tx.execute(delete(notices).where(notices.c.id.in_(ids)))


def drop_pictures(tx: Connection, digests: Sequence[str]) -> None:
    """Forget these."""
    tx.execute(delete(pictures).where(pictures.c.digest.in_(digests)))
