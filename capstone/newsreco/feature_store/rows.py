"""Rows for the database: validated, then written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from newsreco.feature_store.views import TIMES, View
from recsys import validation

BATCH = 50_000  # rows in one statement


def as_columns(view: View, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Rows with the columns of the view, text and float64; ValueError if they do not fit."""
    names = list(columns.keys())
    if set(names) != set(view.columns):
        raise ValueError(f"{view.name} must be given {list(view.columns)}, got {names}")
    lengths = {name: len(columns[name]) for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of {view.name} must be equally long, got {lengths}")
    table = {name: as_text(name, columns[name]) for name in view.keys}
    for name in TIMES + view.features:
        values = columns[name] if lengths[name] else np.empty(0)
        # adding 0 turns -0.0 into 0.0, as SQLite would and PostgreSQL would not
        table[name] = validation.finite(name, values, lengths[name], np.float64) + 0.0
    return pd.DataFrame(table)


def as_keys(view: View, keys: Sequence) -> pd.DataFrame:
    """Keys to look up, one row each."""
    several = len(view.keys) > 1
    if isinstance(keys, str) or not np.iterable(keys):
        raise ValueError(f"keys must be a list, got {keys!r}")
    rows = [tuple(key) if several and not isinstance(key, str) else (key,) for key in keys]
    for row in rows:
        if len(row) != len(view.keys):
            raise ValueError(f"a key of {view.name} is {' and '.join(view.keys)}, got {row}")
    columns = zip(*rows) if rows else ((),) * len(view.keys)
    return pd.DataFrame({name: as_text(name, part) for name, part in zip(view.keys, columns)})


def as_text(name: str, values: Sequence) -> np.ndarray:
    """Texts that a database can hold: not empty, valid Unicode without the null character."""
    texts = list(values)
    for text in texts:
        if not isinstance(text, str) or not text or "\0" in text or not _encodes(text):
            raise ValueError(f"{name} must be a text that is not empty, got {text!r}")
    return np.array(texts, object)


def as_times(times: Any, n: int) -> np.ndarray:
    """Times as float64 seconds, one for each of n keys: (n,)."""
    times = np.full(n, times) if np.ndim(times) == 0 else times
    return validation.finite("times", times, n, np.float64)


def insert_new(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> int:
    """Insert the rows that do not exist yet; returns how many."""
    added = 0
    for first in range(0, len(rows), BATCH):
        batch = rows.iloc[first : first + BATCH]
        insert, values = _insert(connection, table, batch)
        result = connection.execute(
            insert.on_conflict_do_nothing(), values, execution_options={"preserve_rowcount": True}
        )
        added += result.rowcount
    return added


def upsert_latest(connection: sa.Connection, view: View, rows: pd.DataFrame) -> None:
    """Bring the table of the latest rows up to date with rows of the view, in any order.

    Keys are written in one order, so that no two jobs wait for each other.
    """
    ordered = rows.sort_values([*view.keys, *TIMES])
    last = ordered.drop_duplicates(list(view.keys), keep="last")
    for first in range(0, len(last), BATCH):
        insert, values = _insert(connection, view.latest, last.iloc[first : first + BATCH])
        table, given = view.latest.c, insert.excluded
        newer = sa.or_(
            given.event_time > table.event_time,
            sa.and_(given.event_time == table.event_time, given.created_time > table.created_time),
        )
        changes = {name: given[name] for name in TIMES + view.features}
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(view.keys), set_=changes, where=newer),
            values,
        )


def _insert(
    connection: sa.Connection, table: sa.Table, batch: pd.DataFrame
) -> tuple[sa.Insert, list[dict] | None]:
    """The statement that inserts rows, and its values unless it holds them."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table), batch.to_dict("records")
    select = sa.select(_unnest("given", batch))  # twice as fast as row by row
    return postgresql.insert(table).from_select(list(batch), select), None


@contextmanager
def as_table(connection: sa.Connection, name: str, rows: pd.DataFrame) -> Iterator[sa.FromClause]:
    """The rows as a table to join with: arrays on PostgreSQL, a temporary table on SQLite."""
    if connection.dialect.name == "postgresql":
        yield _unnest(name, rows)
        return
    columns = [sa.Column(column, _type(rows[column]), nullable=False) for column in rows]
    table = sa.Table(name, sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    table.create(connection, checkfirst=False)
    insert_new(connection, table, rows)
    yield table  # if the block raises, the transaction is undone, and the table with it
    table.drop(connection, checkfirst=False)


def _unnest(name: str, rows: pd.DataFrame) -> sa.TableValuedAlias:
    """The rows as a table that PostgreSQL makes from one array per column."""
    arrays = [sa.cast(rows[column].tolist(), sa.ARRAY(_type(rows[column]))) for column in rows]
    columns = [sa.column(column, _type(rows[column])) for column in rows]
    return sa.func.unnest(*arrays).table_valued(*columns, name=name).render_derived()


def _type(column: pd.Series) -> type[sa.types.TypeEngine]:
    return sa.Double if column.dtype == np.float64 else sa.Text


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
