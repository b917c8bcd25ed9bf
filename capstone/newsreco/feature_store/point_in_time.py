r"""Point-in-time queries, in SQL that SQLite and PostgreSQL both understand.

For a key and a time t, the row that counts is the latest of those that were true before t and
known by t,

.. math:: \text{event\_time} < t \quad\text{and}\quad \text{created\_time} \le t .

*Before*, strictly: an event at t itself, such as the click whose probability is being predicted,
does not count. The latest is the one with the largest event_time; of those with the same, the one
created last, a correction. No two rows agree in key and both times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from newsreco.feature_store.views import TIMES, View


def as_of_query(view: View, asked: sa.FromClause) -> sa.Select:
    """For each row of `asked` (position, keys, time), the row of the view that counts.

    The subquery walks the index backwards from the latest row and stops at the first
    that was known in time.
    """
    table, past = view.table, view.table.alias("past")
    latest = (
        sa.select(past.c.id)
        .where(*[past.c[key] == asked.c[key] for key in view.keys])
        .where(past.c.event_time < asked.c.time, past.c.created_time <= asked.c.time)
        .order_by(past.c.event_time.desc(), past.c.created_time.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = [table.c[name] for name in TIMES + view.features]
    rows = sa.select(asked.c.position, *columns)
    return rows.join_from(asked, table, table.c.id == latest)


def latest_query(view: View, asked: sa.FromClause) -> sa.Select:
    """For each row of `asked` (position, keys), the latest row of its key: one look-up each."""
    table = view.latest
    same = sa.and_(*[table.c[key] == asked.c[key] for key in view.keys])
    columns = [table.c[name] for name in TIMES + view.features]
    return sa.select(asked.c.position, *columns).join_from(asked, table, same)


def snapshot_query(view: View, time: float, fixed: Mapping[str, str]) -> sa.Select:
    """For each key, the row that counts at one time; `fixed` restricts the keys."""
    table = view.table
    recency = sa.func.row_number().over(
        partition_by=[table.c[key] for key in view.keys],
        order_by=[table.c.event_time.desc(), table.c.created_time.desc()],
    )
    known = (
        sa.select(*[table.c[name] for name in view.columns], recency.label("recency"))
        .where(table.c.event_time < time, table.c.created_time <= time)
        .where(*[table.c[key] == value for key, value in fixed.items()])
        .subquery()
    )
    return sa.select(*[known.c[name] for name in view.columns]).where(known.c.recency == 1)


def as_of_reference(
    rows: Sequence[Mapping], view: View, keys: Sequence[tuple], times: Sequence[float]
) -> np.ndarray:
    """`as_of_query` in plain Python: (n, 2 + n_features) float64, nan where nothing was known."""
    wanted, answer = TIMES + view.features, []
    for key, time in zip(keys, times):
        known = [
            row for row in rows
            if tuple(row[name] for name in view.keys) == tuple(key)
            and row["event_time"] < time and row["created_time"] <= time
        ]  # fmt: skip
        latest = max(known, key=lambda row: (row["event_time"], row["created_time"]), default={})
        answer.append([latest.get(name, np.nan) for name in wanted])
    return np.array(answer, np.float64).reshape(len(keys), len(wanted))
