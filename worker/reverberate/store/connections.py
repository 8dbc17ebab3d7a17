"""Accounts that were connected: their sealed secrets, and who may refresh them when. This row is the truth.

A refresh is a lease on the row and then one conditional write: whoever still finds the version from which he began
writes what came; anybody else throws his away. ``begun`` stays where a refresh began and its answer is not known.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, or_, select, update

from reverberate.store import journal
from reverberate.store.tables import connections, vault
from reverberate.vault import Sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection as Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What is known of a connected account, none of it secret.

    Attributes:
        account: its name.
        version: changes with every change of its secrets.
        who: who we are there, as the network told when it was connected.
        since: when it was connected.
        expires: when its secrets end, None where they do not.
        refresh_at: when they are to be refreshed, None where they cannot be.
        lease: until when somebody is refreshing them, or None.
        begun: when a refresh began of which nobody knows how it ended, or None.
        trouble: why they cannot be refreshed any more, "" where all is well.
        warned: the fewest days before the end of which the owner was told, None where not yet.
    """

    account: str
    version: str
    who: str = ""
    since: datetime
    expires: datetime | None = None
    refresh_at: datetime | None = None
    lease: datetime | None = None
    begun: datetime | None = None
    trouble: str = ""
    warned: int | None = None


def get(tx: Transaction, account: str) -> Connection | None:
    """The account's connection, None if it has none."""
    row = tx.execute(_rows().where(connections.c.account == account)).one_or_none()
    return _loaded(row) if row else None


def all_of(tx: Transaction) -> list[Connection]:
    """Every connection."""
    return [_loaded(row) for row in tx.execute(_rows().order_by(connections.c.account))]


def sealed(tx: Transaction, account: str) -> Mapping[str, Sealed]:
    """The account's secrets, by field."""
    rows = tx.execute(select(vault.c.field, vault.c.key, vault.c.data).where(vault.c.account == account))
    return {row.field: Sealed(row.key, row.data) for row in rows}


def connect(tx: Transaction, fresh: Connection, secrets_: Mapping[str, Sealed], *, now: datetime) -> None:
    """Keep a new connection in the place of any old one; a paused account goes on."""
    _drop(tx, fresh.account)
    tx.execute(insert(connections).values(_values(fresh)))
    _put(tx, fresh.account, secrets_)
    journal.note(tx, "account connected", now=now, account=fresh.account, words=fresh.who)
    journal.resume(tx, fresh.account, now=now)


def disconnect(tx: Transaction, account: str, *, now: datetime) -> bool:
    """Forget the account's secrets; whether there were any."""
    there = _drop(tx, account)
    if there:
        journal.note(tx, "account disconnected", now=now, account=account)
        journal.pause(
            tx,
            account,
            now=now,
            why=f"disconnected; connect it again: reverberate connect {account}",
            event="account paused by hand",
        )
    return there


def take(tx: Transaction, seen: Connection, *, now: datetime, lease: datetime) -> bool:
    """Let us be the one who refreshes what was ``seen``; False if it has changed or somebody does already."""
    free = or_(connections.c.lease.is_(None), connections.c.lease <= now)
    return _change(tx, seen, and_(free), lease=lease, begun=now)


def swap(tx: Transaction, seen: Connection, fresh: Connection, secrets_: Mapping[str, Sealed]) -> bool:
    """Keep what a refresh of ``seen`` brought; False if somebody else's is there already."""
    if not _change(tx, seen, **_values(fresh)):
        return False
    _put(tx, seen.account, secrets_)
    return True


def give_back(tx: Transaction, seen: Connection, **values: Any) -> bool:
    """The refresh brought nothing: let others try, with what was learnt."""
    return _change(tx, seen, lease=None, **values)


def warn(tx: Transaction, seen: Connection, *, days: int, words: str, now: datetime) -> bool:
    """Tell the owner once that the secrets end; False if that has been told."""
    untold = or_(connections.c.warned.is_(None), connections.c.warned > days)
    if not _change(tx, seen, untold, warned=days):
        return False
    journal.note(tx, "token expires", now=now, account=seen.account, words=words)
    return True


def under_other_keys(tx: Transaction, newest: str) -> list[tuple[str, str, Sealed]]:
    """Every secret that is under another key, locked until the transaction ends."""
    query = select(vault).where(vault.c.key != newest).with_for_update()
    return [(row.account, row.field, Sealed(row.key, row.data)) for row in tx.execute(query)]


def put(tx: Transaction, account: str, secrets_: Mapping[str, Sealed]) -> None:
    """Keep these secrets in the place of those of the same name."""
    _put(tx, account, secrets_)


def keys_in_use(tx: Transaction) -> Mapping[str, int]:
    """How many secrets are under each key."""
    counted: dict[str, int] = {}
    for key in tx.execute(select(vault.c.key)).scalars():
        counted[key] = counted.get(key, 0) + 1
    return counted


def new_version() -> str:
    """A version that never was: one that was forgotten and made anew is another one."""
    return secrets.token_hex(8)


def _rows() -> Any:
    return select(*(connections.c[field.name] for field in fields(Connection)))


def _loaded(row: Any) -> Connection:
    return Connection(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name access


def _values(one: Connection) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(Connection)}


def _change(tx: Transaction, seen: Connection, *conditions: Any, **values: Any) -> bool:
    mine = update(connections).where(connections.c.account == seen.account, connections.c.version == seen.version)
    return bool(tx.execute(mine.where(*conditions).values(values)).rowcount)


def _put(tx: Transaction, account: str, secrets_: Mapping[str, Sealed]) -> None:
    rows: Sequence[dict[str, Any]] = [
        {"account": account, "field": name, "key": one.key, "data": one.data} for name, one in secrets_.items()
    ]
    if rows:
        tx.execute(delete(vault).where(vault.c.account == account, vault.c.field.in_(list(secrets_))))
        tx.execute(insert(vault), rows)


def _drop(tx: Transaction, account: str) -> bool:
    tx.execute(delete(vault).where(vault.c.account == account))
    return bool(tx.execute(delete(connections).where(connections.c.account == account)).rowcount)
