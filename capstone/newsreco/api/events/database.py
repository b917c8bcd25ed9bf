"""The database of events: SQLite or PostgreSQL, with tables made and changed by Alembic."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from newsreco.feature_store.database import connect, masked

MIGRATIONS = Path(__file__).with_name("migrations")
WRITERS = 0x6E657773  # PostgreSQL's number of the lock that writers take


def connect_events(url: str, create: bool = True) -> sa.Engine:
    """An engine whose commits are on the disk when they return.

    Raises
    ------
    ValueError
        If the URL is not allowed, or it is SQLite in memory, which workers cannot share.
    """
    engine = connect(url)
    if engine.dialect.name == "sqlite":
        file = engine.url.database
        if file in (None, "", ":memory:"):
            raise ValueError("database of events must be a file, got SQLite in memory")
        if not create and not Path(file).is_file():
            raise ValueError(f"database of events {file!r} is missing")
        sa.event.listen(engine, "connect", _make_durable)
    return engine


def _make_durable(connection, _record) -> None:
    """Write ahead, so that readers do not wait for writers, and sync at each commit."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


@contextmanager
def writing(engine: sa.Engine):
    """A transaction that writes; writers follow one another, so numbers rise with the commits."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITERS)))
        yield connection


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables to this version, all or nothing.

    Raises
    ------
    ValueError
        If they were made by a later version of newsreco.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with writing(engine) as connection:
        now = MigrationContext.configure(connection).get_current_revision()
        if now == scripts.get_current_head():
            return
        if now is not None and now not in {script.revision for script in scripts.walk_revisions()}:
            raise ValueError(
                f"database {masked(engine.url)} was made by a later newsreco (revision {now}): "
                "install that version, or give another database"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
