"""The whole database as plain rows, and back: the same on SQLite and PostgreSQL, so that one can become the other."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, case, delete, func, insert, literal, or_, select, text, update

from reverberate.model import ShareState
from reverberate.store import engine, watch
from reverberate.store.tables import EPOCH, MICROSECOND, Instant, Wall, chores, events, metadata, shares, sources
from reverberate.store.tables_watch import notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection, Table

PASSING = frozenset({"tallies", "pulses"})
"""Tables that are not kept: the database counts anew, and other processes live then."""
MANY = 500
"""Rows that are written at once."""
RESTORED = "restored "
"""The switch under which a source's next look is held: what is new to us may have been shared already."""
REGISTERED = frozenset({"sources", "marks"})
"""Tables in which an installation that never shared anything may have rows."""


def schema() -> str:
    """The revision of the schema that this program knows."""
    return engine.HEAD


def names() -> list[str]:
    """The tables that are kept, in an order in which they can be written."""
    return [table.name for table in metadata.sorted_tables if table.name not in PASSING]


def freeze(tx: Connection) -> None:
    """Let this transaction see one moment, however long it takes; before anything is read."""
    if tx.dialect.name == "postgresql":  # SQLite's readers see one moment anyway
        tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))


def rows(tx: Connection, name: str) -> Iterator[dict[str, Any]]:
    """A table's rows as JSON values."""
    table = metadata.tables[name]
    order = list(table.primary_key.columns)
    for row in tx.execution_options(yield_per=MANY).execute(select(table).order_by(*order)):
        yield {column.name: _plain(value) for column, value in zip(table.columns, row, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime) and value.tzinfo is None:  # on a wall
        return value.isoformat()
    return (value - EPOCH) // MICROSECOND if hasattr(value, "tzinfo") else value


def empty(tx: Connection) -> bool:
    """Whether nothing is kept in the database yet; sources and zones that were only registered do not count."""
    return not any(
        tx.execute(select(metadata.tables[name]).limit(1)).first() for name in names() if name not in REGISTERED
    )


def wipe(tx: Connection) -> None:
    """Remove every row."""
    for table in reversed(metadata.sorted_tables):
        if table.name not in PASSING:
            tx.execute(delete(table))
    tx.execute(delete(metadata.tables["tallies"]))


def write(tx: Connection, name: str, several: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as ``rows`` gave them; how many."""
    table, waiting, number = metadata.tables[name], [], 0
    for row in several:
        waiting.append({column.name: _value(column, row[column.name]) for column in table.columns})
        if len(waiting) == MANY:
            number += _insert(tx, table, waiting)
            waiting = []
    return number + _insert(tx, table, waiting)


def _insert(tx: Connection, table: Table, several: list[dict[str, Any]]) -> int:
    if several:
        tx.execute(insert(table), several)
    return len(several)


def _value(column: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Instant):
        return EPOCH + value * MICROSECOND
    if isinstance(column.type, Wall):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value


def number_on(tx: Connection) -> None:
    """Let new rows be numbered behind those that were written; SQLite does so by itself."""
    if tx.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if "id" in table.columns:
            highest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            tx.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest, False)))


def make_safe(tx: Connection, *, made: datetime, now: datetime, harmless: frozenset[str]) -> int:
    """Let nothing be sent twice that may have been sent since the backup was made; how many shares that concerns.

    A share that waits and was due by now may be out: a person must say so, but on the accounts in ``harmless``, where
    sending the same again never makes a second post. What is new at a source may have been shared as well: it is held
    at its first look. What was told is not told again, and edits that waited are dropped.
    """
    waits = shares.c.state.in_([ShareState.SCHEDULED, ShareState.SENDING, ShareState.UNSURE])
    maybe = waits & or_(shares.c.due <= now, shares.c.lease.is_not(None), shares.c.state != ShareState.SCHEDULED)
    words = f"restored from a backup of {made:%Y-%m-%d %H:%M} UTC: it may be out; "
    ask = f"{words}if it is not there, approve it, else cancel it"
    tries = case((shares.c.tries < 1, 1), else_=shares.c.tries)
    first = func.coalesce(shares.c.first_try, literal(made, shares.c.first_try.type))
    common = {"lease": None, "owner": "", "looks": 0, "changed": now, "tries": tries, "first_try": first}
    ours = shares.c.account.in_(sorted(harmless))
    again = common | {
        "state": ShareState.UNSURE,
        "due": now,
        "wake": now,
        "reason": f"{words}sent again as the same post",
    }
    held = common | {"state": ShareState.HELD, "wake": None, "reason": ask}
    touched = list(tx.execute(update(shares).where(maybe, ours).values(again).returning(shares.c.id)).scalars())
    touched += tx.execute(update(shares).where(maybe, ~ours).values(held).returning(shares.c.id)).scalars()
    _note(tx, touched, ask, now=now)
    _quieten(tx, made=made, now=now)
    return len(touched)


def _note(tx: Connection, touched: list[int], words: str, *, now: datetime) -> None:
    several = [{"at": now, "kind": "share restored", "share_id": one, "words": words} for one in touched]
    if several:
        tx.execute(insert(events), several)


def _quieten(tx: Connection, *, made: datetime, now: datetime) -> None:
    for name in tx.execute(select(sources.c.name)).scalars().all():
        watch.switch_on(tx, f"{RESTORED}{name}", now=now, words=f"{made:%Y-%m-%d %H:%M} UTC")
    tx.execute(update(sources).where(sources.c.next_look.is_not(None)).values(memory={}, next_look=now))
    tx.execute(update(events).where(events.c.untold.is_not(None)).values(untold=None))
    told = {"due": None, "lease": None, "words": "restored from a backup"}
    tx.execute(update(notices).where(notices.c.due.is_not(None)).values(told))
    dropped = {"ended": now, "wake": None, "outcome": "dropped", "reason": "restored from a backup"}
    tx.execute(update(chores).where(chores.c.ended.is_(None)).values(dropped))
