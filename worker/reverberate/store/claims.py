"""Claims: shares found when due, taken under a lease, delivered in steps, settled. Each change is conditional."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, literal, or_, select, tuple_, update

from reverberate.model import Message, Receipt, ShareState, Step, Work
from reverberate.policy import CRASHES
from reverberate.store import chores, codec, turns, watch
from reverberate.store.posts import insert_new
from reverberate.store.tables import accounts, attempts, events, messages, posts, shares, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from reverberate.model import JSON
    from reverberate.store.turns import Allowance

RING_AGAIN = timedelta(seconds=10)
"""A share that was handed over and not claimed is handed over again after this, and then ever more seldom.

It is no hurry: where the first word was lost, the workers' pollers find the share within two seconds.
"""
RING_SELDOM = timedelta(seconds=60)
FIRST_ASK = timedelta(hours=1)
"""How long after it is sent a share's network is first asked what people made of it."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What an attempt came to, and the state that follows; written only while the claim's fence still holds.

    A receipt is written in any case where the share is not in another worker's hands: it is the truth. ``counts`` is
    whether the attempt was a try at all.
    """

    share_id: int
    fence: int
    now: datetime
    state: ShareState
    outcome: str
    due: datetime | None = None
    words: str = ""
    status: int | None = None
    reason: str = ""
    receipt: Receipt | None = None
    counts: bool = True


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
        select(shares, posts.c.body.label("post_body"), messages.c.body.label("message_body"))
        .join(posts, posts.c.id == shares.c.post_id)
        .outerjoin(messages, messages.c.share_id == shares.c.id)
        .where(which)
        .order_by(shares.c.due, shares.c.id)
    )
    rows = list(tx.execute(query))
    done = steps_of(tx, [row.id for row in rows if row.fence])
    return [
        Work(
            share=codec.load_share(row),
            post=codec.load_post(row.post_body),
            message=None if row.message_body is None else codec.load_message(row.message_body),
            steps=done.get(row.id, {}),
        )
        for row in rows
    ]


def steps_of(tx: Connection, ids: Sequence[int]) -> Mapping[int, dict[str, Step]]:
    """The steps of these shares that are done, by share and name."""
    found: dict[int, dict[str, Step]] = {}
    if ids:
        for row in tx.execute(select(steps).where(steps.c.share_id.in_(ids))):
            found.setdefault(row.share_id, {})[row.name] = Step(answer=row.answer, at=row.at)
    return found


def record(tx: Connection, share_id: int, fence: int, name: str, answer: Mapping[str, JSON], *, now: datetime) -> bool:
    """Keep a step that is done; what the network answered is the truth whoever holds the share.

    Returns whether the share is still held under that fence.
    """
    tx.execute(insert_new(tx, steps), [{"share_id": share_id, "name": name, "at": now, "answer": dict(answer)}])
    held = select(shares.c.id).where(shares.c.id == share_id, shares.c.fence == fence, shares.c.lease.is_not(None))
    return tx.execute(held).first() is not None


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
        | {"started": now}
        for w in won
    ]
    tx.execute(insert(attempts), intents)
    return {share_id: (fence, frozen[share_id]) for share_id, (fence, _) in fences.items()}


def _freeze(tx: Connection, won: Sequence[Claim], again: Sequence[int], *, now: datetime) -> dict[int, Message]:
    """Keep each message, unless one was frozen before (``again``): the one that counts, by share."""
    rows = [{"share_id": w.share_id, "frozen": now, "body": codec.dump_message(w.message)} for w in won]
    tx.execute(insert_new(tx, messages), rows)
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


def _take(
    tx: Connection, claims: Sequence[Claim], *, owner: str, lease: datetime, now: datetime
) -> dict[int, tuple[int, int]]:
    free = and_(shares.c.lease.is_(None), shares.c.wake.is_not(None), shares.c.due <= now)
    common = {"fence": shares.c.fence + 1, "lease": lease, "owner": owner, "wake": None}
    values = {
        "look": common | {"looks": shares.c.looks + 1},
        "send": common
        | {"state": ShareState.SENDING, "tries": shares.c.tries + 1, "looks": 0, "changed": now}
        | {"first_try": func.coalesce(shares.c.first_try, literal(now, shares.c.due.type))},
    }
    taken: dict[int, tuple[int, int]] = {}
    for kind, state in sorted({(wish.kind, wish.state) for wish in claims}):
        mine = [wish for wish in claims if (wish.kind, wish.state) == (kind, state)]
        won = update(shares).where(_unchanged(mine), shares.c.state == state, free).values(values[kind])
        rows = tx.execute(won.returning(shares.c.id, shares.c.fence, shares.c.tries))
        taken.update({row.id: (row.fence, row.tries) for row in rows})
    return taken


def _unchanged(wishes: Sequence[Claim]) -> ColumnElement[bool]:
    """The wished shares, where nobody claimed them since they were read."""
    read = [(wish.share_id, wish.fence) for wish in wishes if wish.fence is not None]
    whatever = [wish.share_id for wish in wishes if wish.fence is None]
    return or_(tuple_(shares.c.id, shares.c.fence).in_(read), shares.c.id.in_(whatever))


def renew(tx: Connection, ids: Sequence[int], *, owner: str, lease: datetime) -> set[int]:
    """Prolong a worker's claims of these shares. Returns those that were still its own."""
    held = and_(shares.c.id.in_(ids), shares.c.lease.is_not(None), shares.c.owner == owner)
    return set(tx.execute(update(shares).where(held).values(lease=lease).returning(shares.c.id)).scalars())


def settle(tx: Connection, endings: Sequence[Ending]) -> set[int]:
    """Write what attempts came to. Returns the shares whose state it set; the rest were no longer ours."""
    _journal(tx, endings)
    rows = _still_ours(tx, endings)
    held = [ending for ending in endings if ending.share_id in rows]
    if held:
        columns = ("state", "due", "wake", "reason", "remote_id", "permalink", "changed", "ask")
        values: dict[str, Any] = {name: bindparam(name) for name in columns}
        values |= {"lease": None, "owner": "", "crashes": 0, "tries": shares.c.tries - bindparam("uncounted")}
        values["sent"] = func.coalesce(shares.c.sent, bindparam("sent", type_=shares.c.sent.type))
        values["due"] = func.coalesce(bindparam("due", type_=shares.c.due.type), shares.c.due)
        tx.execute(update(shares).where(shares.c.id == bindparam("b_share")).values(values), [_row(e) for e in held])
        _silence_paused(tx, [e.share_id for e in held if e.state in {ShareState.SCHEDULED, ShareState.UNSURE}])
        tx.execute(told(), [_event(e) for e in held])
        watch.tally(tx, [_came(e, rows[e.share_id]) for e in held])
    return set(rows)


def _came(ending: Ending, row: Any) -> watch.Came:
    late = ending.now - row.wanted if ending.state is ShareState.SENT else None
    return watch.Came(row.account, ending.outcome, late)


def _journal(tx: Connection, endings: Sequence[Ending]) -> None:
    """End the attempts; those that came to the same are ended together."""
    alike: dict[tuple[Any, ...], list[Ending]] = {}
    for e in endings:
        alike.setdefault((e.outcome, e.status, e.words, e.due), []).append(e)
    for (outcome, status, words, due), several in alike.items():
        mine = tuple_(attempts.c.share_id, attempts.c.fence).in_([(e.share_id, e.fence) for e in several])
        told = {"outcome": outcome, "status": status, "words": words, "next_try": due}
        tx.execute(update(attempts).where(mine).values(told | {"ended": max(e.now for e in several)}))


def _silence_paused(tx: Connection, ids: Sequence[int]) -> None:
    """What was on its way when its account was paused waits too."""
    paused = select(accounts.c.name).where(accounts.c.paused.is_not(None))
    if ids:
        tx.execute(update(shares).where(shares.c.id.in_(ids), shares.c.account.in_(paused)).values(wake=None))


def _still_ours(tx: Connection, endings: Sequence[Ending]) -> dict[int, Any]:
    """The shares that may still be written, with what is known of them."""
    columns = (shares.c.id, shares.c.fence, shares.c.lease, shares.c.state, shares.c.account, shares.c.wanted)
    held = select(*columns).with_for_update()
    rows = {row.id: row for row in tx.execute(held.where(shares.c.id.in_([e.share_id for e in endings])))}
    return {e.share_id: rows[e.share_id] for e in endings if e.share_id in rows and _may_write(e, rows[e.share_id])}


def _may_write(ending: Ending, row: Any) -> bool:
    if row.fence == ending.fence and row.lease is not None:
        return True
    # The claim was taken from us. A receipt is still the truth, unless another worker holds the share this moment.
    return ending.receipt is not None and row.lease is None and row.state in {ShareState.UNSURE, ShareState.SCHEDULED}


def _row(ending: Ending) -> dict[str, Any]:
    receipt = ending.receipt
    return {
        "b_share": ending.share_id,
        "state": ending.state,
        "due": ending.due,
        "wake": ending.due if ending.state in {ShareState.SCHEDULED, ShareState.UNSURE} else None,
        "reason": ending.reason,
        "remote_id": receipt.remote_id if receipt else None,
        "permalink": receipt.permalink if receipt else None,
        "changed": ending.now,
        "sent": ending.now if ending.state is ShareState.SENT else None,
        "ask": ending.now + FIRST_ASK if ending.state is ShareState.SENT else None,
        "uncounted": 0 if ending.counts else 1,
    }


def _event(ending: Ending) -> dict[str, Any]:
    words = ending.reason or ending.words
    told_of = {"share_id": ending.share_id, "of_share": ending.share_id}
    return told_of | {"at": ending.now, "kind": f"share {ending.state}", "words": words}


def told() -> Any:
    """An INSERT of events about shares, each with its share's account; ``of_share`` is the share's number once more."""
    account = select(shares.c.account).where(shares.c.id == bindparam("of_share")).scalar_subquery()
    return insert(events).values(account=account)


def any_expired(tx: Connection, *, now: datetime) -> bool:
    """Whether a claim's lease has run out."""
    query = select(shares.c.id).where(shares.c.lease.is_not(None), shares.c.lease < now).limit(1)
    return tx.execute(query).first() is not None


def sweep(tx: Connection, *, now: datetime, settle: Callable[[str], timedelta]) -> list[int]:
    """Turn claims whose lease ran out into questions: what they were sending may or may not have arrived.

    ``settle`` tells for an account how long its network's listings need before a look-up is worth anything.
    Returns the shares concerned.
    """
    expired = and_(shares.c.lease.is_not(None), shares.c.lease < now)
    chores.sweep(tx, expired, now=now)
    query = select(shares.c.id, shares.c.account, shares.c.crashes).where(expired).with_for_update()
    lost = [_lost(row, now=now, settle=settle) for row in tx.execute(query)]
    if not lost:
        return []
    values = {"state": ShareState.UNSURE, "lease": None, "owner": "", "changed": now, "crashes": shares.c.crashes + 1}
    own: dict[str, Any] = {name: bindparam(name) for name in ("due", "wake", "reason")}
    tx.execute(update(shares).where(shares.c.id == bindparam("b_id")).values(values | own), lost)
    mine = [{"share_id": one["b_id"], "of_share": one["b_id"], "words": one["reason"]} for one in lost]
    tx.execute(told(), [{"at": now, "kind": "share unsure"} | one for one in mine])
    _silence_paused(tx, [one["b_id"] for one in lost])
    return [one["b_id"] for one in lost]


def _lost(row: Any, *, now: datetime, settle: Callable[[str], timedelta]) -> dict[str, Any]:
    """What becomes of a share whose worker died; one that kills every worker waits for a person."""
    due = now + settle(row.account)
    if row.crashes + 1 >= CRASHES:
        words = f"{CRASHES} workers died over it; please check whether it is there, then resolve it"
        return {"b_id": row.id, "due": due, "wake": None, "reason": words}
    words = "its worker died while sending; looking up what became of it"
    return {"b_id": row.id, "due": due, "wake": due, "reason": words}
