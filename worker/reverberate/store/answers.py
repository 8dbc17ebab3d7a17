"""What was answered to a request that may come again: by its token and its Idempotency-Key, for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, select, update

from reverberate.store.posts import insert_new
from reverberate.store.tables import answers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from reverberate.model import JSON

KEPT = timedelta(hours=24)
STUCK = timedelta(minutes=1)
"""A request that has not been answered by then died with its process; the next one does the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was kept under a key: of which request (``digest``), and what was answered; None while it is worked on."""

    digest: str
    status: int | None = None
    body: JSON = None


def begin(tx: Connection, token_id: int, key: str, digest: str, *, now: datetime) -> Answer | None:
    """None if the request is the caller's to answer; else what is known of the one that came first."""
    tx.execute(delete(answers).where(answers.c.at <= now - KEPT))
    mine = and_(answers.c.token_id == token_id, answers.c.key == key)
    tx.execute(delete(answers).where(mine, answers.c.status.is_(None), answers.c.at <= now - STUCK))
    row = {"token_id": token_id, "key": key, "digest": digest, "at": now}
    if tx.execute(insert_new(tx, answers).values(row).returning(answers.c.at)).first() is not None:
        return None
    found = tx.execute(select(answers).where(mine)).one()
    return Answer(digest=found.digest, status=found.status, body=found.body)


def finish(tx: Connection, token_id: int, key: str, *, status: int, body: JSON) -> None:
    """Keep what was answered."""
    mine = and_(answers.c.token_id == token_id, answers.c.key == key)
    tx.execute(update(answers).where(mine).values(status=status, body=body))


def forget(tx: Connection, token_id: int, key: str) -> None:
    """Nothing was done: the request may come again."""
    tx.execute(delete(answers).where(answers.c.token_id == token_id, answers.c.key == key))
