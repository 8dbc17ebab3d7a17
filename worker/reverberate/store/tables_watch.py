"""The tables for those who watch: notices, open troubles, signs of life, switches, outcomes and reactions."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from reverberate.store.tables import Id, Instant, metadata, only

COUNTED = ("likes", "reposts", "replies")

troubles = Table(
    "troubles",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", String(100), nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("made", Instant, nullable=False),
    Column("due", Instant),
    Column("lease", Instant),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("sent", Instant),
    Column("body", JSON, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Index("ix_notices_due", "due", **only("due IS NOT NULL")),
    Index(None, "channel", "id"),
)

pulses = Table(
    "pulses",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

switches = Table(
    "switches",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("key", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False, server_default=text("0")),
)

reactions = Table(
    "reactions",
    metadata,
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("account", String(100), nullable=False),
    Column("post_id", Id, nullable=False),
    Column("sent", Instant, nullable=False),
    Column("likes", Integer),
    Column("reposts", Integer),
    Column("replies", Integer),
    Column("latest", Boolean, nullable=False),
    Index(
        "ix_reactions_latest",
        *("sent", "account", "post_id", *COUNTED, "latest"),
        sqlite_where=text("latest = 1"),  # as SQLAlchemy asks there, where truth is a number
        postgresql_where=text("latest"),
    ),
)
