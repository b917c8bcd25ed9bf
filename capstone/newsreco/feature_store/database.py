"""Database URLs, connections, and errors in one sentence that never shows a password."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from newsreco.config import read_config

ALLOWED = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
OLD_COLUMNS = r"no column named|no such column|column .* does not exist"


def database_url(given: str | None = None) -> str:
    """URL of the database: the argument, else NEWSRECO_DATABASE_URL, else a file in this folder.

    Raises
    ------
    ValueError
        If it names a database in memory, whose features would be gone when the command ends.
    """
    database = given or read_config().database_url
    url = parse_url(database)
    if url.drivername == "sqlite" and not url.host and _in_memory(url):
        raise ValueError(
            f"database must be {ALLOWED}, got {database!r}, which is in memory and would be gone "
            "when the command ends"
        )
    return database


def _in_memory(url: sa.URL) -> bool:
    name = url.database or ":memory:"
    return ":memory:" in name or url.query.get("mode") == "memory"


def connect(database: str, create: bool = True) -> sa.Engine:
    """An engine for SQLite, or for PostgreSQL through psycopg 3.

    Raises
    ------
    ValueError
        If the URL is not allowed, its driver is not installed, or the file or its folder is
        missing.
    """
    url = parse_url(database)
    if url.drivername == "sqlite":
        _check_file(url, create)
        timeout = read_config().database_lock_timeout
        engine = sa.create_engine(url, connect_args={"timeout": timeout})
        sa.event.listen(engine, "begin", _begin)
        return engine
    if find_spec("psycopg") is None:
        raise ValueError(
            f"database {masked(url)} needs the package psycopg: pip install 'psycopg[binary]'"
        )
    timeout = math.ceil(read_config().database_connect_timeout)
    return sa.create_engine(url, connect_args={"connect_timeout": timeout})


def parse_url(database: str) -> sa.URL:
    """The URL, with its driver; an error shows nothing that may contain a password."""
    host = re.sub(r"^[\w+]*://|[/?].*$", "", database)
    if host.count("@") > 1:
        raise ValueError("database must have one @ before the host; in a password write %40")
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(f"database must be {ALLOWED}, got something that is no URL") from None
    if url.drivername in POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return url.set(drivername="sqlite")
    raise ValueError(f"database must be {ALLOWED}, got the kind {url.drivername!r}")


def masked(url: sa.URL) -> str:
    """The URL with asterisks for the password, among the options too."""
    options = {name: "***" if "pass" in name.lower() else v for name, v in url.query.items()}
    shown = url.set(query=options).render_as_string(hide_password=True)
    return shown.replace("%2A%2A%2A", "***")


@contextmanager
def short_errors(url: sa.URL) -> Iterator[None]:
    """Turn a driver's errors into one sentence: which database, and what was wrong.

    Raises
    ------
    ValueError
        If the database is not a feature store.
    ConnectionError
        If it cannot be reached, denies access, or goes away. The transaction is undone.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = _reason(error, url)
    else:
        return
    if "file is not a database" in reason:
        raise ValueError(f"database {masked(url)} is a file of another kind, no SQLite database")
    if re.search(OLD_COLUMNS, reason):
        raise ValueError(
            f"database {masked(url)} was built by an older newsreco ({reason}): give a new "
            "database and run `newsreco features build`"
        )
    if "no such table" in reason or re.search(r'relation ".*" does not exist', reason):
        raise ValueError(
            f"database {masked(url)} holds no feature tables: run `newsreco features build` first"
        )
    raise ConnectionError(f"database {masked(url)}: {reason}; nothing was half-written")


def _reason(error: Exception, url: sa.URL) -> str:
    """The driver's message in one line, passwords masked."""
    message = " ".join(str(error.orig).split())
    secrets = [url.password, *(v for name, v in url.query.items() if "pass" in name.lower())]
    for secret in filter(None, secrets):
        message = message.replace(str(secret), "***")
    return message.rstrip(".")


def _check_file(url: sa.URL, create: bool) -> None:
    if url.host:
        raise ValueError("database must be sqlite:///FILE, with three slashes before the file")
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"database must be a file in a folder that exists, got {str(path)!r}")
    if not create and not path.is_file():
        raise ValueError(f"database {str(path)!r} is missing: run `newsreco features build` first")


def _begin(connection: sa.Connection) -> None:
    """Begin SQLite's transactions explicitly, so that they include CREATE TABLE.

    A transaction that will write takes the write lock at once: SQLite cannot wait for it later.
    """
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
