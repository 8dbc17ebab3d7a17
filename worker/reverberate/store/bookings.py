"""What is booked on an account: found by its index, however many shares there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, literal, or_, select, update

from reverberate.model import ShareState
from reverberate.store import codec
from reverberate.store.shares import unsought
from reverberate.store.tables import posts, shares
from reverberate.store.told import TOLD
from reverberate.walltime import DAY

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from reverberate.model import Post, Share
    from reverberate.schedule import Moment

TAKES = (ShareState.HELD, ShareState.SCHEDULED, ShareState.SENDING, ShareState.UNSURE, ShareState.SENT)
"""The states in which a share keeps its time; in the others it frees it."""


def booked(
    tx: Connection, account: str, *, since: datetime, limit: int, but: Collection[int] = ()
) -> tuple[list[tuple[datetime, datetime | None]], datetime | None]:
    """When the account's shares were wanted from ``since`` on, earliest first, with what the clock was to show.

    ``but`` are the numbers of shares that do not count.

    Returns:
        At most so many, and the instant up to which they are complete; None where they are all.
    """
    mine = select(shares.c.id, shares.c.wanted, shares.c.wall, shares.c.state).where(
        shares.c.account == account, shares.c.wanted >= since
    )
    rows = list(tx.execute(mine.order_by(shares.c.wanted).limit(limit)))
    found = [(row.wanted, row.wall) for row in rows if row.state in TAKES and row.id not in but]
    return found, rows[-1].wanted if len(rows) == limit else None


def holders(tx: Connection, account: str, walls: Sequence[datetime]) -> dict[datetime, int]:
    """The numbers of the account's shares that have these slots, by what the clock shows then."""
    if not walls:
        return {}
    mine = and_(shares.c.account == account, shares.c.wanted >= min(walls).replace(tzinfo=UTC) - 2 * DAY)
    given = and_(mine, shares.c.wanted <= max(walls).replace(tzinfo=UTC) + 2 * DAY, shares.c.wall.in_(walls))
    rows = tx.execute(select(shares.c.id, shares.c.wall).where(given, unsought(shares.c.state).in_(TAKES)))
    return {row.wall: row.id for row in rows}


def on_the_wall(tx: Connection, zone: str, *, after: int, limit: int) -> list[Share]:
    """Shares to come that were planned on a zone's clock and not tried yet, by number, those above ``after``."""
    waits = and_(shares.c.state.in_((ShareState.HELD, ShareState.SCHEDULED)), shares.c.lease.is_(None))
    planned = and_(shares.c.zone == zone, shares.c.wall.is_not(None), shares.c.tries == 0, shares.c.id > after)
    query = select(shares).where(waits, planned).order_by(shares.c.id).limit(limit).with_for_update()
    return [codec.load_share(row) for row in tx.execute(query)]


def move(tx: Connection, share: Share, when: Moment, *, zone: str, now: datetime, reason: str) -> bool:
    """Give a waiting share another moment on a zone's clock; one that has to wait longer for another reason does so.

    Returns whether it was still as it was read.
    """
    new = literal(when.due, shares.c.due.type)
    later = case((or_(shares.c.due == share.wanted, shares.c.due < when.due), new), else_=shares.c.due)
    same = and_(shares.c.id == share.id, shares.c.fence == share.fence, shares.c.wanted == share.wanted)
    free = and_(same, shares.c.state == share.state, shares.c.lease.is_(None))
    values = {"wanted": when.due, "due": later, "wake": case((shares.c.wake.is_not(None), later), else_=None)}
    values |= {"wall": when.wall, "zone": zone if when.wall else "", "spread": int(when.spread.total_seconds())}
    done = tx.execute(update(shares).where(free).values(values)).rowcount == 1
    if done:
        words = f"{reason}: it was due at {share.wanted.isoformat()}, and is now at {when.due.isoformat()}"
        tx.execute(TOLD, {"at": now, "kind": "share moved", "share_id": share.id, "of_share": share.id, "words": words})
    return done


def movable(tx: Connection, account: str, *, since: datetime, limit: int) -> list[tuple[Share, Post]]:
    """The account's first shares of posts that its schedule placed after ``since``, and that nobody tried, by number."""
    mine = and_(shares.c.account == account, shares.c.wanted > since, shares.c.slot == "", shares.c.fixed.is_(False))
    waits = and_(unsought(shares.c.state).in_((ShareState.HELD, ShareState.SCHEDULED)), shares.c.tries == 0)
    query = select(shares, posts.c.body.label("post_body")).join(posts, posts.c.id == shares.c.post_id)
    query = query.where(mine, waits, shares.c.lease.is_(None)).order_by(shares.c.wanted, shares.c.id).limit(limit)
    found = [(codec.load_share(row), codec.load_post(row.post_body)) for row in tx.execute(query)]
    return sorted(found, key=lambda pair: pair[0].id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A post's first share on an account, which was sent; ``last`` is when the newest of its shares there is wanted."""

    post_id: int
    post: Post
    wanted: datetime
    last: datetime


def originals(tx: Connection, account: str, *, since: datetime, until: datetime) -> list[Original]:
    """The account's first shares that were wanted after ``since`` and up to ``until``, and are sent."""
    again = shares.alias()
    theirs = and_(again.c.post_id == shares.c.post_id, unsought(again.c.account) == account)
    last = select(func.max(again.c.wanted)).where(theirs, unsought(again.c.state).in_(TAKES)).scalar_subquery()
    query = (
        select(shares.c.post_id, shares.c.wanted, posts.c.body, last.label("last"))
        .join(posts, posts.c.id == shares.c.post_id)
        .where(shares.c.account == account, shares.c.wanted > since, shares.c.wanted <= until)
        .where(shares.c.slot == "", unsought(shares.c.state) == ShareState.SENT)
        .order_by(shares.c.wanted, shares.c.id)
    )
    return [
        Original(post_id=row.post_id, post=codec.load_post(row.body), wanted=row.wanted, last=row.last)
        for row in tx.execute(query)
    ]
