"""Rows on their way into the database: checked first, then written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from newsreco.feature_store.views import CLOCKS, View
from recsys import validation

if TYPE_CHECKING:
    import sqlalchemy as sa

AT_ONCE = 50_000  # rows a statement


def as_columns(view: View, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The columns of some rows as the view wants them, text and float64, or an error."""
    names = list(columns.keys())
    if set(names) != set(view.columns):
        raise ValueError(f"{view.name} must be given {list(view.columns)}, got {names}")
    lengths = {name: len(columns[name]) for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of {view.name} must be equally long, got {lengths}")
    table = {name: as_text(name, columns[name]) for name in view.keys}
    for name in CLOCKS + view.features:
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
    """Texts that a database can hold: not empty, without the character 0, valid Unicode."""
    texts = list(values)
    for text in texts:
        if not isinstance(text, str) or not text or "\0" in text or not _encodes(text):
            raise ValueError(f"{name} must be a text that is not empty, got {text!r}")
    return np.array(texts, object)


def as_moments(times: Any, n: int) -> np.ndarray:
    """Moments as float64 seconds, one for each of n keys: (n,)."""
    times = np.full(n, times) if np.ndim(times) == 0 else times
    return validation.finite("times", times, n, np.float64)


def fill(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> int:
    """Insert rows and count those that were new; those already there are left alone."""
    quote = connection.dialect.identifier_preparer
    names = ", ".join(quote.quote(name) for name in rows)
    into = f"INSERT INTO {quote.format_table(table)} ({names})"
    added = 0
    for first in range(0, len(rows), AT_ONCE):
        part = rows.iloc[first : first + AT_ONCE]
        columns = [part[name].tolist() for name in part]
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            statement = f"{into} VALUES ({marks}) ON CONFLICT DO NOTHING"
            added += connection.exec_driver_sql(statement, list(zip(*columns))).rowcount
        else:  # a column is one parameter: many times as fast as a row a time
            kinds = ["float8" if part[name].dtype == np.float64 else "text" for name in part]
            lists = ", ".join(f"%s::{kind}[]" for kind in kinds)
            statement = f"{into} SELECT * FROM unnest({lists}) ON CONFLICT DO NOTHING"
            added += connection.exec_driver_sql(statement, tuple(columns)).rowcount
    return added


@contextmanager
def as_table(connection: sa.Connection, name: str, rows: pd.DataFrame) -> Iterator[sa.FromClause]:
    """The rows as a table to join with, for as long as it is needed.

    PostgreSQL takes each column as one array; on SQLite it is a temporary table.
    """
    import sqlalchemy as sa

    kinds = {column: sa.Double if rows[column].dtype == np.float64 else sa.Text for column in rows}
    if connection.dialect.name == "postgresql":
        arrays = [sa.cast(rows[column].tolist(), sa.ARRAY(kind)) for column, kind in kinds.items()]
        columns = [sa.column(column, kind) for column, kind in kinds.items()]
        yield sa.func.unnest(*arrays).table_valued(*columns, name=name).render_derived()
        return
    columns = [sa.Column(column, kind, nullable=False) for column, kind in kinds.items()]
    table = sa.Table(name, sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    table.create(connection, checkfirst=False)
    fill(connection, table, rows)
    yield table  # where this raises, the transaction is undone, and the table with it
    table.drop(connection, checkfirst=False)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
