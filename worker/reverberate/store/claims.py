"""Claims: shares found when due, taken under a lease, delivered in steps, settled. Each change is conditional."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, tuple_, update

from reverberate.model import Message, ShareState, Step, Work
from reverberate.store import chores, codec, turns, watch
from reverberate.store.many import Many
from reverberate.store.posts import insert_for, insert_new
from reverberate.store.tables import attempts, messages, micros, posts, shares, steps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from reverberate.model import JSON, Post
    from reverberate.store.turns import Allowance

RING_AGAIN = timedelta(seconds=10)
"""A share that was handed over and not claimed is handed over again after this, and then ever more seldom.

It is no hurry: where the first word was lost, the workers' pollers find the share within two seconds.
"""
RING_SELDOM = timedelta(seconds=60)


_INTENT = ("share_id", "number", "kind", "fence", "started")
_INTEND = Many(lambda _: insert(attempts).values({name: bindparam(name) for name in _INTENT}))
_FROZEN: dict[str, Any] = {name: bindparam(name) for name in ("share_id", "frozen", "body")}
_FREEZE = Many(lambda dialect: insert_for(dialect, messages).values(_FROZEN).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's wish to deliver (``kind`` "send") or look up ("look") a share that is in ``state``.

    ``message`` is frozen with the first claim; a later claim gets the one frozen then. ``allowance`` is what its
    account may do at all. ``fence`` is the share's number as the worker read it: if anybody claimed the share since
    then, what was read (its steps, above all) is out of date, and the wish is not granted. None does not care.
    """

    share_id: int
    kind: str
    state: ShareState
    message: Message
    allowance: Allowance | None = None
    fence: int | None = None


def next_wake(tx: Connection) -> datetime | None:
    """When the next share wants attention; None if none ever does, or all is stopped."""
    if watch.stopped(tx):
        return None
    query = select(shares.c.wake).where(shares.c.wake.is_not(None)).order_by(shares.c.wake).limit(1)
    wakes = (tx.execute(query).scalar_one_or_none(), chores.next_wake(tx))
    return min((wake for wake in wakes if wake), default=None)


def take_due(tx: Connection, *, now: datetime, limit: int) -> list[int]:
    """The numbers of shares to hand over now, oldest first; they come again if nobody claims them."""
    due = (
        select(shares.c.id, shares.c.due)
        .where(shares.c.wake.is_not(None), shares.c.wake <= now)
        .order_by(shares.c.wake, shares.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL: dispatchers side by side; SQLite has one writer anyway
    )
    rows = list(tx.execute(due))
    wakes: dict[datetime, list[int]] = {}
    for row in rows:
        wakes.setdefault(now + min(max(now - row.due, RING_AGAIN), RING_SELDOM), []).append(row.id)
    for wake, ids in wakes.items():  # nearly always all at once: what is handed over for the first time
        tx.execute(update(shares).where(shares.c.id.in_(ids)).values(wake=wake))
    return [*(row.id for row in rows), *chores.take_due(tx, now=now, limit=limit - len(rows))]


def overdue(tx: Connection, *, before: datetime, limit: int) -> list[int]:
    """The numbers of shares that were due before that and that nobody has claimed, handed over or not."""
    if watch.stopped(tx):
        return []
    query = (
        select(shares.c.id)
        .where(shares.c.wake.is_not(None), shares.c.wake <= before + 2 * RING_SELDOM, shares.c.due <= before)
        .order_by(shares.c.wake, shares.c.id)
        .limit(limit)
    )
    found = list(tx.execute(query).scalars())
    return [*found, *chores.overdue(tx, before=before, limit=limit - len(found))]


def work(tx: Connection, ids: Iterable[int]) -> list[Work]:
    """Those of these shares that want attention, with their posts and frozen messages, in the order of their due times.

    A share that was handed over twice is mostly done when the second word of it comes. What is out already comes with
    its chore.
    """
    ids = list(ids)
    wanted = chores.waiting(tx, ids)
    waits = _works(tx, and_(shares.c.id.in_(ids), shares.c.wake.is_not(None), shares.c.lease.is_(None)))
    if not wanted:
        return waits
    out = _works(tx, and_(shares.c.id.in_(list(wanted)), shares.c.wake.is_(None), shares.c.lease.is_(None)))
    return [*waits, *(replace(one, chore=wanted[one.share.id]) for one in out)]


def _works(tx: Connection, which: ColumnElement[bool]) -> list[Work]:
    query = (
        select(shares, messages.c.body.label("message_body"))
        .outerjoin(messages, messages.c.share_id == shares.c.id)
        .where(which)
        .order_by(shares.c.due, shares.c.id)
    )
    rows = list(tx.execute(query))
    shared = _posts(tx, {row.post_id for row in rows})
    done = steps_of(tx, [row.id for row in rows if row.fence])
    return [
        Work(
            share=codec.load_share(row),
            post=shared[row.post_id],
            message=None if row.message_body is None else codec.load_message(row.message_body),
            steps=done.get(row.id, {}),
        )
        for row in rows
    ]


def _posts(tx: Connection, ids: Collection[int]) -> Mapping[int, Post]:
    """These posts, each read once, on however many accounts it is shared."""
    query = select(posts.c.id, posts.c.body).where(posts.c.id.in_(ids))
    return {row.id: codec.load_post(row.body) for row in tx.execute(query)}


def steps_of(tx: Connection, ids: Sequence[int]) -> Mapping[int, dict[str, Step]]:
    """The steps of these shares that are done, by share and name."""
    found: dict[int, dict[str, Step]] = {}
    if ids:
        for row in tx.execute(select(steps).where(steps.c.share_id.in_(ids))):
            found.setdefault(row.share_id, {})[row.name] = Step(answer=row.answer, at=row.at)
    return found


def record(tx: Connection, share_id: int, fence: int, name: str, answer: Mapping[str, JSON], *, now: datetime) -> bool:
    """Keep a step that is done; what the network answered is the truth whoever holds the share.

    But of a post that was taken back since, nothing is kept that a later one would build on. Returns whether the share
    is still held under that fence.
    """
    held = select(shares.c.id).where(shares.c.id == share_id, shares.c.fence == fence, shares.c.lease.is_not(None))
    ours = tx.execute(held).first() is not None
    if ours or not chores.taken_back(tx, share_id, since=fence):
        tx.execute(insert_new(tx, steps), [{"share_id": share_id, "name": name, "at": now, "answer": dict(answer)}])
    return ours


def claim(
    tx: Connection, claims: Sequence[Claim], *, owner: str, lease: datetime, now: datetime
) -> dict[int, tuple[int, Message]]:
    """Take shares for one worker: claim, freeze the message, journal the intent.

    Returns:
        For each share that was won: its new fence, and the message to send, which is the one frozen first.
        A share that is missing belongs to somebody else, is not to be sent any more, or has to wait its turn; while
        all is stopped, every one is.
    """
    if watch.stopped(tx):
        return {}
    ready = [wish for wish in claims if _may(tx, wish, now=now)]
    fences = _take(tx, ready, owner=owner, lease=lease, now=now)
    won = [wish for wish in ready if wish.share_id in fences]
    if not won:
        return {}
    turns.take(tx, [w.allowance for w in won if _heeds(w) and w.allowance], now=now)
    frozen = _freeze(tx, won, [share_id for share_id, (fence, _) in fences.items() if fence > 1], now=now)
    intents = [
        {"share_id": w.share_id, "number": fences[w.share_id][1], "kind": w.kind, "fence": fences[w.share_id][0]}
        | {"started": micros(now)}
        for w in won
    ]
    _INTEND.run(tx, intents)
    return {share_id: (fence, frozen[share_id]) for share_id, (fence, _) in fences.items()}


def _freeze(tx: Connection, won: Sequence[Claim], again: Sequence[int], *, now: datetime) -> dict[int, Message]:
    """Keep each message, unless one was frozen before (``again``): the one that counts, by share."""
    rows = [{"share_id": w.share_id, "frozen": micros(now), "body": codec.written_message(w.message)} for w in won]
    _FREEZE.run(tx, rows)
    bodies = {w.share_id: w.message for w in won}
    if again:
        query = select(messages.c.share_id, messages.c.body).where(messages.c.share_id.in_(again))
        bodies |= {row.share_id: codec.load_message(row.body) for row in tx.execute(query)}
    return bodies


def _heeds(wish: Claim) -> bool:
    return wish.kind == "send" and wish.allowance is not None and wish.allowance.bounded


def _may(tx: Connection, wish: Claim, *, now: datetime) -> bool:
    """Whether the account may speak now; if not, the share is put off."""
    if not _heeds(wish) or wish.allowance is None:
        return True
    later = turns.check(tx, wish.allowance, now=now)
    if later is not None:
        put_off(tx, wish.share_id, due=later.due, reason=later.reason)
    return later is None


def put_off(tx: Connection, share_id: int, *, due: datetime, reason: str) -> None:
    """Let a waiting share wait longer."""
    waits = and_(shares.c.id == share_id, shares.c.lease.is_(None), shares.c.wake.is_not(None))
    mine = update(shares).where(waits, shares.c.state == ShareState.SCHEDULED, shares.c.due < due)
    tx.execute(mine.values(due=due, wake=due, reason=reason))


_now = bindparam("now", type_=shares.c.due.type)
_FREE = and_(shares.c.lease.is_(None), shares.c.wake.is_not(None), shares.c.due <= _now)
_HELD: dict[str, Any] = {"fence": shares.c.fence + 1, "wake": None}
_HELD |= {"lease": bindparam("until", type_=shares.c.due.type), "owner": bindparam("who")}
_TAKEN: dict[str, dict[str, Any]] = {
    "look": _HELD | {"looks": shares.c.looks + 1},
    "send": _HELD
    | {"state": ShareState.SENDING, "tries": shares.c.tries + 1, "looks": 0, "changed": _now}
    | {"first_try": func.coalesce(shares.c.first_try, _now)},
}
_READ = tuple_(shares.c.id, shares.c.fence).in_(bindparam("read", expanding=True))
_WHATEVER = shares.c.id.in_(bindparam("whatever", expanding=True))
_TAKE = {
    kind: update(shares)
    .where(or_(_READ, _WHATEVER), shares.c.state == bindparam("was"), _FREE)
    .values(values)
    .returning(shares.c.id, shares.c.fence, shares.c.tries)
    for kind, values in _TAKEN.items()
}
"""Written once, for building a statement costs more than running it."""


def _take(
    tx: Connection, claims: Sequence[Claim], *, owner: str, lease: datetime, now: datetime
) -> dict[int, tuple[int, int]]:
    """The fence and the number of tries of each share that nobody claimed since it was read."""
    taken: dict[int, tuple[int, int]] = {}
    for kind, state in sorted({(wish.kind, wish.state) for wish in claims}):
        mine = [wish for wish in claims if (wish.kind, wish.state) == (kind, state)]
        read = [(wish.share_id, wish.fence) for wish in mine if wish.fence is not None]
        whatever = [wish.share_id for wish in mine if wish.fence is None]
        given = {"read": read, "whatever": whatever, "was": state, "now": now, "until": lease, "who": owner}
        taken.update({row.id: (row.fence, row.tries) for row in tx.execute(_TAKE[kind], given)})
    return taken


def renew(tx: Connection, ids: Sequence[int], *, owner: str, lease: datetime) -> set[int]:
    """Prolong a worker's claims of these shares. Returns those that were still its own."""
    held = and_(shares.c.id.in_(ids), shares.c.lease.is_not(None), shares.c.owner == owner)
    return set(tx.execute(update(shares).where(held).values(lease=lease).returning(shares.c.id)).scalars())
