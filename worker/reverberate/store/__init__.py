"""The store: the only truth.

Every function of its modules takes a connection, so that the caller decides what is one transaction::

with store.write() as tx:
post_id = posts.add(tx, ...)
shares.plan(tx, ...)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection

from reverberate.store.engine import explained, migrate, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

Transaction: TypeAlias = Connection
"""What one transaction is to those outside the store, who hand it on and look no further."""


class Store:
    """An open database, schema up to date.

    Raises:
        StoreError: it cannot be reached, read or migrated.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._readers = self._engine.execution_options(writes=False)
        self._pool, self._closed = self._engine.pool, False
        try:
            migrate(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: all or nothing, durable when it returns."""
        with self._lent(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent look; waits for no writer."""
        with self._lent(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def _lent(self) -> Iterator[None]:
        """While somebody has a connection; what comes back to a closed store is closed."""
        try:
            with explained(self._engine):
                yield
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Give all connections back; one that somebody still works with, as soon as he has done."""
        self._closed = True
        self._pool.dispose()  # the engine gets a new one, and what was out comes back to this
        self._engine.dispose()
