"""The tables, once: SQLAlchemy Core for SQLite and PostgreSQL alike.

Instants are whole microseconds since 1970 in UTC: exact, sortable and equal on both databases, whatever their own idea
of time zones. What must be found fast has an index; what a person reads is JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from reverberate.alerts import tells

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime | None) -> int | None:
    """An instant as the database keeps it."""
    return None if at is None else (at - EPOCH) // MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the base's signature
        return micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        return None if value is None else EPOCH + value * MICROSECOND


class Wall(TypeDecorator[datetime]):
    """What a clock shows: a datetime without a zone, kept as ISO 8601."""

    impl = String(26)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        return None if value is None else datetime.fromisoformat(value)


def only(condition: str) -> dict[str, Any]:
    """What makes an index partial on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER is SQLite's own row number

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

posts = Table(
    "posts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "source", "seen", "id"),
    Index(None, "seen", "id"),
)

identities = Table(
    "identities",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("post_id", Id, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True),
)

shares = Table(
    "shares",
    metadata,
    Column("id", Id, primary_key=True),
    Column("post_id", Id, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
    Column("account", String(100), nullable=False),
    Column("source", String(100), nullable=False, server_default=""),
    Column("slot", String(100), nullable=False, server_default=""),
    Column("state", String(20), nullable=False),
    Column("wanted", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    Column("wake", Instant),
    Column("key", String(64), nullable=False, unique=True),
    Column("planned", Instant, nullable=False),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    Column("lease", Instant),
    Column("owner", String(100), nullable=False, server_default=""),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    Column("crashes", Integer, nullable=False, server_default=text("0")),
    Column("first_try", Instant),
    Column("reason", Text, nullable=False, server_default=""),
    Column("remote_id", Text),
    Column("permalink", Text),
    Column("changed", Instant, nullable=False),
    Column("sent", Instant),
    Column("ask", Instant),
    Column("wall", Wall),
    Column("zone", String(64), nullable=False, server_default=""),
    Column("spread", Integer, nullable=False, server_default=text("0")),
    Column("fixed", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("post_id", "account", "slot"),
    Index("ix_shares_due", "wake", "id", **only("wake IS NOT NULL")),
    Index("ix_shares_leased", "lease", **only("lease IS NOT NULL")),
    Index(None, "account", "state", "due", "id"),
    Index("ix_shares_account_source", "account", "source", "state", "due", "id"),
    Index(None, "source", "state", "due", "id"),
    Index(None, "state", "due", "id"),
    Index("ix_shares_ask", "ask", **only("ask IS NOT NULL")),
    Index(None, "account", "wanted"),
)

messages = Table(
    "messages",
    metadata,
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("frozen", Instant, nullable=False),
    Column("body", JSON, nullable=False),
)

steps = Table(
    "steps",
    metadata,
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("answer", JSON, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("added", Instant, nullable=False, index=True),
    Column("mime", String(40), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("outcome", String(20), nullable=False, server_default=""),
    Column("status", Integer),
    Column("words", Text, nullable=False, server_default=""),
    Column("next_try", Instant),
    UniqueConstraint("share_id", "fence"),
)

chores = Table(
    "chores",
    metadata,
    Column("id", Id, primary_key=True),
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account", String(100), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("by", String(10), nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("asked", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    Column("wake", Instant),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("outcome", String(20), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("ended", Instant),
    Index("ix_chores_due", "wake", "id", **only("wake IS NOT NULL")),
    Index("ix_chores_open", "share_id", "kind", unique=True, **only("ended IS NULL")),
    Index("ix_chores_account", "account", **only("ended IS NULL")),
)


def untold(kind: str) -> bool | None:
    """Whether an event of that kind waits to be told: a person must hear of it."""
    return tells(kind) or None


def _untold(context: Any) -> bool | None:
    """Whoever writes an event need not know."""
    return untold(context.get_current_parameters()["kind"])


events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("share_id", Id, ForeignKey("shares.id", ondelete="CASCADE"), index=True),
    Column("account", String(100), nullable=False, server_default=""),
    Column("source", String(100), nullable=False, server_default=""),
    Column("words", Text, nullable=False, server_default=""),
    Index(None, "at", "id"),
    Index(None, "kind", "at", "id"),
    Index("ix_events_account", "account", "at", "id", **only("account <> ''")),
    Index("ix_events_account_kind", "account", "kind", "at", "id", **only("account <> ''")),
    Index("ix_events_source", "source", "at", "id", **only("source <> ''")),
    Column("untold", Boolean, default=_untold),
    Index("ix_events_untold", "id", **only("untold IS NOT NULL")),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("paused", Instant),
    Column("paused_why", Text, nullable=False, server_default=""),
    Column("rest_until", Instant),
    Column("last_success", Instant),
    Column("failures", Integer, nullable=False, server_default=text("0")),
)

connections = Table(
    "connections",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("version", String(16), nullable=False),
    Column("who", Text, nullable=False, server_default=""),
    Column("since", Instant, nullable=False),
    Column("expires", Instant),
    Column("refresh_at", Instant),
    Column("lease", Instant),
    Column("begun", Instant),
    Column("trouble", Text, nullable=False, server_default=""),
    Column("warned", Integer),
)

vault = Table(
    "vault",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("field", String(100), primary_key=True),
    Column("key", String(16), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

preflights = Table(
    "preflights",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("ahead", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("trouble", Text, nullable=False, server_default=""),
)

turns = Table(
    "turns",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("pace", String(60), primary_key=True),
    Column("full", Instant, nullable=False),
    Column("booked", Instant, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("micros", BigInteger, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("memory", JSON, nullable=False),
    Column("next_look", Instant, index=True),
    Column("looked", Instant),
    Column("baselined", Instant),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("trouble", Text, nullable=False, server_default=""),
)

tallies = Table(
    "tallies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("number", BigInteger, nullable=False),
    Index(None, "account", "state"),
)
"""How many shares there are by account and state: the sum of its rows. Kept by triggers, see ``tallies.py``."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scope", String(20), nullable=False),
    Column("made", Instant, nullable=False),
    Column("used", Instant),
    Column("expires", Instant),
)

answers = Table(
    "answers",
    metadata,
    Column("token_id", Id, ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("status", Integer),
    Column("body", JSON),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("at", Instant),
    Column("words", Text, nullable=False, server_default=""),
)
