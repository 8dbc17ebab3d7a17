"""For those who watch: signs of life, the switch that stops everything, and tallies of what attempts came to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from reverberate.store.many import Many
from reverberate.store.posts import insert_for, insert_new
from reverberate.store.tables import shares
from reverberate.store.tables_watch import outcomes, pulses, switches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

STOPPED = "stopped"
"""The switch under which nothing is handed over and no claim is granted."""
_STOPPED = select(switches.c.at).where(switches.c.name == STOPPED)
LATE = (1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)
"""The bounds of the histogram of lateness, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A process's last sign of life."""

    name: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Something that a person switched on: since when, and why."""

    name: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something came of an account's attempts, and how much time that makes."""

    account: str
    what: str
    key: str
    number: int
    micros: int


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one attempt: its outcome, and how late the share was if it is sent now."""

    account: str
    outcome: str
    late: timedelta | None = None


def beat(tx: Connection, name: str, role: str, *, now: datetime) -> None:
    """A process lives."""
    tx.execute(insert_new(tx, pulses), [{"name": name, "role": role, "at": now}])
    tx.execute(update(pulses).where(pulses.c.name == name).values(at=now))


def leave(tx: Connection, name: str) -> None:
    """A process ends of its own accord."""
    tx.execute(delete(pulses).where(pulses.c.name == name))


def bury(tx: Connection, *, before: datetime) -> None:
    """Forget processes that gave no sign of life since then."""
    tx.execute(delete(pulses).where(pulses.c.at < before))


def alive(tx: Connection, *, since: datetime) -> list[Pulse]:
    """The processes that gave a sign of life since then."""
    query = select(pulses).where(pulses.c.at >= since).order_by(pulses.c.role, pulses.c.name)
    return [Pulse(name=row.name, role=row.role, at=row.at) for row in tx.execute(query)]


def switch_on(tx: Connection, name: str, *, now: datetime, words: str = "") -> None:
    """Switch it on; one that is on already stays as it is."""
    tx.execute(insert_new(tx, switches), [{"name": name, "at": now, "words": words}])


def switch_off(tx: Connection, name: str) -> bool:
    """Switch it off; whether it was on."""
    return bool(tx.execute(delete(switches).where(switches.c.name == name)).rowcount)


def switched(tx: Connection, name: str) -> Switch | None:
    """The switch if it is on."""
    row = tx.execute(select(switches).where(switches.c.name == name)).one_or_none()
    return None if row is None else Switch(name=row.name, at=row.at, words=row.words)


def stopped(tx: Connection) -> bool:
    """Whether everything is stopped."""
    return tx.execute(_STOPPED).first() is not None


def due(tx: Connection, *, now: datetime, most: int = 10_000) -> int:
    """How many shares wait to be claimed now, counted up to ``most``."""
    some = select(shares.c.id).where(shares.c.wake.is_not(None), shares.c.wake <= now).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def tally(tx: Connection, several: Iterable[Came]) -> None:
    """Count what came of attempts, in an order that all writers keep, so that none waits for another in a ring."""
    numbers: Counter[tuple[str, str, str]] = Counter()
    micros: Counter[tuple[str, str, str]] = Counter()
    for one in several:
        numbers[one.account, "attempt", one.outcome] += 1
        if one.late is not None:
            key = (one.account, "late", bucket(one.late))
            numbers[key] += 1
            micros[key] += round(max(one.late.total_seconds(), 0) * 1e6)
    _add(tx, [(key, numbers[key], micros[key]) for key in sorted(numbers)])


def _add(tx: Connection, several: Sequence[tuple[tuple[str, str, str], int, int]]) -> None:
    if not several:
        return
    rows = [
        {"account": account, "what": what, "key": key, "number": number, "micros": micros}
        for (account, what, key), number, micros in several
    ]
    _ADD.run(tx, rows)


def _adding(dialect: str) -> Any:
    """An INSERT that adds to what is there."""
    new = insert_for(dialect, outcomes).values({name: bindparam(name) for name in _COUNTED})
    more = {name: outcomes.c[name] + new.excluded[name] for name in ("number", "micros")}
    return new.on_conflict_do_update(index_elements=["account", "what", "key"], set_=more)


_COUNTED = ("account", "what", "key", "number", "micros")
_ADD = Many(_adding)


def bucket(late: timedelta) -> str:
    """The histogram's bucket: the smallest of LATE that is not less, or "+Inf"."""
    index = bisect_left(LATE, late.total_seconds())
    return str(LATE[index]) if index < len(LATE) else "+Inf"


def tallied(tx: Connection) -> list[Tally]:
    """All tallies."""
    return [
        Tally(account=row.account, what=row.what, key=row.key, number=row.number, micros=row.micros)
        for row in tx.execute(select(outcomes).order_by(outcomes.c.account, outcomes.c.what, outcomes.c.key))
    ]


def histogram(tallies_: Iterable[Tally]) -> Mapping[str, tuple[dict[str, int], float]]:
    """By account: how many sends were in each bucket, and the seconds that they make together."""
    found: dict[str, tuple[dict[str, int], float]] = {}
    for one in tallies_:
        if one.what == "late":
            numbers, seconds = found.get(one.account, ({}, 0.0))
            found[one.account] = (numbers | {one.key: one.number}, seconds + one.micros / 1e6)
    return found
