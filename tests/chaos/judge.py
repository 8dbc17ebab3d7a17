"""The judge: what the networks took, against what the database says. The ledgers are the truth."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from reverberate.desk import Desk
from reverberate.model import ShareState
from reverberate.policy import CRASHES
from reverberate.store import Store, journal, posts, shares

if TYPE_CHECKING:
    from chaos.place import Place
    from reverberate.model import Share

TITLE = re.compile(r"Post \d{4}")
DONE = {ShareState.SENT, ShareState.REFUSED, ShareState.SKIPPED}
ALL = 10_000_000


@dataclass(frozen=True)
class Seen:
    """A post on a network: its id there, and when it was taken."""

    remote_id: str
    at: datetime


@dataclass(kw_only=True)
class Judgement:
    """What was found; ``wrong`` is empty if the service kept its word."""

    states: Counter[str]
    unsure: Counter[bool] = field(default_factory=Counter)
    """On the blind network: how many of them the network has, and has not."""
    duplicates: int = 0
    lost: int = 0
    false: int = 0
    tries: int = 0
    looks: int = 0
    late: list[float] = field(default_factory=list)
    """Seconds from when each was wanted to when the network took it."""
    wrong: list[str] = field(default_factory=list)


def at_rest(place: Place, *, expected: int) -> bool:
    """Whether all shares are there and none waits for anything but a person."""
    store = Store(place.database)
    try:
        with store.read() as tx:
            found = shares.find(tx, limit=ALL)
    finally:
        store.close()
    return len(found) >= expected and not any(_moves(one) for one in found)


def _moves(share: Share) -> bool:
    moving = share.state in {ShareState.SCHEDULED, ShareState.SENDING}
    return moving or share.wake is not None or share.lease is not None


def person(place: Place) -> int:
    """Settle what three workers died over, by looking at the network, as its owner would. How many there were."""
    taken, store = _taken(place), Store(place.database)
    try:
        with store.read() as tx:
            asked = [one for one in shares.find(tx, state=ShareState.UNSURE, limit=ALL) if _asks(one, place)]
            titles = _titles(tx, asked)
        for share in asked:
            if taken[share.account, titles[share.post_id]]:
                Desk(store).resolve_sent(share.id)
            else:
                Desk(store).resolve_resend(share.id)
    finally:
        store.close()
    return len(asked)


def _asks(share: Share, place: Place) -> bool:
    parked = share.wake is None and share.lease is None and share.crashes >= CRASHES
    return parked and place.accounts[share.account] != "blind"


def _titles(tx: object, several: list[Share]) -> dict[int, str]:
    found = {one.post_id: posts.get(tx, one.post_id) for one in several}  # type: ignore[arg-type]
    return {number: known.post.title for number, known in found.items() if known}


def _taken(place: Place) -> defaultdict[tuple[str, str], list[Seen]]:
    taken: defaultdict[tuple[str, str], list[Seen]] = defaultdict(list)
    for account, text, remote_id, at in place.accepted():
        found = TITLE.search(text)
        taken[account, found[0] if found else text].append(Seen(remote_id, datetime.fromisoformat(at)))
    return taken


def judge(place: Place, *, expected: int) -> Judgement:
    """Every share, against every post that a network ever took."""
    taken, store = _taken(place), Store(place.database)
    try:
        with store.read() as tx:
            found = shares.find(tx, limit=ALL)
            titles = _titles(tx, found)
            given = Judgement(states=Counter(one.state for one in found))
            for share in found:
                story = journal.attempts_of(tx, share.id)
                given.tries += sum(one.kind == "send" for one in story)
                given.looks += sum(one.kind == "look" for one in story)
                if faults := _one(given, share, place, taken.pop((share.account, titles[share.post_id]), [])):
                    told = [(one.kind, one.fence, str(one.started), one.outcome, one.words) for one in story]
                    given.wrong.append(f"share {share.id} on {share.account}: {faults}: {share.reason!r} {told}")
            _whole(given, tx, place)
    finally:
        store.close()
    if len(found) != expected:
        given.wrong.append(f"{len(found)} shares were planned instead of {expected}")
    given.wrong += [f"nobody's post on {account}: {title}" for (account, title), seen in taken.items() if seen]
    return given


def _one(given: Judgement, share: Share, place: Place, seen: list[Seen]) -> list[str]:
    """What is wrong with one share."""
    blind, wrong = place.accounts[share.account] == "blind", []
    if len(seen) > 1:
        given.duplicates += 1
        wrong.append(f"posted {len(seen)} times")
    if share.state not in DONE and not (blind and share.state is ShareState.UNSURE):
        given.lost += 1
        wrong.append(f"is still {share.state}")
    if share.state in DONE and (share.state is ShareState.SENT) != bool(seen):
        given.false += 1
        wrong.append(f"{share.state} is false: the network has it {len(seen)} times")
    if share.state is ShareState.UNSURE:
        given.unsure[bool(seen)] += 1
    given.late += [(one.at - share.wanted).total_seconds() for one in seen]
    by_hand = "by hand" in share.reason
    if share.receipt and seen and not by_hand and share.receipt.remote_id != seen[0].remote_id:
        wrong.append(f"its receipt names {share.receipt.remote_id} instead of {seen[0].remote_id}")
    if seen and min(one.at for one in seen) < share.wanted.replace(microsecond=share.wanted.microsecond // 1000 * 1000):
        wrong.append("it came before its time")
    return wrong


def _whole(given: Judgement, tx: object, place: Place) -> None:
    if place.database.startswith("sqlite"):
        told = tx.execute(sql("PRAGMA integrity_check")).scalar_one()  # type: ignore[attr-defined]
        if told != "ok":
            given.wrong.append(f"the database is damaged: {told}")
