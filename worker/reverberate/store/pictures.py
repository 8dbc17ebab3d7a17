"""Pictures: bytes under their digest, kept as long as a message that is on its way needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from reverberate.store.posts import insert_new
from reverberate.store.tables import pictures

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from reverberate.model import Picture


def keep(tx: Connection, picture: Picture, data: bytes, *, now: datetime) -> None:
    """Keep a picture's bytes; those that are there already stay."""
    row = {"digest": picture.digest, "mime": picture.mime, "data": data, "added": now}
    tx.execute(insert_new(tx, pictures), [row])


def load(tx: Connection, digest: str) -> bytes | None:
    """The bytes, or None if they are gone."""
    return tx.execute(select(pictures.c.data).where(pictures.c.digest == digest)).scalar_one_or_none()


def served(tx: Connection, digest: str) -> tuple[str, bytes] | None:
    """What kind of picture it is, and its bytes; None if it is gone."""
    row = tx.execute(select(pictures.c.mime, pictures.c.data).where(pictures.c.digest == digest)).first()
    return (row.mime, row.data) if row else None


def forget(tx: Connection, *, before: datetime) -> int:
    """Drop what was added before that; returns how many. A message that needs one later goes without it."""
    return int(tx.execute(delete(pictures).where(pictures.c.added < before)).rowcount)
