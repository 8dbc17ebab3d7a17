"""Alembic's entry: the connection is handed in by the store, so there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from reverberate.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
