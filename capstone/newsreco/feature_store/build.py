"""The job that fills the store from a log: one window, one transaction.

Beside the features it writes one ledger row per window: its end, the number of rows, and a
checksum of everything the rows depend on, settings and earlier windows included. So it can be
repeated: windows that exist are skipped, missing ones are written, and a log or settings that
disagree with them are refused. Two simultaneous jobs share the work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa

from newsreco.data.log import NewsLog
from newsreco.data.times import DAY, HOUR
from newsreco.feature_store.rows import insert_new
from newsreco.feature_store.store import FeatureStore, one_at_a_time
from newsreco.feature_store.windows import Totals, windows
from recsys import validation
from recsys.progress import progress_bar

LEDGER = sa.Table(  # the finished windows
    "feature_windows",
    sa.MetaData(),
    sa.Column("event_time", sa.Double, primary_key=True, autoincrement=False),
    sa.Column("n_rows", sa.Double, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Schedule:
    """When features are computed.

    Parameters
    ----------
    width : float
        Seconds per window; a row's event_time is the end of its window.
    delay : float
        Seconds until the store has the row: created_time is event_time + delay.
    half_life : float
        Of decayed clicks, in seconds.
    """

    width: float = HOUR
    delay: float = 900.0
    half_life: float = 3 * DAY

    def __post_init__(self) -> None:
        validation.real_number("width", self.width, low=60.0)
        validation.real_number("delay", self.delay)
        validation.real_number("half_life", self.half_life, open_low=True)


@dataclass(frozen=True)
class Built:
    """Numbers of windows written, windows skipped and rows written by a job."""

    windows: int
    skipped: int
    rows: int


def build(
    store: FeatureStore,
    log: NewsLog,
    schedule: Schedule | None = None,
    until: float = np.inf,
    progress: bool = True,
) -> Built:
    """Write the features of a log; windows that exist already are skipped.

    Parameters
    ----------
    store : FeatureStore
    log : NewsLog
        May have grown at its end since the last run.
    schedule : Schedule, optional
    until : float
        Leave out windows that end later, whose impressions are still arriving.

    Raises
    ------
    ValueError
        If the store was built from another log, or by another schedule.
    ConnectionError
        If the database goes away. Finished windows are kept, the current one is undone, and the
        next run continues from there.
    """
    schedule = schedule or Schedule()
    done = finished_windows(store)
    totals, checksum = Totals(log, schedule.half_life), repr(schedule)
    written = skipped = rows = 0
    todo = [window for window in windows(log, schedule.width) if window[0] <= until]
    for end, first, last in progress_bar(todo, "features", progress):
        checksum = _checksum(checksum, log, end, first, last)
        batches = totals.advance(end, first, last)
        if end in done:
            _check(done[end], checksum, end)
            skipped += 1
        elif n_rows := _write_window(store, batches, end, end + schedule.delay, checksum):
            written, rows = written + 1, rows + n_rows
        else:
            skipped += 1  # another job was faster
    return Built(written, skipped, rows)


def _write_window(
    store: FeatureStore, batches: dict, end: float, created: float, checksum: str
) -> int:
    """Write one window and its ledger row, all or nothing; the number of rows."""
    n_rows = sum(len(batch["clicks"]) for batch in batches.values())
    with store.transaction(writes=True) as connection:
        if not _claim(connection, end, n_rows, checksum):
            return 0
        for view, batch in batches.items():
            n = len(batch["clicks"])
            times = {"event_time": np.full(n, end), "created_time": np.full(n, created)}
            store.add(connection, view, batch | times)
    return n_rows


def _claim(connection: sa.Connection, end: float, n_rows: int, checksum: str) -> bool:
    """Enter a window in the ledger; False if another job did, whose checksum must agree.

    As the first statement of the transaction, it makes a second job wait for the first.
    """
    row = pd.DataFrame({"event_time": [end], "n_rows": [float(n_rows)], "checksum": [checksum]})
    if insert_new(connection, LEDGER, row):
        return True
    query = sa.select(LEDGER.c.checksum).where(LEDGER.c.event_time == end)
    _check(connection.execute(query).scalar_one(), checksum, end)
    return False


def finished_windows(store: FeatureStore) -> dict[float, str]:
    """Checksums of the finished windows by their ends; creates the ledger if it is missing."""
    with store.transaction(writes=True) as connection:
        one_at_a_time(connection)
        LEDGER.create(connection, checkfirst=True)
        rows = connection.execute(sa.select(LEDGER.c.event_time, LEDGER.c.checksum)).all()
    return dict(rows)


def _checksum(before: str, log: NewsLog, end: float, first: int, last: int) -> str:
    """The sha256 of everything the rows of a window depend on, earlier windows included."""
    part, articles = log.impressions.rows(first, last), log.articles
    words = [before, repr(end), *(log.user_ids[user] for user in part.user)]
    for item in part.item:
        words += articles.ids[item], articles.categories[articles.category[item]]
    digest = hashlib.sha256("\n".join(words).encode())
    for array in (part.time, part.start, part.clicked):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check(stored: str, checksum: str, end: float) -> None:
    if stored != checksum:
        raise ValueError(
            "the store must have been built from this log by this schedule, or from its "
            f"beginning: the window that ends at {end:.0f} was not; give another database"
        )
