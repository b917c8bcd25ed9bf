"""The job that fills the store from a log: one window, one transaction.

Beside the features it writes one line a window: its end, how many rows, and a digest of all that
the rows rest on, settings and earlier windows included. So it can be run again: a window that is
there is skipped, one that is missing is written, and a log or settings that do not agree with
what is there are refused. Two jobs at once share the work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco.data.log import NewsLog
from newsreco.data.times import DAY, HOUR
from newsreco.feature_store.rows import fill
from newsreco.feature_store.store import FeatureStore, one_at_a_time
from newsreco.feature_store.windows import Totals, windows
from recsys import validation
from recsys.progress import progress_bar

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class Schedule:
    """When features are computed.

    Parameters
    ----------
    width : float
        Seconds a window lasts; a row's event_time is the end of its window.
    delay : float
        Seconds from there until the store has the row: created_time is event_time + delay.
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
    """What a run of the job did: windows written, windows that were there, and rows written."""

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
    """Write the features of a log; what is there already is left as it is.

    Parameters
    ----------
    store : FeatureStore
    log : NewsLog
        May have grown since the last run, at its end.
    schedule : Schedule, optional
    until : float
        Leave out windows that end later, as long as their visits are still coming in.

    Raises
    ------
    ValueError
        If the store was built from another log, or by another schedule.
    ConnectionError
        If the database goes away. Finished windows are kept, the one being written is undone, and
        the next run goes on from there.
    """
    schedule = schedule or Schedule()
    done = _finished(store)
    totals, seal = Totals(log, schedule.half_life), repr(schedule)
    written = skipped = rows = 0
    todo = [window for window in windows(log, schedule.width) if window[0] <= until]
    for end, first, last in progress_bar(todo, "features", progress):
        seal = _seal(seal, log, end, first, last)
        batches = totals.advance(end, first, last)
        if end in done:
            _check_seal(done[end], seal, end)
            skipped += 1
        elif n_rows := _write_window(store, batches, end, end + schedule.delay, seal):
            written, rows = written + 1, rows + n_rows
        else:
            skipped += 1  # another job was faster
    return Built(written, skipped, rows)


def _write_window(store: FeatureStore, batches: dict, end: float, created: float, seal: str) -> int:
    """Write one window and its line in the ledger, all of it or nothing; how many rows."""
    n_rows = sum(len(batch["clicks"]) for batch in batches.values())
    with store.transaction(writes=True) as connection:
        if not _claim(connection, end, n_rows, seal):
            return 0
        for view, batch in batches.items():
            n = len(batch["clicks"])
            clocks = {"event_time": np.full(n, end), "created_time": np.full(n, created)}
            store.add(connection, view, batch | clocks)
    return n_rows


def _claim(connection: sa.Connection, end: float, n_rows: int, seal: str) -> bool:
    """Enter a window in the ledger; False where another job did, which must agree.

    Coming first in the transaction, it makes a second job wait until the first is through.
    """
    import sqlalchemy as sa

    line = pd.DataFrame({"event_time": [end], "n_rows": [float(n_rows)], "seal": [seal]})
    if fill(connection, ledger(), line):
        return True
    mine = ledger().c.event_time == end
    _check_seal(connection.execute(sa.select(ledger().c.seal).where(mine)).scalar_one(), seal, end)
    return False


@cache
def ledger() -> sa.Table:
    """The table of finished windows."""
    import sqlalchemy as sa

    return sa.Table(
        "feature_windows",
        sa.MetaData(),
        sa.Column("event_time", sa.Double, primary_key=True, autoincrement=False),
        sa.Column("n_rows", sa.Double, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )


def _finished(store: FeatureStore) -> dict[float, str]:
    """The seals of the finished windows by their ends; makes the ledger where there is none."""
    import sqlalchemy as sa

    with store.transaction(writes=True) as connection:
        one_at_a_time(connection)
        ledger().create(connection, checkfirst=True)
        rows = connection.execute(sa.select(ledger().c.event_time, ledger().c.seal)).all()
    return dict(rows)


def _seal(before: str, log: NewsLog, end: float, first: int, last: int) -> str:
    """A sha256 over all that the rows of a window rest on, the earlier windows included."""
    part, articles = log.impressions.rows(first, last), log.articles
    words = [before, repr(end), *(log.user_ids[user] for user in part.user)]
    for item in part.item:
        words += articles.ids[item], articles.categories[articles.category[item]]
    digest = hashlib.sha256("\n".join(words).encode())
    for array in (part.time, part.start, part.clicked):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_seal(stored: str, seal: str, end: float) -> None:
    if stored != seal:
        raise ValueError(
            "the store must have been built from this log by this schedule, or from its "
            f"beginning: the window that ends at {end:.0f} was not; give another database"
        )
