"""How many shares there are by account and state, without counting them: kept by the database itself, in triggers.

Whatever changes a share changes the tallies in the same transaction. On SQLite, which has one writer, there is one row
for each account and state. On PostgreSQL writers side by side would wait for such a row, and for each other in circles;
so each statement adds rows that say what it changed, and ``compact`` adds them up now and then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from reverberate.store.tables import tallies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

MANY = 500
"""So many rows are worth adding up."""

_ADD = """
  UPDATE tallies SET number = number {one} WHERE account = {row}.account AND state = {row}.state;
  INSERT INTO tallies (account, state, number) SELECT {row}.account, {row}.state, {one} WHERE changes() = 0;"""
_MORE, _LESS = _ADD.format(row="NEW", one="+ 1"), _ADD.format(row="OLD", one="- 1")

_FUNCTION = """
CREATE FUNCTION tally_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO tallies (account, state, number) SELECT account, state, count(*) FROM come GROUP BY account, state;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO tallies (account, state, number) SELECT account, state, -count(*) FROM gone GROUP BY account, state;
  ELSE
    INSERT INTO tallies (account, state, number)
      SELECT account, state, sum(one) FROM (
        SELECT account, state, 1 AS one FROM come UNION ALL SELECT account, state, -1 FROM gone
      ) AS changes GROUP BY account, state HAVING sum(one) <> 0;
  END IF;
  RETURN NULL;
END $$"""
_MOVED = "WHEN OLD.state <> NEW.state OR OLD.account <> NEW.account"
_BOTH = "OLD TABLE AS gone NEW TABLE AS come"
_EACH = "FOR EACH STATEMENT EXECUTE FUNCTION tally_shares()"

TRIGGERS: Mapping[str, Sequence[str]] = {
    "sqlite": (
        f"CREATE TRIGGER tally_insert AFTER INSERT ON shares BEGIN{_MORE}\nEND",
        f"CREATE TRIGGER tally_delete AFTER DELETE ON shares BEGIN{_LESS}\nEND",
        f"CREATE TRIGGER tally_update AFTER UPDATE OF account, state ON shares {_MOVED} BEGIN{_LESS}{_MORE}\nEND",
    ),
    "postgresql": (
        _FUNCTION,
        f"CREATE TRIGGER tally_insert AFTER INSERT ON shares REFERENCING NEW TABLE AS come {_EACH}",
        f"CREATE TRIGGER tally_delete AFTER DELETE ON shares REFERENCING OLD TABLE AS gone {_EACH}",
        f"CREATE TRIGGER tally_update AFTER UPDATE ON shares REFERENCING OLD TABLE AS gone NEW TABLE AS come {_EACH}",
    ),
}
"""What the first schema runs."""
UNTRIGGERS: Mapping[str, Sequence[str]] = {
    "sqlite": tuple(f"DROP TRIGGER tally_{what}" for what in ("insert", "delete", "update")),
    "postgresql": (
        *(f"DROP TRIGGER tally_{what} ON shares" for what in ("insert", "delete", "update")),
        "DROP FUNCTION tally_shares()",
    ),
}
"""What takes it back."""


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """How many shares there are by (account, state)."""
    number = func.sum(tallies.c.number)
    query = select(tallies.c.account, tallies.c.state, number).group_by(tallies.c.account, tallies.c.state)
    return {(account, state): int(n) for account, state, n in tx.execute(query.having(number != 0))}


def many(tx: Connection) -> bool:
    """Whether ``compact`` is worth while."""
    return _scattered(tx) and tx.execute(select(tallies.c.id).offset(MANY).limit(1)).first() is not None


def _scattered(tx: Connection) -> bool:
    return tx.dialect.name == "postgresql"


def compact(tx: Connection) -> None:
    """Add up what single statements wrote; several may do it side by side."""
    if _scattered(tx):
        tx.execute(text(_COMPACT))


_COMPACT = """
WITH gone AS (DELETE FROM tallies RETURNING account, state, number)
INSERT INTO tallies (account, state, number)
SELECT account, state, sum(number) FROM gone GROUP BY account, state HAVING sum(number) <> 0"""
