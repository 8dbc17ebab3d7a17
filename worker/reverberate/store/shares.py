"""Shares: planned, found when due, claimed under a lease, settled. Each change is one conditional UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, literal, or_, select, update

from reverberate.model import Message, Receipt, Share, ShareState, Work
from reverberate.store import codec
from reverberate.store.posts import insert_new
from reverberate.store.tables import accounts, attempts, events, messages, posts, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

RING_AGAIN = timedelta(seconds=1.5)
"""A share that was handed over and not claimed is handed over again after this, and then ever more seldom."""
RING_SELDOM = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShare:
    """A share to be planned: scheduled, or held or skipped for a reason."""

    post_id: int
    account: str
    due: datetime
    key: str
    slot: str = ""
    state: ShareState = ShareState.SCHEDULED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's wish to deliver (``kind`` "send") or look up ("look") a share that is in ``state``.

    ``message`` is frozen with the first claim; a later claim gets the one frozen then.
    """

    share_id: int
    kind: str
    state: ShareState
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What an attempt came to, and the state that follows; written only while the claim's fence still holds.

    A receipt is written in any case where the share is not in another worker's hands: it is the truth.
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


def plan(tx: Connection, new: Sequence[NewShare], *, now: datetime) -> None:
    """Store shares to come; one that is there already (same post, account and slot) stays as it is."""
    if new:
        states = {row.name: row for row in tx.execute(select(accounts))}
        tx.execute(insert_new(tx, shares), [_new(share, states.get(share.account), now=now) for share in new])


def _new(share: NewShare, account: Any, *, now: datetime) -> dict[str, Any]:
    rest = account.rest_until if account is not None else None
    due = max(share.due, rest) if rest else share.due
    waits = share.state is ShareState.SCHEDULED and not (account is not None and account.paused)
    return {
        "post_id": share.post_id,
        "account": share.account,
        "slot": share.slot,
        "state": share.state,
        "wanted": share.due,
        "due": due,
        "wake": due if waits else None,
        "key": share.key,
        "planned": now,
        "reason": share.reason,
        "changed": now,
    }


def next_wake(tx: Connection) -> datetime | None:
    """When the next share wants attention; None if none ever does."""
    query = select(shares.c.wake).where(shares.c.wake.is_not(None)).order_by(shares.c.wake).limit(1)
    return tx.execute(query).scalar_one_or_none()


def take_due(tx: Connection, *, now: datetime, limit: int) -> list[int]:
    """The numbers of shares to hand over now, oldest first; they come again if nobody claims them."""
    due = (
        select(shares.c.id, shares.c.due)
        .where(shares.c.wake.is_not(None), shares.c.wake <= now)
        .order_by(shares.c.wake, shares.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL: dispatchers side by side; SQLite has one writer anyway
    )
    again = [
        {"b_id": row.id, "wake": now + min(max(now - row.due, RING_AGAIN), RING_SELDOM)} for row in tx.execute(due)
    ]
    if again:
        tx.execute(update(shares).where(shares.c.id == bindparam("b_id")).values(wake=bindparam("wake")), again)
    return [row["b_id"] for row in again]


def _pause(waited: timedelta) -> timedelta:
    return min(max(waited, RING_AGAIN), RING_SELDOM)


def overdue(tx: Connection, *, before: datetime, limit: int) -> list[int]:
    """The numbers of shares that were due before that and that nobody has claimed, handed over or not."""
    query = (
        select(shares.c.id)
        .where(shares.c.wake.is_not(None), shares.c.wake <= before + 2 * RING_SELDOM, shares.c.due <= before)
        .order_by(shares.c.wake, shares.c.id)
        .limit(limit)
    )
    return list(tx.execute(query).scalars())


def work(tx: Connection, ids: Iterable[int]) -> list[Work]:
    """These shares with their posts and frozen messages, in the order of their due times."""
    query = (
        select(shares, posts.c.body.label("post_body"), messages.c.body.label("message_body"))
        .join(posts, posts.c.id == shares.c.post_id)
        .outerjoin(messages, messages.c.share_id == shares.c.id)
        .where(shares.c.id.in_(list(ids)))
        .order_by(shares.c.due, shares.c.id)
    )
    return [
        Work(
            share=codec.load_share(row),
            post=codec.load_post(row.post_body),
            message=None if row.message_body is None else codec.load_message(row.message_body),
        )
        for row in tx.execute(query)
    ]


def claim(
    tx: Connection, claims: Sequence[Claim], *, owner: str, lease: datetime, now: datetime
) -> dict[int, tuple[int, Message]]:
    """Take shares for one worker: claim, freeze the message, journal the intent.

    Returns:
        For each share that was won: its new fence, and the message to send, which is the one frozen first.
        A share that is missing belongs to somebody else, or is not to be sent any more.
    """
    fences = _take(tx, claims, owner=owner, lease=lease, now=now)
    won = [wish for wish in claims if wish.share_id in fences]
    if not won:
        return {}
    rows = [{"share_id": w.share_id, "frozen": now, "body": codec.dump_message(w.message)} for w in won]
    tx.execute(insert_new(tx, messages), rows)
    frozen = select(messages.c.share_id, messages.c.body).where(messages.c.share_id.in_(fences))
    bodies = {row.share_id: codec.load_message(row.body) for row in tx.execute(frozen)}
    tx.execute(
        insert(attempts),
        [
            {"share_id": w.share_id, "number": fences[w.share_id][1], "kind": w.kind, "fence": fences[w.share_id][0]}
            | {"started": now}
            for w in won
        ],
    )
    return {share_id: (fence, bodies[share_id]) for share_id, (fence, _) in fences.items()}


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
        ids = [wish.share_id for wish in claims if (wish.kind, wish.state) == (kind, state)]
        won = update(shares).where(shares.c.id.in_(ids), shares.c.state == state, free).values(values[kind])
        rows = tx.execute(won.returning(shares.c.id, shares.c.fence, shares.c.tries))
        taken.update({row.id: (row.fence, row.tries) for row in rows})
    return taken


def renew(tx: Connection, *, owner: str, lease: datetime) -> None:
    """Prolong all claims of a worker that is alive."""
    tx.execute(update(shares).where(shares.c.lease.is_not(None), shares.c.owner == owner).values(lease=lease))


def settle(tx: Connection, endings: Sequence[Ending]) -> set[int]:
    """Write what attempts came to. Returns the shares whose state it set; the rest were no longer ours."""
    journal = update(attempts).where(
        attempts.c.share_id == bindparam("b_share"), attempts.c.fence == bindparam("b_fence")
    )
    tx.execute(
        journal.values({name: bindparam(name) for name in ("ended", "outcome", "status", "words", "next_try")}),
        [
            {"b_share": e.share_id, "b_fence": e.fence, "ended": e.now, "outcome": e.outcome, "status": e.status}
            | {"words": e.words, "next_try": e.due}
            for e in endings
        ],
    )
    ours = _still_ours(tx, endings)
    held = [ending for ending in endings if ending.share_id in ours]
    if held:
        columns = ("state", "due", "wake", "reason", "remote_id", "permalink", "changed")
        values: dict[str, Any] = {name: bindparam(name) for name in columns} | {"lease": None, "owner": ""}
        values["due"] = func.coalesce(bindparam("due", type_=shares.c.due.type), shares.c.due)
        tx.execute(update(shares).where(shares.c.id == bindparam("b_share")).values(values), [_row(e) for e in held])
        tx.execute(insert(events), [_event(e) for e in held])
    return ours


def _still_ours(tx: Connection, endings: Sequence[Ending]) -> set[int]:
    held = select(shares.c.id, shares.c.fence, shares.c.lease, shares.c.state).with_for_update()
    rows = {row.id: row for row in tx.execute(held.where(shares.c.id.in_([e.share_id for e in endings])))}
    return {e.share_id for e in endings if e.share_id in rows and _may_write(e, rows[e.share_id])}


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
    }


def _event(ending: Ending) -> dict[str, Any]:
    words = ending.reason or ending.words
    return {"at": ending.now, "kind": f"share {ending.state}", "share_id": ending.share_id, "words": words}


def any_expired(tx: Connection, *, now: datetime) -> bool:
    """Whether a claim's lease has run out."""
    query = select(shares.c.id).where(shares.c.lease.is_not(None), shares.c.lease < now).limit(1)
    return tx.execute(query).first() is not None


def sweep(tx: Connection, *, now: datetime, settle: Callable[[str], timedelta]) -> list[int]:
    """Turn claims whose lease ran out into questions: what they were sending may or may not have arrived.

    ``settle`` tells for an account how long its network's listings need before a look-up is worth anything.
    Returns the shares concerned.
    """
    query = select(shares.c.id, shares.c.account).where(shares.c.lease.is_not(None), shares.c.lease < now)
    lost = [{"b_id": row.id, "due": now + settle(row.account)} for row in tx.execute(query.with_for_update())]
    if not lost:
        return []
    words = "its worker died while sending; looking up what became of it"
    values = {"state": ShareState.UNSURE, "lease": None, "owner": "", "reason": words, "changed": now}
    due: dict[str, Any] = {"due": bindparam("due"), "wake": bindparam("due")}
    tx.execute(update(shares).where(shares.c.id == bindparam("b_id")).values(values | due), lost)
    tx.execute(
        insert(events), [{"at": now, "kind": "share unsure", "share_id": row["b_id"], "words": words} for row in lost]
    )
    return [row["b_id"] for row in lost]


def change(
    tx: Connection,
    share_id: int,
    *,
    doors: Iterable[ShareState],
    to: ShareState,
    now: datetime,
    reason: str,
    due: datetime | None = None,
    receipt: Receipt | None = None,
    anew: bool = False,
) -> bool:
    """A person's change of one share, if it is in one of the states ``doors`` and in no worker's hands.

    ``anew`` forgets the tries so far. Returns whether the change was made.
    """
    values: dict[str, Any] = {"state": to, "reason": reason, "changed": now}
    values["wake"] = due if to in {ShareState.SCHEDULED, ShareState.UNSURE} else None
    values |= {"due": due, "wanted": due} if due else {}
    values |= {"remote_id": receipt.remote_id, "permalink": receipt.permalink} if receipt else {}
    values |= {"tries": 0, "first_try": None} if anew else {}
    allowed = and_(shares.c.id == share_id, shares.c.state.in_(list(doors)), shares.c.lease.is_(None))
    done = tx.execute(update(shares).where(allowed).values(values)).rowcount == 1
    if done:
        tx.execute(insert(events).values(at=now, kind=f"share {to}", share_id=share_id, words=reason))
    return done


def get(tx: Connection, share_id: int) -> Share | None:
    """One share, or None."""
    row = tx.execute(select(shares).where(shares.c.id == share_id)).one_or_none()
    return None if row is None else codec.load_share(row)


def find(
    tx: Connection, *, state: ShareState | None = None, account: str = "", post_id: int | None = None, limit: int = 50
) -> list[Share]:
    """Shares, newest first, by what is given."""
    wanted: list[ColumnElement[bool]] = []
    wanted += [shares.c.state == state] if state else []
    wanted += [shares.c.account == account] if account else []
    wanted += [shares.c.post_id == post_id] if post_id is not None else []
    query = select(shares).where(*wanted).order_by(shares.c.id.desc()).limit(limit)
    return [codec.load_share(row) for row in tx.execute(query)]


def message(tx: Connection, share_id: int) -> Message | None:
    """The frozen message, or None while there is none."""
    body = tx.execute(select(messages.c.body).where(messages.c.share_id == share_id)).scalar_one_or_none()
    return None if body is None else codec.load_message(body)


def unfreeze(tx: Connection, share_id: int) -> None:
    """Forget the frozen message, so that the next attempt renders anew. Only where nothing can have been posted."""
    tx.execute(messages.delete().where(messages.c.share_id == share_id))


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """How many shares there are by (account, state)."""
    query = select(shares.c.account, shares.c.state, func.count()).group_by(shares.c.account, shares.c.state)
    return {(account, state): int(n) for account, state, n in tx.execute(query)}


def oldest_waiting(tx: Connection, *, now: datetime) -> datetime | None:
    """When the share was due that has waited longest for being claimed; None if none waits."""
    waiting = and_(shares.c.wake.is_not(None), shares.c.wake <= now + RING_SELDOM, shares.c.due <= now)
    return tx.execute(select(func.min(shares.c.due)).where(waiting)).scalar_one_or_none()


def wake_account(tx: Connection, account: str) -> None:
    """Let the waiting shares of an account be handed over again."""
    waiting = and_(shares.c.account == account, shares.c.lease.is_(None), _waits())
    tx.execute(update(shares).where(waiting).values(wake=shares.c.due))


def silence_account(tx: Connection, account: str) -> None:
    """Let no waiting share of an account be handed over until ``wake_account``."""
    waiting = and_(shares.c.account == account, shares.c.wake.is_not(None))
    tx.execute(update(shares).where(waiting).values(wake=None))


def postpone_account(tx: Connection, account: str, *, until: datetime) -> None:
    """Move the waiting shares of an account to ``until`` where they are earlier."""
    earlier = and_(shares.c.account == account, shares.c.wake.is_not(None), shares.c.due < until)
    tx.execute(update(shares).where(earlier).values(due=until, wake=until))


def _waits() -> ColumnElement[bool]:
    return or_(shares.c.state == ShareState.SCHEDULED, shares.c.state == ShareState.UNSURE)
