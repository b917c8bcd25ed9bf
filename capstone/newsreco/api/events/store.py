"""The event store: appended to, never changed, except where a user's data are deleted.

An event is acknowledged after its transaction is on the disk. It is idempotent: an `event_id` that
is known already changes nothing, so a client may send an event again until it is acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from newsreco.api.events import tables
from newsreco.api.events.database import connect_events, masked, upgrade, writing

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
KINDS = ("impression", "click", "like", "dismiss", "dwell")


@dataclass(frozen=True)
class Event:
    """What a user did: `event` is one of KINDS, `time` seconds UTC, `position` 0 at the top."""

    event_id: str
    user_id: str
    news_id: str
    event: str
    time: float
    list_id: str | None = None
    position: int | None = None
    dwell_ms: int | None = None
    number: int | None = None


@dataclass(frozen=True)
class ServedList:
    """A list that was recommended.

    Parameters
    ----------
    news_ids : tuple of str
        From the top down.
    explored : int
        Position at which articles are explored; -1 if none is.
    propensity : float
        Probability with which the article at that position was drawn; 1 without exploration.
    """

    list_id: str
    user_id: str
    time: float
    model: str
    bucket: str
    news_ids: tuple[str, ...]
    explored: int = -1
    propensity: float = 1.0
    number: int | None = None


@dataclass(frozen=True)
class NewArticle:
    """An article that arrived while the service ran."""

    news_id: str
    category: str
    subcategory: str
    title: str
    abstract: str
    url: str
    time: float
    number: int | None = None


Row = Event | ServedList | NewArticle
TABLES = {Event: tables.EVENTS, ServedList: tables.LISTS, NewArticle: tables.ARTICLES}
LAST_NUMBERS = (
    "SELECT (SELECT max(number) FROM events), (SELECT max(number) FROM articles), "
    "(SELECT max(number) FROM deleted_users)"
)
KEYS = {Event: "event_id", ServedList: "list_id", NewArticle: "news_id"}


class EventStore:
    """Events, served lists, new articles and deleted users in one database.

    Parameters
    ----------
    url : str
        sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; tables are made if missing.
    create : bool
        Whether a SQLite file may be missing.
    """

    def __init__(self, url: str, create: bool = True):
        self.engine = connect_events(url, create)
        try:
            with self._short_errors():
                upgrade(self.engine)
        except BaseException:
            self.engine.dispose()
            raise
        self.watch = None
        if self.engine.dialect.name == "sqlite":  # a tenth of the time of a pooled connection
            self.watch = sqlite3.connect(self.engine.url.database, check_same_thread=False)

    def __enter__(self) -> EventStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        if self.watch is not None:
            self.watch.close()
        self.engine.dispose()

    def add(self, rows: Sequence[Row]) -> list[bool]:
        """Append rows in one transaction; False for each whose id was known already.

        What a deleted user does later is not stored either: it is known to be unwanted.

        Raises
        ------
        ConnectionError
            If the database cannot be written. Nothing was stored then.
        """
        with self.transaction() as connection:
            deleted = self._deleted(connection, rows)
            wanted = [row for row in rows if row_user(row) not in deleted]
            new = {kind: self._insert(connection, kind, wanted) for kind in TABLES}
        return [_take(new[type(row)], getattr(row, KEYS[type(row)])) for row in rows]

    def _insert(self, connection: sa.Connection, kind: type[Row], rows: Sequence[Row]) -> set[str]:
        """Append the rows of a kind in one statement; the keys that were not known."""
        values = [_values(row) for row in rows if type(row) is kind]
        if not values:
            return set()
        table, key = TABLES[kind], KEYS[kind]
        insert = INSERT[self.engine.dialect.name](table).on_conflict_do_nothing(
            index_elements=[key]
        )
        return set(connection.scalars(insert.returning(table.c[key]), values))

    def _deleted(self, connection: sa.Connection, rows: Sequence[Row]) -> set[str]:
        users = {user for row in rows if (user := row_user(row)) is not None}
        column = tables.DELETED_USERS.c.user_id
        return set(connection.scalars(sa.select(column).where(column.in_(users))))

    def after(self, kind: type[Row], number: int, limit: int = 10_000) -> list[Row]:
        """The next rows of a kind (Event, ServedList or NewArticle) in order, at most `limit`."""
        table = TABLES[kind]
        query = sa.select(table).where(table.c.number > number).order_by(table.c.number)
        with self.reading() as connection:
            found = connection.execute(query.limit(limit)).mappings().all()
        return [_restored(kind, row) for row in found]

    def all(self, kind: type[Row]) -> Iterator[Row]:
        """All rows of a kind in order, in bounded memory."""
        number = 0
        while rows := self.after(kind, number):
            yield from rows
            number = rows[-1].number

    def of_user(self, kind: type[Event] | type[ServedList], user_id: str) -> list:
        """A user's rows of a kind, in order."""
        table = TABLES[kind]
        query = sa.select(table).where(table.c.user_id == user_id).order_by(table.c.number)
        with self.reading() as connection:
            return [_restored(kind, row) for row in connection.execute(query).mappings()]

    def delete_user(self, user_id: str, time: float) -> int:
        """Delete all that is stored of a user, and remember the id; returns the number of rows."""
        row = {"user_id": user_id, "time": time}
        insert = INSERT[self.engine.dialect.name](tables.DELETED_USERS).values(row)
        with self.transaction() as connection:
            connection.execute(insert.on_conflict_do_nothing(index_elements=["user_id"]))
            return sum(
                connection.execute(sa.delete(t).where(t.c.user_id == user_id)).rowcount
                for t in (tables.EVENTS, tables.LISTS)
            )

    def deleted_users(self, number: int = 0) -> list[tuple[int, str]]:
        """Number and id of each user deleted after a number, in order."""
        table = tables.DELETED_USERS
        query = sa.select(table.c.number, table.c.user_id).where(table.c.number > number)
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(query.order_by(table.c.number))]

    def version(self) -> tuple[int | None, ...]:
        """The last number of events, articles and deleted users: quick, to see what is new."""
        if self.watch is not None:
            try:
                return self.watch.execute(LAST_NUMBERS).fetchone()
            except sqlite3.Error as error:
                raise ConnectionError(f"database of events: {error}") from None
        with self.reading() as connection:
            return tuple(connection.exec_driver_sql(LAST_NUMBERS).one())

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A connection that writes, all or nothing; other writers wait until the block ends."""
        with self._short_errors(), writing(self.engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that reads one consistent state."""
        with self._short_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _short_errors(self) -> Iterator[None]:
        """Turn a driver's error into one sentence without a password."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            reason = " ".join(str(error.orig).split()).rstrip(".")
            if self.engine.url.password:
                reason = reason.replace(self.engine.url.password, "***")
        else:
            return
        if "file is not a database" in reason:
            raise ValueError(f"database {masked(self.engine.url)} is a file of another kind")
        raise ConnectionError(f"database of events {masked(self.engine.url)}: {reason}")


def row_user(row: Row) -> str | None:
    """The user that a row is about."""
    return getattr(row, "user_id", None)


def _values(row: Row) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name != "number"}
    if isinstance(row, ServedList):
        values["news_ids"] = " ".join(row.news_ids)
    return values


def _take(keys: set[str], key: str) -> bool:
    """Whether a key is in the set; the second time it is not."""
    found = key in keys
    keys.discard(key)
    return found


def _restored(kind: type[Row], row) -> Row:
    values = {field.name: row[field.name] for field in fields(kind)}
    if kind is ServedList:
        values["news_ids"] = tuple(values["news_ids"].split())
    return kind(**values)
