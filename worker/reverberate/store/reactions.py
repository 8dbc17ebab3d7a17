"""What people made of our posts: when to ask next, the answers as a time series, and the latest of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, and_, func, insert, select, type_coerce, update

from reverberate.model import Reactions, Receipt
from reverberate.store import turns
from reverberate.store.tables import EPOCH, MICROSECOND, posts, shares
from reverberate.store.tables_watch import COUNTED, reactions
from reverberate.store.turns import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from reverberate.schedule import Pace

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A share whose network is to be asked now; ``sent`` is when it was sent."""

    share_id: int
    post_id: int
    account: str
    receipt: Receipt
    sent: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What people made of one share at one time, with its post."""

    share_id: int
    account: str
    post_id: int
    title: str
    url: str
    permalink: str
    sent: datetime
    at: datetime
    reactions: Reactions


def any_due(tx: Connection, *, now: datetime) -> bool:
    """Whether a network is to be asked."""
    query = select(shares.c.id).where(shares.c.ask.is_not(None), shares.c.ask <= now).limit(1)
    return tx.execute(query).first() is not None


def take(
    tx: Connection, *, now: datetime, lease: datetime, limit: int, pace: Callable[[str], Pace | None]
) -> list[Question]:
    """The questions to ask now; nobody else gets them before ``lease``.

    ``pace`` is how often an account's network may be asked, None for never. What has to wait its turn is put off.
    """
    query = (
        select(shares)
        .where(shares.c.ask.is_not(None), shares.c.ask <= now)
        .order_by(shares.c.ask)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken: list[Question] = []
    for row in list(tx.execute(query)):
        bound = pace(row.account) if row.remote_id else None
        later = None if bound is None else _turn(tx, row.account, bound, now=now)
        ask_again(tx, row.id, at=None if bound is None else later or lease)
        if bound is not None and later is None:
            receipt = Receipt(remote_id=row.remote_id, permalink=row.permalink or "")
            of = {"share_id": row.id, "post_id": row.post_id, "account": row.account}
            taken.append(Question(**of, receipt=receipt, sent=row.sent))
    return taken


def _turn(tx: Connection, account: str, pace: Pace, *, now: datetime) -> datetime | None:
    """None if the account's network may be asked now, and its turn is taken; else when."""
    allowance = Allowance(account=account, paces={"statistics": pace})
    later = turns.check(tx, allowance, now=now)
    if later is None:
        turns.take(tx, [allowance], now=now)
    return later.due if later else None


def ask_again(tx: Connection, share_id: int, *, at: datetime | None) -> None:
    """Ask for this share then; never, for None."""
    tx.execute(update(shares).where(shares.c.id == share_id).values(ask=at))


def record(tx: Connection, question: Question, found: Reactions, *, now: datetime, again: datetime | None) -> None:
    """Keep what was answered, and when to ask again."""
    mine = and_(reactions.c.share_id == question.share_id, reactions.c.latest)
    tx.execute(update(reactions).where(mine).values(latest=False))
    row = {"share_id": question.share_id, "account": question.account, "at": now, "latest": True}
    row |= {"post_id": question.post_id, "sent": question.sent}
    told = {"likes": found.likes, "reposts": found.reposts, "replies": found.replies}
    tx.execute(insert(reactions).values(row | told))
    ask_again(tx, question.share_id, at=again)


def rows(
    tx: Connection,
    *,
    account: str = "",
    since: datetime | None = None,
    latest: bool = True,
    share_id: int | None = None,
) -> Iterator[Row]:
    """What people made of the shares, by share and time; ``since`` bounds when a share was sent."""
    wanted: list[ColumnElement[bool]] = [reactions.c.latest] if latest else []
    wanted += [reactions.c.account == account] if account else []
    wanted += [reactions.c.sent >= since] if since else []
    wanted += [reactions.c.share_id == share_id] if share_id is not None else []
    query = (
        select(reactions, shares.c.post_id, shares.c.permalink, shares.c.sent, posts.c.title, posts.c.url)
        .join(shares, shares.c.id == reactions.c.share_id)
        .join(posts, posts.c.id == shares.c.post_id)
        .where(*wanted)
        .order_by(reactions.c.share_id, reactions.c.at)
    )
    for row in tx.execute(query):
        yield _row(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The latest answers of the networks, added up over so many shares that have one."""

    shares: int
    likes: int
    reposts: int
    replies: int


def by_account(tx: Connection, *, account: str, since: datetime) -> dict[str, Sums]:
    """By account, of the shares that were sent since then; only of this account, where one is given."""
    return {row.by: _sums(row) for row in tx.execute(_summed(reactions.c.account, account, since))}


def by_quarter(tx: Connection, *, account: str, since: datetime) -> list[tuple[datetime, tuple[int, ...]]]:
    """The same by the quarter of an hour in which the shares were sent: how many, and what COUNTED names.

    No clock on earth is off by less than a quarter.
    """
    quarter = type_coerce(reactions.c.sent, BigInteger) // (QUARTER // MICROSECOND)
    rows = tx.execute(_summed(quarter, account, since))
    return [(EPOCH + number * QUARTER, tuple(map(int, sums))) for number, *sums in rows]


def by_post(tx: Connection, *, account: str, since: datetime, limit: int) -> list[tuple[int, str, str, Sums]]:
    """The same of the posts that people made most of, the first first: number, title, address, sums."""
    summed = _summed(reactions.c.post_id, account, since).subquery()
    most = sum((summed.c[name] for name in COUNTED[1:]), summed.c[COUNTED[0]])
    best = select(summed).order_by(most.desc(), summed.c.by).limit(limit).subquery()
    query = select(best, posts.c.title, posts.c.url).join(posts, posts.c.id == best.c.by)
    found = [(row.by, row.title, row.url, _sums(row)) for row in tx.execute(query)]
    return sorted(found, key=lambda one: (-(one[3].likes + one[3].reposts + one[3].replies), one[0]))


def _summed(by: ColumnElement[Any], account: str, since: datetime) -> Select[Any]:
    """One walk through what an index holds of that time, however much there is of others."""
    sums = [func.coalesce(func.sum(reactions.c[name]), 0).label(name) for name in COUNTED]
    query = select(by.label("by"), func.count().label("shares"), *sums)
    query = query.where(reactions.c.latest, reactions.c.sent >= since).group_by(by)
    return query.where(reactions.c.account == account) if account else query


def _sums(row: Any) -> Sums:
    return Sums(shares=row.shares, **{name: int(getattr(row, name)) for name in COUNTED})


def _row(row: Any) -> Row:
    return Row(
        share_id=row.share_id,
        account=row.account,
        post_id=row.post_id,
        title=row.title,
        url=row.url,
        permalink=row.permalink or "",
        sent=row.sent,
        at=row.at,
        reactions=Reactions(likes=row.likes, reposts=row.reposts, replies=row.replies),
    )
