"""Stores with very many rows, made fast: by the database itself, in a few statements."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from reverberate.model import Message, Post
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
SELECT 's' || (i % 5), 'https://blog.example/' || i, 'Post ' || i, :now - (:many - i) * 600000000, :body
FROM NUMBERS AS n"""
SHARES = """
INSERT INTO shares (post_id, account, source, state, wanted, due, wake, key, planned, changed, fence, tries, sent,
  remote_id, permalink, ask)
SELECT post, account, source, state, due, due, CASE WHEN state = 'scheduled' THEN due END, 'k' || i, :now, :now,
  CASE WHEN state IN ('sent', 'refused', 'unsure') THEN 1 ELSE 0 END,
  CASE WHEN state IN ('sent', 'refused', 'unsure') THEN 1 ELSE 0 END,
  CASE WHEN state = 'sent' THEN due END, CASE WHEN state = 'sent' THEN 'r' || i END,
  CASE WHEN state = 'sent' THEN 'https://there.example/' || i END, CASE WHEN state = 'sent' THEN :now + 86400000000 END
FROM (
  SELECT i, 1 + i / :accounts AS post, 'a' || (i % :accounts) AS account, 's' || ((i / :accounts) % 5) AS source,
    state, CASE WHEN state = 'scheduled' THEN :now + 86400000000 + i * 60000000 ELSE :now - (:many - i) * 60000000 END AS due
  FROM (SELECT i, STATES AS state FROM NUMBERS AS n) AS stated
) AS rows"""
IDENTITIES = "INSERT INTO identities (key, post_id) SELECT 'url ' || url, id FROM posts"
EVENTS = """
INSERT INTO events (at, kind, share_id, account, source, words)
SELECT changed - id, 'share ' || state, id, account, '', 'because' FROM shares"""
ATTEMPTS = """
INSERT INTO attempts (share_id, number, kind, fence, started, ended, outcome, status, words)
SELECT id, 1, 'send', 1, due, due + 200000, CASE WHEN state = 'sent' THEN 'receipt' ELSE state END, 200, ''
FROM shares WHERE tries = 1"""
MESSAGES = "INSERT INTO messages (share_id, frozen, body) SELECT id, due, :body FROM shares WHERE tries = 1"
REACTIONS = """
INSERT INTO reactions (share_id, at, account, post_id, sent, likes, reposts, replies, latest)
SELECT id, sent, account, post_id, sent, id % 100, id % 10, 1, 1 = 1 FROM shares WHERE state = 'sent'"""
TALLIES = """
INSERT INTO tallies (account, state, number) SELECT account, state, count(*) FROM shares GROUP BY account, state"""


def fill(
    store: Store, *, posts: int, accounts: int, states: str = MIXED, text: str = "", analyze: bool = False
) -> None:
    """So many posts with a share on each of so many accounts (``a0``, ``a1`` ...), from five sources.

    What is scheduled is due from tomorrow on, a minute apart, in the order in which it was planned; the rest was due
    before now. Each share has an event; one that was tried its attempt and message, one that was sent its reactions.
    ``text`` is each post's article.
    """
    now = (datetime.now(UTC) - EPOCH) // MICROSECOND
    with store.write() as tx:
        numbers = NUMBERS[tx.dialect.name]
        _triggers(tx, tallies.UNTRIGGERS)
        tx.execute(sql(POSTS.replace("NUMBERS", numbers)), {"many": posts, "now": now, "body": _post(text)})
        told = {"many": posts * accounts, "accounts": accounts, "now": now}
        tx.execute(sql(SHARES.replace("NUMBERS", numbers).replace("STATES", states)), told)
        for statement in (IDENTITIES, EVENTS, ATTEMPTS, REACTIONS, TALLIES):
            tx.execute(sql(statement))
        tx.execute(sql(MESSAGES), {"body": _message()})
        _triggers(tx, tallies.TRIGGERS)
    with store.write() as tx:
        if analyze or tx.dialect.name == "postgresql":  # which does so by itself, in time
            tx.execute(sql("ANALYZE"))


def _post(text: str) -> str:
    post = Post(url="https://blog.example/x", title="Post", summary="What it says, in two lines or so. " * 4, text=text)
    return json.dumps(codec.dump_post(post))


def _message() -> str:
    return json.dumps(codec.dump_message(Message(parts=("Post\n\nWhat it says, in two lines or so.",), link="")))


def _triggers(tx: Transaction, statements: Mapping[str, Sequence[str]]) -> None:
    for statement in statements[tx.dialect.name]:
        tx.exec_driver_sql(statement)
