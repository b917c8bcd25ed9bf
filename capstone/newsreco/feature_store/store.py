"""The feature store: rows with two clocks, read as they were known at a moment.

Training asks for many moments of the past and serving for one, now; both run the same query, on
SQLite and on PostgreSQL (see `queries`). Left out: deleting old rows, and a faster copy of the
latest ones for serving.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from newsreco.feature_store.database import connect, plain_errors
from newsreco.feature_store.point_in_time import as_of_query, snapshot_query
from newsreco.feature_store.rows import as_columns, as_keys, as_moments, as_table, fill
from newsreco.feature_store.views import CLOCKS, VIEWS, View

if TYPE_CHECKING:
    import sqlalchemy as sa


class FeatureStore:
    """Feature views in a database.

    Parameters
    ----------
    database : str
        sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.
    views : sequence of View
    create : bool
        Make missing tables; otherwise they must be there.
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
        """Add rows, all or none; a row that is there already is left as it is.

        Parameters
        ----------
        view : str
        columns : mapping of str to sequence, or DataFrame
            One entry a row: the view's keys, event_time, created_time and features.

        Returns
        -------
        int
            How many rows are new.

        Raises
        ------
        ValueError
            If a column is missing or unknown, a number is not finite, or a row is there already
            with other features: history is corrected by a row with a later created_time.
        """
        with self.transaction(writes=True) as connection:
            return self.add(connection, view, columns)

    def add(self, connection: sa.Connection, view: str, columns: Mapping[str, Any]) -> int:
        """`write` within a transaction of the caller's."""
        view = self.view(view)
        rows = as_columns(view, columns)
        added = fill(connection, view.table, rows)
        if added < len(rows):
            self._check_same(connection, view, rows)
        return added

    def as_of(self, view: str, keys: Sequence, times: Any) -> pd.DataFrame:
        """The features of each key as they were known at its moment.

        Parameters
        ----------
        view : str
        keys : sequence of str, or of tuples of str where the view has several keys
        times : float or array (n,)
            Moments, seconds UTC; one number stands for all.

        Returns
        -------
        DataFrame
            One row a key, in the order asked: event_time, created_time and the features, float64;
            nan where nothing was known.
        """
        view = self.view(view)
        asked = as_keys(view, keys)
        asked["moment"] = as_moments(times, len(asked))
        asked["place"] = np.arange(len(asked), dtype=np.float64)
        found = np.full((len(asked), len(CLOCKS + view.features)), np.nan)
        with self.transaction() as connection, as_table(connection, "asked", asked) as table:
            rows = connection.execute(as_of_query(view, table)).all()
        if rows:
            numbers = np.array(rows, np.float64)  # (n_found, 1 + n_columns)
            found[numbers[:, 0].astype(np.int64)] = numbers[:, 1:]
        return pd.DataFrame(found, columns=list(CLOCKS + view.features))

    def snapshot(self, view: str, moment: float, **fixed: str) -> pd.DataFrame:
        """Every key's features as they were known at one moment, sorted by key.

        `snapshot("user_item", t, user_id="U13")` keeps to the keys of one person.
        """
        view = self.view(view)
        if unknown := set(fixed) - set(view.keys):
            raise ValueError(f"{view.name} has the keys {list(view.keys)}, got {sorted(unknown)}")
        query = snapshot_query(view, float(as_moments(moment, 1)[0]), fixed)
        with self.transaction() as connection:
            rows = connection.execute(query).all()
        table = pd.DataFrame(rows, columns=list(view.columns)).astype(
            dict.fromkeys(CLOCKS + view.features, np.float64)
        )
        return table.sort_values(list(view.keys), ignore_index=True)

    def history(self, view: str, keys: Sequence) -> pd.DataFrame:
        """Every row ever written of some keys, by key and both clocks: for looking into."""
        import sqlalchemy as sa

        view = self.view(view)
        with self.transaction() as connection:
            asked = as_keys(view, keys).drop_duplicates()
            with as_table(connection, "asked", asked) as few:
                same = sa.and_(*[view.table.c[key] == few.c[key] for key in view.keys])
                columns = [view.table.c[name] for name in view.columns]
                rows = connection.execute(
                    sa.select(*columns).join_from(few, view.table, same)
                ).all()
        table = pd.DataFrame(rows, columns=list(view.columns))
        return table.sort_values([*view.keys, *CLOCKS], ignore_index=True)

    def now(self, view: str = "item") -> float:
        """The first moment at which everything in a view is known."""
        import sqlalchemy as sa

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
        """A connection whose changes are kept if nothing goes wrong, and undone if it does."""
        engine = self.engine.execution_options(writes=writes)
        with plain_errors(engine.url), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the database its connections back."""
        self.engine.dispose()

    def _create_tables(self) -> None:
        with self.transaction(writes=True) as connection:
            one_at_a_time(connection)
            for view in self.views.values():
                view.table.create(connection, checkfirst=True)

    def _check_same(self, connection: sa.Connection, view: View, rows: pd.DataFrame) -> None:
        """An error if a row is stored with other features than those given."""
        import sqlalchemy as sa

        where = list(view.keys + CLOCKS)
        columns = [view.table.c[name] for name in view.columns]
        with as_table(connection, "given", rows[where].drop_duplicates()) as given:
            same = sa.and_(*[view.table.c[name] == given.c[name] for name in where])
            query = sa.select(*columns).join_from(given, view.table, same)
            stored = pd.DataFrame(connection.execute(query).all(), columns=list(view.columns))
        both = rows.merge(stored, on=where, suffixes=("", " stored"))
        for name in view.features:
            differ = (both[name] != both[f"{name} stored"]).to_numpy()
            if differ.any():
                row = both.iloc[[int(differ.argmax())]].to_dict("records")[0]
                raise ValueError(
                    f"{view.name} has a row { {key: row[key] for key in where} } with {name} = "
                    f"{row[f'{name} stored']}, got {row[name]}: rows never change, write a "
                    "correction with a later created_time"
                )


def one_at_a_time(connection: sa.Connection) -> None:
    """Wait until no other connection is past this line in a transaction (PostgreSQL)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(725)")
