"""Posts and the identities by which they are recognised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text, update

from reverberate.model import KnownPost, Post
from reverberate.store import codec, tables
from reverberate.store.spans import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Table

INGEST_LOCK = 0x496E_6765_7374  # "Ingest"


def lock(tx: Connection) -> None:
    """Let nobody else recognise posts until this transaction ends, so that no post is taken for new twice."""
    if tx.dialect.name == "postgresql":  # on SQLite the write transaction itself is that lock
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": INGEST_LOCK})


def known(tx: Connection, keys: Iterable[str]) -> Mapping[str, int]:
    """The post that each of these identity keys belongs to; keys of no post are left out."""
    found: dict[str, int] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), 500):
        query = select(tables.identities).where(tables.identities.c.key.in_(wanted[start : start + 500]))
        found.update({row.key: row.post_id for row in tx.execute(query)})
    return found


def add(tx: Connection, post: Post, *, source: str, now: datetime) -> int:
    """Store a new post; returns its number."""
    row = {"source": source, "url": post.url, "title": post.title, "seen": now, "body": codec.dump_post(post)}
    return int(tx.execute(insert(tables.posts).values(row).returning(tables.posts.c.id)).scalar_one())


def bodies(tx: Connection, ids: Iterable[int], *, source: str) -> Mapping[int, Any]:
    """What is stored of those of these posts that came from this source, as JSON values."""
    query = select(tables.posts.c.id, tables.posts.c.body).where(tables.posts.c.id.in_(list(ids)))
    return {row.id: row.body for row in tx.execute(query.where(tables.posts.c.source == source))}


def change(tx: Connection, post_id: int, post: Post) -> None:
    """The post says this now."""
    row = {"url": post.url, "title": post.title, "body": codec.dump_post(post)}
    tx.execute(update(tables.posts).where(tables.posts.c.id == post_id).values(row))


def identify(tx: Connection, post_id: int, keys: Iterable[str]) -> None:
    """Let these keys lead to the post; a key that leads somewhere already stays as it is."""
    rows = [{"key": key, "post_id": post_id} for key in sorted(set(keys))]
    if rows:
        tx.execute(insert_new(tx, tables.identities), rows)


def insert_new(tx: Connection, table: Table) -> Any:
    """An INSERT that leaves rows alone that are there already."""
    return insert_for(tx.dialect.name, table).on_conflict_do_nothing()


@cache
def insert_for(dialect: str, table: Table) -> Any:
    """The database's own INSERT. Each dialect's module is slow to import, and only one of them is wanted."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def get(tx: Connection, post_id: int) -> KnownPost | None:
    """One post, or None."""
    row = tx.execute(select(tables.posts).where(tables.posts.c.id == post_id)).one_or_none()
    return None if row is None else _load(row)


def titles(tx: Connection, ids: Iterable[int]) -> dict[int, str]:
    """What these posts are called: the title, or the address of one without."""
    columns = (tables.posts.c.id, tables.posts.c.title, tables.posts.c.url)
    rows = tx.execute(select(*columns).where(tables.posts.c.id.in_(sorted(set(ids)))))
    return {row.id: row.title or row.url for row in rows}


def newest(tx: Connection, *, limit: int = 50, source: str = "") -> list[KnownPost]:
    """The posts seen last, newest first."""
    query = select(tables.posts).order_by(tables.posts.c.id.desc()).limit(limit)
    if source:
        query = query.where(tables.posts.c.source == source)
    return [_load(row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which posts to list: of this source, seen from ``since`` on and before ``until``, after the place ``before``."""

    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


def listed(tx: Connection, wanted: Wanted, *, limit: int) -> list[KnownPost]:
    """Posts by when they were seen first, the latest first: their titles and addresses, for what they say may be long."""
    at, number = tables.posts.c.seen, tables.posts.c.id
    names = ("id", "source", "seen", "url", "title")
    query = select(*(tables.posts.c[name] for name in names)).order_by(at.desc(), number.desc()).limit(limit)
    query = query.where(tables.posts.c.source == wanted.source) if wanted.source else query
    query = query.where(*within(at, number, since=wanted.since, until=wanted.until, before=wanted.before))
    return [
        KnownPost(id=row.id, source=row.source, seen=row.seen, post=Post(url=row.url, title=row.title))
        for row in tx.execute(query)
    ]


def _load(row: Any) -> KnownPost:
    return KnownPost(id=row.id, source=row.source, seen=row.seen, post=codec.load_post(row.body))
