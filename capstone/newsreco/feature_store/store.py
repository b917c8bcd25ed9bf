"""The feature store: bitemporal rows, read as they were known at a time.

Training asks for many times in the past and serving for one, now; both run the same query, on
SQLite and on PostgreSQL (see `point_in_time`). For serving alone there is a table of the latest row
of each key, which every write keeps true. Left out: deleting old rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from newsreco.feature_store.database import connect, short_errors
from newsreco.feature_store.point_in_time import as_of_query, latest_query, snapshot_query
from newsreco.feature_store.rows import (
    as_columns,
    as_keys,
    as_table,
    as_times,
    insert_new,
    upsert_latest,
)
from newsreco.feature_store.views import TIMES, VIEWS, View


class FeatureStore:
    """Feature views in a database.

    Parameters
    ----------
    database : str
        sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.
    views : sequence of View
    create : bool
        Create missing tables; otherwise they must exist.
    """

    def __init__(self, database: str, views: Sequence[View] = VIEWS, create: bool = True):
        self.views = {view.name: view for view in views}
        self.engine = connect(database, create)
        if create:
            try:
                self._create_tables()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, view: str, columns: Mapping[str, Any]) -> int:
        """Add rows, all or none; rows that exist already are skipped.

        Parameters
        ----------
        view : str
        columns : mapping of str to sequence, or DataFrame
            One entry per row: the view's keys, event_time, created_time and features.

        Returns
        -------
        int
            Number of new rows.

        Raises
        ------
        ValueError
            If a column is missing or unknown, a number is not finite, or a row exists already
            with other features: history is corrected by a row with a later created_time.
        """
        with self.transaction(writes=True) as connection:
            return self.add(connection, view, columns)

    def add(self, connection: sa.Connection, view: str, columns: Mapping[str, Any]) -> int:
        """`write` within a transaction of the caller."""
        view = self.view(view)
        rows = as_columns(view, columns)
        added = insert_new(connection, view.table, rows)
        if added < len(rows):
            self._check_same(connection, view, rows)
        upsert_latest(connection, view, rows)
        return added

    def as_of(self, view: str, keys: Sequence, times: Any) -> pd.DataFrame:
        """The features of each key as they were known at its time.

        Parameters
        ----------
        view : str
        keys : sequence of str, or of tuples of str where the view has several keys
        times : float or array (n,)
            Seconds UTC; one number stands for all.

        Returns
        -------
        DataFrame
            One row per key, in the order asked: event_time, created_time and the features,
            float64; nan where nothing was known.
        """
        view = self.view(view)
        asked = as_keys(view, keys)
        asked["time"] = as_times(times, len(asked))
        asked["position"] = np.arange(len(asked), dtype=np.float64)
        with self.transaction() as connection, as_table(connection, "asked", asked) as table:
            rows = connection.execute(as_of_query(view, table)).all()
        return _in_order(view, rows, len(asked))

    def latest(self, view: str, keys: Sequence) -> pd.DataFrame:
        """The features of each key as they are once everything written is known, for serving.

        The same as `as_of(view, keys, now(view))`, read from a table with one row per key.
        Parameters and result as of `as_of`.
        """
        view = self.view(view)
        asked = as_keys(view, keys)
        asked["position"] = np.arange(len(asked), dtype=np.float64)
        with self.transaction() as connection, as_table(connection, "asked", asked) as table:
            rows = connection.execute(latest_query(view, table)).all()
        return _in_order(view, rows, len(asked))

    def snapshot(self, view: str, time: float, **fixed: str) -> pd.DataFrame:
        """Every key's features as they were known at one time, sorted by key.

        `snapshot("user_item", t, user_id="U13")` restricts the keys to those of one user.
        """
        view = self.view(view)
        if unknown := set(fixed) - set(view.keys):
            raise ValueError(f"{view.name} has the keys {list(view.keys)}, got {sorted(unknown)}")
        query = snapshot_query(view, float(as_times(time, 1)[0]), fixed)
        with self.transaction() as connection:
            rows = connection.execute(query).all()
        table = pd.DataFrame(rows, columns=list(view.columns)).astype(
            dict.fromkeys(TIMES + view.features, np.float64)
        )
        return table.sort_values(list(view.keys), ignore_index=True)

    def history(self, view: str, keys: Sequence) -> pd.DataFrame:
        """All rows of some keys, superseded ones included, by key and both times."""
        view = self.view(view)
        asked = as_keys(view, keys).drop_duplicates()
        with self.transaction() as connection:
            table = self._matching(connection, view, asked)
        return table.sort_values([*view.keys, *TIMES], ignore_index=True)

    def now(self, view: str = "item") -> float:
        """The first time at which everything in a view is known."""
        table = self.view(view).table
        with self.transaction() as connection:
            last = connection.execute(
                sa.select(sa.func.max(table.c.event_time), sa.func.max(table.c.created_time))
            ).one()
        if last[0] is None:
            raise ValueError(f"the store holds no rows of {view!r}: build the features first")
        return float(np.nextafter(max(last), np.inf))

    def view(self, name: str) -> View:
        """The view of that name."""
        if name not in self.views:
            raise ValueError(f"view must be one of {list(self.views)}, got {name!r}")
        return self.views[name]

    @contextmanager
    def transaction(self, writes: bool = False) -> Iterator[sa.Connection]:
        """A connection whose changes are committed at the end, or undone if the block raises."""
        engine = self.engine.execution_options(writes=writes)
        with short_errors(engine.url), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections to the database."""
        self.engine.dispose()

    def _create_tables(self) -> None:
        with self.transaction(writes=True) as connection:
            one_at_a_time(connection)
            for view in self.views.values():
                view.table.create(connection, checkfirst=True)
                if not sa.inspect(connection).has_table(view.latest.name):
                    view.latest.create(connection)
                    rows = snapshot_query(view, np.inf, {}).subquery()  # of an earlier newsreco
                    columns = [rows.c[name] for name in view.columns]
                    connection.execute(
                        sa.insert(view.latest).from_select(list(view.columns), sa.select(*columns))
                    )

    def _check_same(self, connection: sa.Connection, view: View, rows: pd.DataFrame) -> None:
        """Raise an error if a row is stored with features other than those given."""
        key = list(view.keys + TIMES)
        stored = self._matching(connection, view, rows[key].drop_duplicates())
        both = rows.merge(stored, on=key, suffixes=("", " stored"))
        for name in view.features:
            differ = (both[name] != both[f"{name} stored"]).to_numpy()
            if differ.any():
                row = both.iloc[[int(differ.argmax())]].to_dict("records")[0]
                raise ValueError(
                    f"{view.name} has a row { {part: row[part] for part in key} } with {name} = "
                    f"{row[f'{name} stored']}, got {row[name]}: rows never change, write a "
                    "correction with a later created_time"
                )

    def _matching(self, connection: sa.Connection, view: View, asked: pd.DataFrame) -> pd.DataFrame:
        """The rows of a view that agree with a row of `asked` in all its columns."""
        columns = [view.table.c[name] for name in view.columns]
        with as_table(connection, "asked", asked) as table:
            same = sa.and_(*[view.table.c[name] == table.c[name] for name in asked])
            query = sa.select(*columns).join_from(table, view.table, same)
            return pd.DataFrame(connection.execute(query).all(), columns=list(view.columns))


def _in_order(view: View, rows: Sequence[Sequence[float]], n: int) -> pd.DataFrame:
    """Rows that begin with their position, in the order asked; nan where nothing was found."""
    found = np.full((n, len(TIMES + view.features)), np.nan)
    if rows:
        numbers = np.array(rows, np.float64)  # (n_found, 1 + n_columns)
        found[numbers[:, 0].astype(np.int64)] = numbers[:, 1:]
    return pd.DataFrame(found, columns=list(TIMES + view.features))


def one_at_a_time(connection: sa.Connection) -> None:
    """Wait until no other transaction is past this line (PostgreSQL)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(725)")
