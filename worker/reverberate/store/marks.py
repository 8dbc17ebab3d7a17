"""What is remembered under a name: how far something was done, or by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reverberate.store.posts import insert_new
from reverberate.store.tables import marks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def get(tx: Connection, name: str) -> tuple[datetime | None, str]:
    """The instant and the words; neither where nothing is remembered."""
    row = tx.execute(select(marks.c.at, marks.c.words).where(marks.c.name == name)).one_or_none()
    return (None, "") if row is None else (row.at, row.words)


def put(tx: Connection, name: str, *, at: datetime | None = None, words: str = "") -> None:
    """Remember this, instead of what was."""
    tx.execute(insert_new(tx, marks), [{"name": name}])
    tx.execute(update(marks).where(marks.c.name == name).values(at=at, words=words))


def under(tx: Connection, prefix: str) -> dict[str, datetime]:
    """The instants of the names that begin so."""
    rows = tx.execute(select(marks.c.name, marks.c.at).where(marks.c.name.startswith(prefix, autoescape=True)))
    return {row.name: row.at for row in rows}


def named(tx: Connection, prefix: str) -> list[str]:
    """The names that begin so."""
    return sorted(tx.execute(select(marks.c.name).where(marks.c.name.startswith(prefix, autoescape=True))).scalars())
