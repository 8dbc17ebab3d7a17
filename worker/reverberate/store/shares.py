"""Shares: planned, found when due, claimed under a lease, settled. Each change is one conditional UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, select, union_all, update

from reverberate.model import Message, Receipt, Share, ShareState
from reverberate.store import codec, tallies
from reverberate.store.claims import RING_SELDOM
from reverberate.store.posts import insert_new
from reverberate.store.spans import within
from reverberate.store.tables import accounts, messages, posts, shares
from reverberate.store.told import TOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement, Connection

    from reverberate.schedule import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShare:
    """A share to be planned: scheduled, or held or skipped for a reason; ``wall`` to ``fixed`` as in Share."""

    post_id: int
    account: str
    due: datetime
    key: str
    wall: datetime | None = None
    zone: str = ""
    spread: int = 0
    fixed: bool = False
    slot: str = ""
    state: ShareState = ShareState.SCHEDULED
    reason: str = ""


_SOURCE = select(posts.c.source).where(posts.c.id == bindparam("of_post")).scalar_subquery()


def plan(tx: Connection, new: Sequence[NewShare], *, now: datetime) -> None:
    """Store shares to come; one that is there already (same post, account and slot) stays as it is."""
    if new:
        states = {row.name: row for row in tx.execute(select(accounts))}
        told = insert_new(tx, shares).values(source=_SOURCE)
        tx.execute(told, [_new(share, states.get(share.account), now=now) for share in new])


def _new(share: NewShare, account: Any, *, now: datetime) -> dict[str, Any]:
    rest = account.rest_until if account is not None else None
    due = max(share.due, rest) if rest else share.due
    waits = share.state is ShareState.SCHEDULED and not (account is not None and account.paused)
    return {
        "post_id": share.post_id,
        "of_post": share.post_id,
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
        "wall": share.wall,
        "zone": share.zone,
        "spread": share.spread,
        "fixed": share.fixed,
    }


def change(
    tx: Connection,
    share_id: int,
    *,
    doors: Iterable[ShareState],
    to: ShareState,
    now: datetime,
    reason: str,
    when: Moment | None = None,
    zone: str = "",
    receipt: Receipt | None = None,
    anew: bool = False,
    event: str = "",
) -> bool:
    """A person's change of one share, if it is in one of the states ``doors`` and in no worker's hands.

    ``when`` is its new time, on the clock of ``zone``.
    ``anew`` forgets the tries so far. ``event`` is how the journal calls it, if not by the new state. Returns whether
    the change was made.
    """
    values: dict[str, Any] = {"state": to, "reason": reason, "changed": now}
    values["wake"] = when.due if when and to in {ShareState.SCHEDULED, ShareState.UNSURE} else None
    values |= _timed(when, zone) if when else {}
    values |= {"remote_id": receipt.remote_id, "permalink": receipt.permalink} if receipt else {}
    values |= {"tries": 0, "first_try": None} if anew else {}
    allowed = and_(shares.c.id == share_id, shares.c.state.in_(list(doors)), shares.c.lease.is_(None))
    done = tx.execute(update(shares).where(allowed).values(values)).rowcount == 1
    if done:
        tx.execute(
            TOLD,
            {"at": now, "kind": event or f"share {to}", "share_id": share_id, "of_share": share_id, "words": reason},
        )
    return done


def _timed(when: Moment, zone: str) -> dict[str, Any]:
    values: dict[str, Any] = {"due": when.due, "wanted": when.due, "wall": when.wall, "fixed": when.fixed}
    return values | {"zone": zone if when.wall else "", "spread": int(when.spread.total_seconds())}


def get(tx: Connection, share_id: int) -> Share | None:
    """One share, or None."""
    row = tx.execute(select(shares).where(shares.c.id == share_id)).one_or_none()
    return None if row is None else codec.load_share(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which shares to list: those in one of the states (in any, when there are none), and of all else that is given.

    ``since`` and ``until`` bound when a share is, or was, due: from the one on, and before the other.
    ``before`` is the place of the last one that was listed: those after it follow.
    """

    states: tuple[ShareState, ...] = ()
    account: str = ""
    source: str = ""
    post_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


def listed(tx: Connection, wanted: Wanted, *, limit: int, soonest: bool = False) -> list[Share]:
    """Shares by when they are due, the latest first; ``soonest`` turns the order around.

    Each state is looked up by itself, in an index that holds its shares in this order, and the few first of each are
    put together: so that a page costs the same among a thousand shares and among a million.
    """
    states, where = wanted.states or tuple(ShareState), _where(wanted)
    alike = [[*where, shares.c.state == state] for state in states]
    if wanted.post_id is not None:
        alike = [[*where, unsought(shares.c.state).in_(states)]]
    places = _places(tx, alike, limit=limit, soonest=soonest)
    page = [share_id for _due, share_id in sorted(places, reverse=not soonest)[:limit]]
    rows = tx.execute(select(shares).where(shares.c.id.in_(page)))
    found = {row.id: codec.load_share(row) for row in rows}
    return [found[share_id] for share_id in page if share_id in found]


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    of_a_post = wanted.post_id is not None
    account, source = (unsought(c) if of_a_post else c for c in (shares.c.account, shares.c.source))
    conditions: list[ColumnElement[bool]] = [shares.c.post_id == wanted.post_id] if of_a_post else []
    conditions += [account == wanted.account] if wanted.account else []
    conditions += [source == wanted.source] if wanted.source else []
    return conditions + within(shares.c.due, shares.c.id, since=wanted.since, until=wanted.until, before=wanted.before)


def unsought(column: Column[str]) -> ColumnElement[str]:
    """The column's value as no index holds it: for what is looked at in the few rows that another index finds.

    Else a database that has not counted its rows, as SQLite has not, may look there for all that is alike.
    """
    return column.concat("")


def _places(
    tx: Connection, alike: Sequence[Sequence[ColumnElement[bool]]], *, limit: int, soonest: bool
) -> list[tuple[datetime, int]]:
    """When the first of each of these are due, and their numbers: the index alone tells, all in one question."""
    order = [shares.c.due, shares.c.id] if soonest else [shares.c.due.desc(), shares.c.id.desc()]
    firsts = [select(shares.c.due, shares.c.id).where(*where).order_by(*order).limit(limit) for where in alike]
    query = union_all(*(select(first.subquery()) for first in firsts)) if len(firsts) > 1 else firsts[0]
    return [(row.due, row.id) for row in tx.execute(query)]


def find(
    tx: Connection, *, state: ShareState | None = None, account: str = "", post_id: int | None = None, limit: int = 50
) -> list[Share]:
    """Shares, newest first by number, by what is given; for small stores and single posts."""
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


def reword(tx: Connection, share_id: int, message: Message, *, doors: Iterable[ShareState], now: datetime) -> bool:
    """Freeze what a person wrote instead of what was to be sent, if the share waits and was not tried yet.

    The fence grows: a worker that has read the share already does not get it with the old words.
    """
    waits = and_(shares.c.state.in_(list(doors)), shares.c.lease.is_(None), shares.c.tries == 0)
    mine = update(shares).where(shares.c.id == share_id, waits).values(fence=shares.c.fence + 1, changed=now)
    if tx.execute(mine).rowcount != 1:
        return False
    unfreeze(tx, share_id)
    tx.execute(insert(messages).values(share_id=share_id, frozen=now, body=codec.dump_message(message)))
    happened = {"at": now, "kind": "share edited", "words": message.text}
    tx.execute(TOLD, happened | {"share_id": share_id, "of_share": share_id})
    return True


def unfreeze(tx: Connection, share_id: int) -> None:
    """Forget the frozen message, so that the next attempt renders anew. Only where nothing can have been posted."""
    tx.execute(messages.delete().where(messages.c.share_id == share_id))


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """How many shares there are by (account, state); costs the same among a thousand and among a million."""
    return tallies.counts(tx)


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
    waiting = and_(shares.c.account == account, _waits(), shares.c.wake.is_not(None))
    tx.execute(update(shares).where(waiting).values(wake=None))


def postpone_account(tx: Connection, account: str, *, until: datetime) -> None:
    """Move the waiting shares of an account to ``until`` where they are earlier."""
    earlier = and_(shares.c.account == account, _waits(), shares.c.wake.is_not(None), shares.c.due < until)
    tx.execute(update(shares).where(earlier).values(due=until, wake=until))


def _waits() -> ColumnElement[bool]:
    return shares.c.state.in_((ShareState.SCHEDULED, ShareState.UNSURE))
