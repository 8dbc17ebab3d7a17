"""Chores: what is to be done about shares that are out. The share's own claim keeps a chore in one worker's hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, or_, select, update

from reverberate.model import Chore, Message, Receipt, ShareState
from reverberate.store import codec, watch
from reverberate.store.posts import insert_new
from reverberate.store.tables import accounts, attempts, chores, events, messages, shares, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

AGAIN = timedelta(seconds=60)
"""A chore that was handed over and not done is handed over again after this."""
OUT = (ShareState.SENT, ShareState.SENDING, ShareState.UNSURE)
"""States in which a network may hold the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What an attempt at a chore came to; written only while its claim's fence still holds.

    Attributes:
        chore: as it was when it was read.
        fence: the claim's.
        now: when.
        outcome: of the attempt, for the journal.
        words, status: what the network said.
        came: what it means for the chore: "done", "refused", or "" to try again at ``due``.
        due: see above.
        counts: whether it was a try at all.
        reason: why, in words.
        message: what the post says now, after an edit.
        receipt: its proof, after an edit.
        key: the share's next idempotency key, after a deletion.
    """

    chore: Chore
    fence: int
    now: datetime
    outcome: str
    words: str = ""
    status: int | None = None
    came: str = ""
    due: datetime | None = None
    counts: bool = True
    reason: str = ""
    message: Message | None = None
    receipt: Receipt | None = None
    key: str = ""


def ask(tx: Connection, of: Sequence[tuple[int, str]], kind: str, *, by: str, now: datetime, text: str = "") -> None:
    """Let this be done about these shares (number and account); what is asked for already is asked for anew."""
    if not of:
        return
    states = {row.name: row for row in tx.execute(select(accounts))}
    new = {"kind": kind, "by": by, "text": text, "asked": now}
    tx.execute(insert_new(tx, chores), [new | _first(*one, states.get(one[1]), now=now) for one in of])
    again = and_(chores.c.share_id.in_([share_id for share_id, _ in of]), chores.c.kind == kind, _open())
    tx.execute(update(chores).where(again).values(by=by, text=text, asked=now))


def _first(share_id: int, account: str, state: Any, *, now: datetime) -> dict[str, Any]:
    """When it is to be done first: not while its account rests, and while that is paused, not at all."""
    due = max(now, state.rest_until) if state is not None and state.rest_until else now
    paused = state is not None and state.paused is not None
    return {"share_id": share_id, "account": account, "due": due, "wake": None if paused else due}


def out(tx: Connection, post_ids: Sequence[int], names: Iterable[str]) -> list[tuple[int, str, int]]:
    """The shares of these posts, on these accounts, that a network may hold: number, account, post; oldest first."""
    tried = and_(shares.c.state == ShareState.SCHEDULED, shares.c.fence > 0)
    which = and_(shares.c.post_id.in_(post_ids), shares.c.account.in_(list(names)))
    query = select(shares.c.id, shares.c.account, shares.c.post_id).where(which, or_(shares.c.state.in_(OUT), tried))
    return [(row.id, row.account, row.post_id) for row in tx.execute(query.order_by(shares.c.id))]


def of_share(tx: Connection, share_id: int) -> list[Chore]:
    """All that was to be done about a share, first to last."""
    query = select(chores).where(chores.c.share_id == share_id).order_by(chores.c.id)
    return [codec.load(Chore, row) for row in tx.execute(query)]


def next_wake(tx: Connection) -> datetime | None:
    """When the next chore wants attention; None if none does."""
    query = select(chores.c.wake).where(chores.c.wake.is_not(None)).order_by(chores.c.wake).limit(1)
    return tx.execute(query).scalar_one_or_none()


def take_due(tx: Connection, *, now: datetime, limit: int) -> list[int]:
    """The numbers of the shares whose chores are to be handed over now; they come again if nobody does them."""
    due = select(chores.c.id, chores.c.share_id).where(chores.c.wake.is_not(None), chores.c.wake <= now)
    query = due.order_by(chores.c.wake, chores.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = list(tx.execute(query)) if limit > 0 else []
    if rows:
        tx.execute(update(chores).where(chores.c.id.in_([row.id for row in rows])).values(wake=now + AGAIN))
    return list(dict.fromkeys(row.share_id for row in rows))


def overdue(tx: Connection, *, before: datetime, limit: int) -> list[int]:
    """The numbers of the shares whose chores were due before that and that nobody has done, handed over or not."""
    late = and_(chores.c.wake.is_not(None), chores.c.wake <= before + 2 * AGAIN, chores.c.due <= before)
    query = select(chores.c.share_id).where(late).order_by(chores.c.wake, chores.c.id).limit(limit)
    return list(dict.fromkeys(tx.execute(query).scalars())) if limit > 0 else []


def waiting(tx: Connection, ids: Sequence[int]) -> dict[int, Chore]:
    """The chore of each of these shares that wants attention; a deletion goes before an edit."""
    query = select(chores).where(chores.c.share_id.in_(ids), chores.c.wake.is_not(None)).order_by(chores.c.kind.desc())
    return {row.share_id: codec.load(Chore, row) for row in tx.execute(query)}


def claim(tx: Connection, chore: Chore, *, fence: int, owner: str, lease: datetime, now: datetime) -> int | None:
    """Take a share that is out into one worker's hands, and journal what is intended; None if it is not to be had.

    Whoever takes a share back has no use for edits that wait.
    """
    if watch.stopped(tx):
        return None
    free = and_(shares.c.id == chore.share_id, shares.c.state == ShareState.SENT, shares.c.lease.is_(None))
    held = tx.execute(select(shares.c.id).where(free, shares.c.fence == fence).with_for_update()).first()
    mine = and_(chores.c.id == chore.id, _open(), chores.c.due <= now)
    took = update(chores).where(mine).values(tries=chores.c.tries + 1, wake=None).returning(chores.c.tries)
    tries = tx.execute(took).scalar_one_or_none() if held else None
    if tries is None:
        return None
    if chore.kind == "delete":
        others = and_(chores.c.share_id == chore.share_id, chores.c.id != chore.id, _open())
        tx.execute(update(chores).where(others).values(ended=now, wake=None, outcome="dropped"))
    taken = update(shares).where(shares.c.id == chore.share_id).values(fence=fence + 1, lease=lease, owner=owner)
    tx.execute(taken)
    intent = {"share_id": chore.share_id, "number": tries, "kind": chore.kind, "fence": fence + 1, "started": now}
    tx.execute(insert(attempts).values(intent))
    return fence + 1


def settle(tx: Connection, one: Finish) -> bool:
    """Write what an attempt came to; whether the claim still held. If not, it is done again, which harms nothing."""
    told = {"ended": one.now, "outcome": one.outcome, "status": one.status, "words": one.words, "next_try": one.due}
    journalled = and_(attempts.c.share_id == one.chore.share_id, attempts.c.fence == one.fence)
    tx.execute(update(attempts).where(journalled).values(told))
    held = and_(shares.c.id == one.chore.share_id, shares.c.fence == one.fence, shares.c.lease.is_not(None))
    if tx.execute(update(shares).where(held).values(lease=None, owner="", **_changed(one))).rowcount != 1:
        return False
    if one.came == "done":
        _keep(tx, one)
    if one.came:
        end(tx, one.chore, one.came, now=one.now, reason=one.reason)
    else:
        put_off(tx, one.chore, due=one.due or one.now, reason=one.reason, counts=one.counts)
    return True


def taken_back(tx: Connection, share_id: int, *, since: int) -> bool:
    """Whether what was sent under this fence was deleted on the network, by a later claim."""
    later = and_(attempts.c.share_id == share_id, attempts.c.fence > since, attempts.c.kind == "delete")
    return tx.execute(select(attempts.c.fence).where(later, attempts.c.outcome == "receipt")).first() is not None


def _changed(one: Finish) -> dict[str, Any]:
    """What becomes of the share itself."""
    if one.came != "done":
        return {}
    if one.chore.kind == "delete":
        gone = {"state": ShareState.CANCELLED, "reason": "deleted on the network", "wake": None, "changed": one.now}
        return gone | {"remote_id": None, "permalink": None, "key": one.key, "tries": 0, "first_try": None}
    receipt = one.receipt
    return {"remote_id": receipt.remote_id, "permalink": receipt.permalink} if receipt else {}


def _keep(tx: Connection, one: Finish) -> None:
    """What the post says now; of one that is gone, nothing is there for a later attempt to build on."""
    share_id = one.chore.share_id
    if one.chore.kind == "delete":
        tx.execute(delete(steps).where(steps.c.share_id == share_id))
    elif one.message:
        said = update(messages).where(messages.c.share_id == share_id)
        tx.execute(said.values(body=codec.dump_message(one.message), frozen=one.now))


def end(tx: Connection, chore: Chore, outcome: str, *, now: datetime, reason: str = "", share: str = "") -> None:
    """A chore has come to this. One that was asked for anew meanwhile goes on.

    ``share`` is the event that is told instead of the usual one.
    """
    mine = and_(chores.c.id == chore.id, _open())
    if chore.kind == "edit":
        anew = and_(mine, chores.c.asked > chore.asked)
        if tx.execute(update(chores).where(anew).values(due=now, wake=now)).rowcount:
            return
    ended = update(chores).where(mine).values(ended=now, wake=None, outcome=outcome, reason=reason)
    if tx.execute(ended).rowcount and (kind := share or _event(chore, outcome)):
        told = {"share_id": chore.share_id, "account": chore.account, "words": reason}
        tx.execute(insert(events).values(at=now, kind=kind, **told))


def _event(chore: Chore, outcome: str) -> str:
    """What people are told; nothing where an edited post makes no difference."""
    if outcome == "done":
        return "share deleted" if chore.kind == "delete" else "share edited"
    if outcome == "refused" or chore.by == "hand":
        return f"{chore.kind} {outcome}"
    return ""


def put_off(tx: Connection, chore: Chore, *, due: datetime, reason: str, counts: bool = True) -> None:
    """Let it be done later; while its account is paused it waits for the owner."""
    paused = select(accounts.c.name).where(accounts.c.name == chore.account, accounts.c.paused.is_not(None))
    wake = None if tx.execute(paused).first() else due
    values = {"due": due, "wake": wake, "reason": reason, "tries": chores.c.tries - (0 if counts else 1)}
    tx.execute(update(chores).where(chores.c.id == chore.id, _open()).values(values))


def sweep(tx: Connection, expired: ColumnElement[bool], *, now: datetime) -> None:
    """Give back what dead workers had in hand: a chore that was perhaps done is done again, which harms nothing."""
    lost = update(shares).where(expired, shares.c.state == ShareState.SENT).values(lease=None, owner="")
    ids = list(tx.execute(lost.returning(shares.c.id)).scalars())
    if ids:
        due = {"due": now + AGAIN, "wake": now + AGAIN, "reason": "its worker died; it is done again"}
        tx.execute(update(chores).where(chores.c.share_id.in_(ids), _open()).values(due))
        paused = select(accounts.c.name).where(accounts.c.paused.is_not(None))
        tx.execute(update(chores).where(chores.c.share_id.in_(ids), chores.c.account.in_(paused)).values(wake=None))


def wake_account(tx: Connection, account: str) -> None:
    """Let what waits on an account be handed over again."""
    tx.execute(update(chores).where(chores.c.account == account, _open()).values(wake=chores.c.due))


def silence_account(tx: Connection, account: str) -> None:
    """Let nothing that waits on an account be handed over until ``wake_account``."""
    tx.execute(update(chores).where(chores.c.account == account, _open()).values(wake=None))


def postpone_account(tx: Connection, account: str, *, until: datetime) -> None:
    """Move what waits on an account to ``until`` where it is earlier."""
    earlier = and_(chores.c.account == account, chores.c.wake.is_not(None), chores.c.due < until)
    tx.execute(update(chores).where(earlier).values(due=until, wake=until))


def _open() -> ColumnElement[bool]:
    return chores.c.ended.is_(None)
