"""Stores with very many rows, made fast: by the database itself, in a few statements."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from reverberate.model import Post
from reverberate.store import codec, tallies
from reverberate.store.tables import EPOCH, MICROSECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverberate.store import Store, Transaction

NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :many) SELECT i FROM n)",
    "postgresql": "(SELECT i FROM generate_series(0, CAST(:many AS BIGINT) - 1) AS g(i))",
}
"""A relation of the numbers from 0, as each database has it."""
MIXED = """CASE WHEN i % 100 < 60 THEN 'sent' WHEN i % 100 < 95 THEN 'scheduled' WHEN i % 100 = 95 THEN 'unsure'
  WHEN i % 100 = 96 THEN 'held' WHEN i % 100 < 99 THEN 'refused' ELSE 'skipped' END"""
SCHEDULED = "'scheduled'"
POSTS = """
INSERT INTO posts (source, url, title, seen, body)
SELECT 's' || (i % 5), 'https://blog.example/' || i, 'Post ' || i, :now - (:many - i) * 60000000, :body
FROM NUMBERS AS n"""
SHARES = """
INSERT INTO shares (post_id, account, source, state, wanted, due, wake, key, planned, changed)
SELECT post, account, source, state, due, due, CASE WHEN state = 'scheduled' THEN due END, 'k' || i, :now, :now
FROM (
  SELECT i, 1 + i / :accounts AS post, 'a' || (i % :accounts) AS account, 's' || ((i / :accounts) % 5) AS source,
    state, CASE WHEN state = 'scheduled' THEN :now + 86400000000 + i * 1000000 ELSE :now - (:many - i) * 1000000 END AS due
  FROM (SELECT i, STATES AS state FROM NUMBERS AS n) AS stated
) AS rows"""
EVENTS = """
INSERT INTO events (at, kind, share_id, account, source, words)
SELECT changed - id, 'share ' || state, id, account, '', 'because' FROM shares"""
TALLIES = """
INSERT INTO tallies (account, state, number) SELECT account, state, count(*) FROM shares GROUP BY account, state"""


def fill(store: Store, *, posts: int, accounts: int, states: str = MIXED) -> None:
    """So many posts with a share on each of so many accounts (``a0``, ``a1`` ...), one event each, from five sources.

    What is scheduled is due from tomorrow on, a second apart, in the order in which it was planned; the rest was due
    before now.
    """
    now = (datetime.now(UTC) - EPOCH) // MICROSECOND
    with store.write() as tx:
        numbers = NUMBERS[tx.dialect.name]
        _triggers(tx, tallies.UNTRIGGERS)
        tx.execute(text(POSTS.replace("NUMBERS", numbers)), {"many": posts, "now": now, "body": _body()})
        told = {"many": posts * accounts, "accounts": accounts, "now": now}
        tx.execute(text(SHARES.replace("NUMBERS", numbers).replace("STATES", states)), told)
        tx.execute(text(EVENTS))
        tx.execute(text(TALLIES))
        _triggers(tx, tallies.TRIGGERS)
    with store.write() as tx:
        tx.execute(text("ANALYZE"))  # as the databases do by themselves, in time


def _body() -> str:
    post = Post(url="https://blog.example/x", title="Post", summary="What it says, in two lines or so. " * 4)
    return json.dumps(codec.dump_post(post))


def _triggers(tx: Transaction, statements: Mapping[str, Sequence[str]]) -> None:
    for statement in statements[tx.dialect.name]:
        tx.exec_driver_sql(statement)
