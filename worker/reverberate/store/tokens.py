"""Tokens of the HTTP API: who may ask, and for how much. What is kept of one is a digest of it.

A token is 256 random bits, so a plain SHA-256 is enough: there is no dictionary to try, and nothing to slow down.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, fields
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, or_, select, update

from reverberate.errors import ReverberateError
from reverberate.model import Scope
from reverberate.store.tables import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

PREFIX = "rvb_"
"""So that a scanner of leaked secrets, and a person, knows one when it sees it."""
SELDOM = timedelta(hours=1)
"""When a token was used last is kept to the hour: asking must not mean writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without what is secret about it."""

    id: int
    name: str
    scope: Scope
    made: datetime
    used: datetime | None = None
    expires: datetime | None = None


def create(tx: Connection, name: str, scope: Scope, *, now: datetime, expires: datetime | None = None) -> str:
    """Make a token; what is returned is told once and kept nowhere.

    Raises:
        ReverberateError: there is one of this name.
    """
    if tx.execute(select(tokens.c.id).where(tokens.c.name == name)).first() is not None:
        raise ReverberateError(f"there is a token {name!r} already", hint="revoke it first, or take another name")
    plain = PREFIX + secrets.token_urlsafe(32)
    row = {"name": name, "digest": _digest(plain), "scope": scope, "made": now, "expires": expires}
    tx.execute(insert(tokens).values(row))
    return plain


def recognise(tx: Connection, plain: str, *, now: datetime) -> Token | None:
    """The token that this is, if it is one and has not ended."""
    digest = _digest(plain)
    row = tx.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return None if row.expires is not None and row.expires <= now else _load(row)


def touch(tx: Connection, token_id: int, *, now: datetime) -> None:
    """It was used now."""
    stale = or_(tokens.c.used.is_(None), tokens.c.used <= now - SELDOM)
    tx.execute(update(tokens).where(and_(tokens.c.id == token_id, stale)).values(used=now))


def listed(tx: Connection) -> list[Token]:
    """All of them, by name."""
    return [_load(row) for row in tx.execute(select(tokens).order_by(tokens.c.name))]


def revoke(tx: Connection, name: str) -> bool:
    """End it at once; whether there was one."""
    return tx.execute(delete(tokens).where(tokens.c.name == name)).rowcount == 1


def _digest(plain: str) -> str:
    return sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _load(row: Any) -> Token:
    at = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name access
    values = {f.name: at[f.name] for f in fields(Token) if f.name != "scope"}
    return Token(**values, scope=Scope(row.scope))
