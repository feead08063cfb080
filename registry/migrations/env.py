"""Run by Alembic: the connection, in its transaction, is given by :mod:`driftline.registry.migrating`."""

from __future__ import annotations

from alembic import context

from driftline.registry.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=True,
)
# The caller's transaction is the one transaction: SQLite, too, undoes changes of tables.
context.run_migrations()
