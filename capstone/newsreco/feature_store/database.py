"""Opening a database, and saying plainly what went wrong, without ever printing a password."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from newsreco.config import read_config

if TYPE_CHECKING:
    import sqlalchemy as sa

ALLOWED = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


def database_url(given: str | None = None) -> str:
    """The database to use: the one given, else NEWSRECO_DATABASE_URL, else a file here."""
    return given or read_config().database_url


def connect(database: str, create: bool = True) -> sa.Engine:
    """An engine for a database whose kind is known; PostgreSQL always through psycopg 3.

    Raises
    ------
    ValueError
        If the URL is none that may be given, its driver is missing, or the file or its folder is.
    """
    import sqlalchemy as sa

    url = parse(database)
    if url.drivername == "sqlite":
        _check_file(url, create)
        timeout = read_config().database_lock_timeout
        engine = sa.create_engine(url, connect_args={"timeout": timeout})
        _begin_for_real(engine)
        return engine
    if find_spec("psycopg") is None:
        raise ValueError(
            f"database {masked(url)} needs the package psycopg: pip install 'psycopg[binary]'"
        )
    timeout = math.ceil(read_config().database_connect_timeout)
    return sa.create_engine(url, connect_args={"connect_timeout": timeout})


def parse(database: str) -> sa.URL:
    """The URL with the driver that is used; an error shows nothing that may hold a password."""
    import sqlalchemy as sa

    place = re.sub(r"^[\w+]*://|[/?].*$", "", database)
    if place.count("@") > 1:
        raise ValueError("database must have one @ before the host; in a password write %40")
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(f"database must be {ALLOWED}; what came is no such address") from None
    if url.drivername in POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return url.set(drivername="sqlite")
    raise ValueError(f"database must be {ALLOWED}, got the kind {url.drivername!r}")


def masked(url: sa.URL) -> str:
    """The URL as it may be printed; a password may also stand among the options."""
    options = {name: "***" if "pass" in name.lower() else v for name, v in url.query.items()}
    shown = url.set(query=options).render_as_string(hide_password=True)
    return shown.replace("%2A%2A%2A", "***")


@contextmanager
def plain_errors(url: sa.URL) -> Iterator[None]:
    """Turn a driver's errors into one sentence each: which database, and what was wrong.

    Raises
    ------
    ValueError
        If what is there is no database of ours.
    ConnectionError
        If it cannot be reached, refuses us, or goes away. What was being written is undone.
    """
    import sqlalchemy as sa

    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = _reason(error, url)
    else:
        return
    if "file is not a database" in reason:
        raise ValueError(f"database {masked(url)} is a file of another kind, no SQLite database")
    if "no such table" in reason or re.search(r'relation ".*" does not exist', reason):
        raise ValueError(
            f"database {masked(url)} holds no feature tables: run `newsreco features build` first"
        )
    raise ConnectionError(f"database {masked(url)}: {reason}; nothing was half-written")


def _reason(error: Exception, url: sa.URL) -> str:
    """The driver's own first sentence, less any password."""
    said = " ".join(str(error.orig).split())
    secrets = [url.password, *(v for name, v in url.query.items() if "pass" in name.lower())]
    for secret in secrets:
        said = said.replace(str(secret), "***") if secret else said
    return said.rstrip(".")


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


def _begin_for_real(engine: sa.Engine) -> None:
    """Begin SQLite's transactions at once, not before the first row, so that they hold tables too.

    One that will write says so: to find out later that somebody else is writing is an error.
    """
    from sqlalchemy import event

    @event.listens_for(engine, "begin")
    def begin(connection):
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
