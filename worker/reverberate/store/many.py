"""Statements that run for many rows at a time, many times a second.

SQLAlchemy looks at every value of every row anew, which costs more than the database's own work. These are compiled once
for each kind of database, and their values go to the driver as they are: instants by ``tables.micros``, JSON as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Dialect


class Many:
    """One such statement; ``make`` builds it for a dialect's name, with a bind parameter for each value."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make
        self._compiled: dict[str, tuple[str, Sequence[str] | None]] = {}

    def run(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """For each of these rows, which hold the parameters by name; none is fine."""
        if not rows:
            return
        sql, order = self._compiled.get(tx.dialect.name) or self._compile(tx.dialect)
        tx.exec_driver_sql(sql, [tuple([row[name] for name in order]) for row in rows] if order else list(rows))

    def _compile(self, dialect: Dialect) -> tuple[str, Sequence[str] | None]:
        made = self._make(dialect.name).compile(dialect=dialect)
        self._compiled[dialect.name] = made.string, made.positiontup
        return self._compiled[dialect.name]
