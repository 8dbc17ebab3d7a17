"""What is remembered for people and between runs: attempts, events, the state of accounts and sources."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, select, update

from reverberate.model import AccountState, Attempt, Event, SourceState
from reverberate.store import chores, codec, shares
from reverberate.store.posts import insert_new
from reverberate.store.tables import accounts, attempts, events, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

LOOKING = timedelta(minutes=2)
"""A look that has not ended by then is taken for lost."""


def attempts_of(tx: Connection, share_id: int) -> list[Attempt]:
    """All attempts of a share, first to last."""
    query = select(attempts).where(attempts.c.share_id == share_id).order_by(attempts.c.id)
    return [codec.load(Attempt, row) for row in tx.execute(query)]


def events_of(tx: Connection, share_id: int) -> list[Event]:
    """All that happened to a share, first to last."""
    query = select(events).where(events.c.share_id == share_id).order_by(events.c.id)
    return [codec.load(Event, row) for row in tx.execute(query)]


def events_about(tx: Connection, account: str, *, kind: str) -> list[Event]:
    """All of one kind that happened to an account, first to last."""
    query = select(events).where(events.c.account == account, events.c.kind == kind).order_by(events.c.id)
    return [codec.load(Event, row) for row in tx.execute(query)]


def note(tx: Connection, kind: str, *, now: datetime, account: str = "", source: str = "", words: str = "") -> None:
    """Record that something happened."""
    tx.execute(insert(events).values(at=now, kind=kind, account=account, source=source, words=words))


def account(tx: Connection, name: str) -> AccountState:
    """An account's state; a fresh one if nothing is known of it."""
    row = tx.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    return AccountState(name=name) if row is None else codec.load(AccountState, row)


def account_states(tx: Connection) -> Mapping[str, AccountState]:
    """The state of every account that ever did something."""
    return {row.name: codec.load(AccountState, row) for row in tx.execute(select(accounts))}


_TOOK = (
    update(accounts)
    .where(accounts.c.name.in_(bindparam("names", expanding=True)))
    .values(last_success=bindparam("now"), rest_until=None, failures=0)
    .returning(accounts.c.name)
)


def succeeded(tx: Connection, names: Sequence[str], *, now: datetime) -> None:
    """These accounts took a message."""
    wanted = sorted(set(names))
    known = set(tx.execute(_TOOK, {"names": wanted, "now": now}).scalars())
    if new := [name for name in wanted if name not in known]:
        tx.execute(insert_new(tx, accounts), [{"name": name} for name in new])
        tx.execute(_TOOK, {"names": new, "now": now})


def works(tx: Connection, names: Sequence[str]) -> None:
    """These accounts' networks answered, whatever they said."""
    tx.execute(update(accounts).where(accounts.c.name.in_(names), accounts.c.failures > 0).values(failures=0))


def failed(tx: Connection, name: str) -> int:
    """The account's network does not work; how many attempts in a row have found it so."""
    tx.execute(insert_new(tx, accounts), [{"name": name}])
    more = update(accounts).where(accounts.c.name == name).values(failures=accounts.c.failures + 1)
    return int(tx.execute(more.returning(accounts.c.failures)).scalar_one())


def pause(tx: Connection, name: str, *, now: datetime, why: str, event: str = "account paused") -> None:
    """Let the account's shares wait for its owner; ``event`` is how the journal calls it."""
    _account(tx, name, paused=now, paused_why=why)
    shares.silence_account(tx, name)
    chores.silence_account(tx, name)
    note(tx, event, now=now, account=name, words=why)


def resume(tx: Connection, name: str, *, now: datetime) -> None:
    """The owner has mended what was wrong: the account's shares go on."""
    _account(tx, name, paused=None, paused_why="", rest_until=None, failures=0)
    shares.wake_account(tx, name)
    chores.wake_account(tx, name)
    note(tx, "account resumed", now=now, account=name)


def rest(tx: Connection, name: str, *, until: datetime, now: datetime, why: str) -> None:
    """The network asked the account to wait."""
    _account(tx, name, rest_until=until)
    shares.postpone_account(tx, name, until=until)
    chores.postpone_account(tx, name, until=until)
    note(tx, "account rests", now=now, account=name, words=why)


def _account(tx: Connection, name: str, **values: Any) -> None:
    tx.execute(insert_new(tx, accounts), [{"name": name}])
    tx.execute(update(accounts).where(accounts.c.name == name).values(values))


def source(tx: Connection, name: str) -> SourceState:
    """A source's state; a fresh one if it was never looked at."""
    row = tx.execute(select(sources).where(sources.c.name == name)).one_or_none()
    return SourceState(name=name) if row is None else codec.load(SourceState, row)


def save_source(tx: Connection, state: SourceState) -> None:
    """Remember a source's state."""
    values = {
        "memory": dict(state.memory),
        "next_look": state.next_look,
        "looked": state.looked,
        "baselined": state.baselined,
        "failures": state.failures,
        "trouble": state.trouble,
    }
    tx.execute(insert_new(tx, sources), [{"name": state.name, "memory": {}}])
    tx.execute(update(sources).where(sources.c.name == state.name).values(values))


def register_sources(tx: Connection, names: Sequence[str], *, now: datetime) -> None:
    """Let exactly these sources be looked at: new ones at once, known ones in their turn, others no more."""
    if names:
        tx.execute(insert_new(tx, sources), [{"name": name, "memory": {}, "next_look": now} for name in names])
    tx.execute(update(sources).where(sources.c.name.not_in(names)).values(next_look=None))
    idle = and_(sources.c.name.in_(names), sources.c.next_look.is_(None))
    tx.execute(update(sources).where(idle).values(next_look=now))


def sources_due(tx: Connection, *, now: datetime) -> bool:
    """Whether a source wants to be looked at."""
    query = select(sources.c.name).where(sources.c.next_look <= now).limit(1)
    return tx.execute(query).first() is not None


def take_sources(tx: Connection, *, now: datetime, limit: int) -> list[str]:
    """The sources to look at now; nobody else gets them before LOOKING is over."""
    due = select(sources.c.name).where(sources.c.next_look <= now).order_by(sources.c.next_look).limit(limit)
    taken = update(sources).where(sources.c.name.in_(due.with_for_update(skip_locked=True)))
    return sorted(tx.execute(taken.values(next_look=now + LOOKING).returning(sources.c.name)).scalars())


def source_states(tx: Connection) -> Mapping[str, SourceState]:
    """The state of every source that was ever registered, without what it remembers of its feed."""
    names = ("name", "next_look", "looked", "baselined", "failures", "trouble")
    rows = tx.execute(select(*(sources.c[name] for name in names)))
    return {row[0]: SourceState(**dict(zip(names, row, strict=True))) for row in rows}
