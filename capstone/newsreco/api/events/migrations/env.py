"""Alembic's entry point; `newsreco.api.events.database.upgrade` gives it an open connection."""

from alembic import context

from newsreco.api.events.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
