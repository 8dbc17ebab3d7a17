"""What is to come, as plain values: next slots, next shares in their words, and what another config would move."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from reverberate.errors import ReverberateError
from reverberate.model import ShareState
from reverberate.schedule import DAYS, fixed, openings
from reverberate.store import bookings, posts, shares
from reverberate.timetable import Timetable
from reverberate.walltime import wall_of

MOVABLE = 1000

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from reverberate.model import Message, Post, Share
    from reverberate.schedule import Moment
    from reverberate.service import Service
    from reverberate.store import Transaction


def coming(service: Service, account: str, *, since: datetime, number: int) -> list[dict[str, Any]]:
    """The account's next slots, each with the share that has it; where it has none, when the next shares would go.

    Raises:
        ReverberateError: there is no such account.
    """
    schedule, zone = service.accounts.get(account).schedule, service.config.zone
    with service.store.read() as tx:
        if schedule.slots:
            slots = list(islice(openings(schedule, zone=zone, since=since), number))
            holders = bookings.holders(tx, account, [slot.wall for slot in slots if slot.wall])
            return [_slot(slot, zone, share=holders.get(slot.wall) if slot.wall else None) for slot in slots]
        table, asked = Timetable(tx, zone), number if schedule.booked else 1
        return [
            _slot(table.place(account, schedule, since=since + schedule.delay), zone, share=None) for _ in range(asked)
        ]


def _slot(moment: Moment, zone: ZoneInfo, *, share: int | None) -> dict[str, Any]:
    shown, wall = wall_of(moment.due, zone), moment.wall
    meant = wall if wall is not None else shown
    skipped = wall is not None and wall != shown
    return {
        "at": local(moment.due, zone),
        "slot": f"{DAYS[meant.weekday()]} {meant:%H:%M}",
        "free": share is None,
        "share": share,
        "note": f"the clock skips {meant:%H:%M} on this day" if skipped else "",
    }


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant on the blogger's clock: ISO 8601 with its offset, to the second."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def upcoming(service: Service, *, limit: int) -> list[dict[str, Any]]:
    """The shares that wait, the soonest first, in the words that they have or would have now."""
    wanted = shares.Wanted(states=(ShareState.SCHEDULED, ShareState.HELD))
    with service.store.read() as tx:
        found = [
            (share, posts.get(tx, share.post_id), shares.message(tx, share.id))
            for share in shares.listed(tx, wanted, limit=limit, soonest=True)
        ]
    return [_coming(service, share, known.post, frozen) for share, known, frozen in found if known]


def _coming(service: Service, share: Share, post: Post, frozen: Message | None) -> dict[str, Any]:
    row = {"share": share.id, "post": share.post_id, "title": post.title, "account": share.account}
    row |= {"at": local(share.due, service.config.zone), "state": share.state.value, "reason": share.reason}
    try:
        state, reason, _ = service.fate(post, share.account)
        if state is ShareState.SKIPPED and frozen is None:
            row["reason"] = f"planned, but now {reason}"
        message = frozen or service.accounts.preview(share.account, post, slot=share.slot)[0].message
    except ReverberateError as error:
        return row | {"parts": [], "problem": str(error)}
    return row | {"parts": list(message.parts), "problem": ""}


def of_preview(service: Service, title: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A preview of a post of that title, as a share that is to come."""
    at = local(datetime.fromisoformat(row["due"]), service.config.zone) if row["due"] else ""
    told = {"share": None, "post": None, "title": title, "account": row["account"], "at": at}
    told |= {key: row[key] for key in ("state", "reason", "problem")}
    return told | {"parts": [part["text"] for part in row["parts"]]}


def moves(service: Service, tx: Transaction, *, apply: bool = False) -> list[dict[str, Any]]:
    """What the present config would place otherwise than it is planned; with ``apply`` it is placed so.

    Times that a person named, further shares of a post, and what was tried already stay as they are. Freed slots count
    as free. No more than MOVABLE shares of an account are looked at, the soonest.
    """
    posts.lock(tx)
    return [row for name in service.config.accounts for row in _moves(service, tx, name, apply=apply)]


def _moves(service: Service, tx: Transaction, account: str, *, apply: bool) -> Iterator[dict[str, Any]]:
    now, zone = service.now(), service.config.zone
    found = bookings.movable(tx, account, since=now, limit=MOVABLE)
    table = Timetable(tx, zone, but={share.id for share, _ in found})
    for share, post in found:
        when = _replaced(service, table, share, post, now=now)
        if when is None or when.due == share.wanted:
            continue
        row = {"share": share.id, "post": share.post_id, "title": post.title, "account": account}
        row |= {"from": local(share.wanted, zone), "to": local(when.due, zone)}
        if not apply or bookings.move(tx, share, when, zone=zone.key, now=now, reason="the config changed"):
            yield row


def _replaced(service: Service, table: Timetable, share: Share, post: Post, *, now: datetime) -> Moment | None:
    """Where the share would be placed now; None where that cannot be told."""
    try:
        said = service.accounts.said(share.account, post)
    except ReverberateError:
        return None
    if said.at is not None:
        return table.book(share.account, fixed(said.at, service.config.zone))
    since = share.planned + service.wait(share.account, said)
    schedule = service.accounts.get(share.account).schedule
    return table.place(share.account, schedule, since=since, after=now, key=share.key)
