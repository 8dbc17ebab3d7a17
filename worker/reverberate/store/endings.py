"""Endings: what attempts came to is written down, and what dead workers left is turned into questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, insert, literal_column, null, select, tuple_, update

from reverberate.model import Receipt, ShareState
from reverberate.policy import CRASHES
from reverberate.store import chores, watch
from reverberate.store.many import Many
from reverberate.store.tables import accounts, attempts, events, micros, shares, untold
from reverberate.store.told import TOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

FIRST_ASK = timedelta(hours=1)
"""How long after it is sent a share's network is first asked what people made of it."""


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


# These statements are written once: building one costs more than running it.
_HELD = (
    select(shares.c.id, shares.c.fence, shares.c.lease, shares.c.state, shares.c.account, shares.c.wanted)
    .where(shares.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_CAME_TO = ("outcome", "status", "words", "next_try", "ended")
_ATTEMPTS_END = (
    update(attempts)
    .where(tuple_(attempts.c.share_id, attempts.c.fence).in_(bindparam("mine", expanding=True)))
    .values({name: bindparam(name) for name in _CAME_TO})
)
_GIVEN = ("state", "wake", "reason", "remote_id", "permalink", "changed", "ask")
_KEPT = {
    "due": func.coalesce(bindparam("due", type_=shares.c.due.type), shares.c.due),
    "sent": func.coalesce(shares.c.sent, bindparam("sent", type_=shares.c.sent.type)),
    "tries": shares.c.tries - bindparam("uncounted"),
}
_FREED: dict[str, Any] = {"lease": null(), "owner": literal_column("''"), "crashes": literal_column("0")}
_SAID = ("at", "kind", "share_id", "account", "words", "untold")
_SETTLE = Many(
    lambda _: (
        update(shares)
        .where(shares.c.id == bindparam("b_share"))
        .values({name: bindparam(name) for name in _GIVEN} | _KEPT | _FREED)
    )
)
_TELL = Many(lambda _: insert(events).values({name: bindparam(name) for name in _SAID}))
_SILENCE = (
    update(shares)
    .where(shares.c.id.in_(bindparam("ids", expanding=True)))
    .where(shares.c.account.in_(select(accounts.c.name).where(accounts.c.paused.is_not(None))))
    .values(wake=None)
)


def settle(tx: Connection, endings: Sequence[Ending]) -> set[int]:
    """Write what attempts came to. Returns the shares whose state it set; the rest were no longer ours."""
    _journal(tx, endings)
    rows = _still_ours(tx, endings)
    held = [ending for ending in endings if ending.share_id in rows]
    if held:
        _SETTLE.run(tx, [_row(e) for e in held])
        _silence_paused(tx, [e.share_id for e in held if e.state in {ShareState.SCHEDULED, ShareState.UNSURE}])
        _TELL.run(tx, [_event(e, rows[e.share_id].account) for e in held])
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
        told = {"outcome": outcome, "status": status, "words": words, "next_try": due}
        told |= {"ended": max(e.now for e in several), "mine": [(e.share_id, e.fence) for e in several]}
        tx.execute(_ATTEMPTS_END, told)


def _silence_paused(tx: Connection, ids: Sequence[int]) -> None:
    """What was on its way when its account was paused waits too."""
    if ids:
        tx.execute(_SILENCE, {"ids": ids})


def _still_ours(tx: Connection, endings: Sequence[Ending]) -> dict[int, Any]:
    """The shares that may still be written, with what is known of them."""
    found = tx.execute(_HELD, {"ids": [e.share_id for e in endings]})
    rows = {row.id: row for row in found}
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
        "state": ending.state.value,
        "due": micros(ending.due),
        "wake": micros(ending.due) if ending.state in {ShareState.SCHEDULED, ShareState.UNSURE} else None,
        "reason": ending.reason,
        "remote_id": receipt.remote_id if receipt else None,
        "permalink": receipt.permalink if receipt else None,
        "changed": micros(ending.now),
        "sent": micros(ending.now) if ending.state is ShareState.SENT else None,
        "ask": micros(ending.now + FIRST_ASK) if ending.state is ShareState.SENT else None,
        "uncounted": 0 if ending.counts else 1,
    }


def _event(ending: Ending, account: str) -> dict[str, Any]:
    kind = f"share {ending.state}"
    told_of = {"share_id": ending.share_id, "account": account, "words": ending.reason or ending.words}
    return told_of | {"at": micros(ending.now), "kind": kind, "untold": untold(kind)}


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
    tx.execute(TOLD, [{"at": now, "kind": "share unsure"} | one for one in mine])
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
