"""The job that fills the store from a log: one window, one transaction.

Beside the features it keeps a ledger, so it can be repeated: windows that exist are skipped and
missing ones are written; a log that lacks impressions of theirs, or other settings, are refused.
Impressions that come after their window was written are added in one transaction, as corrections
that are known from then on. A window that is still open is left out. Simultaneous jobs share the
work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from newsreco.data.log import NewsLog
from newsreco.data.times import DAY, HOUR, iso_time
from newsreco.feature_store import ledger as ledgers
from newsreco.feature_store.ledger import Ledger
from newsreco.feature_store.store import FeatureStore, one_at_a_time
from newsreco.feature_store.versions import Version, changed
from newsreco.feature_store.windows import Columns, window_ends, windows
from recsys import validation
from recsys.progress import progress_bar


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
    """Numbers of windows written, windows skipped and rows written by a job.

    Parameters
    ----------
    windows, skipped, rows : int
    late : int
        Impressions added to windows that were written before.
    waiting : int
        Impressions of windows that are still open.
    """

    windows: int
    skipped: int
    rows: int
    late: int = 0
    waiting: int = 0


def build(
    store: FeatureStore,
    log: NewsLog,
    schedule: Schedule | None = None,
    until: float | None = None,
    known_at: float | None = None,
    progress: bool = True,
) -> Built:
    """Write the features of a log; windows that exist already are skipped.

    Parameters
    ----------
    store : FeatureStore
    log : NewsLog
        All impressions since the beginning; it may have grown since the last run.
    schedule : Schedule, optional
    until : float, optional
        The log is complete until this time; by default, until its last impression. A window that
        ends later is open: its impressions are still arriving, so it is left out.
    known_at : float, optional
        When the impressions became known that were not there when their window was written; now by
        default. Later than everything in the store, so nothing that was known before changes.

    Raises
    ------
    ValueError
        If the store was built from another log or by another schedule, or `known_at` is too early.
    ConnectionError
        If the database goes away. Finished windows are kept, the current one is undone, and the
        next run continues from there.
    """
    until = float(log.impressions.time[-1] if until is None else until)
    if np.isnan(until):
        raise ValueError("until must be a time, got nan")
    job = _Job(store, log, schedule or Schedule(), progress)
    late, corrections = job.add_late(time.time() if known_at is None else known_at)
    written, skipped, rows = job.add_new(until)
    waiting = int(np.isnan(job.known).sum())
    return Built(written, skipped, rows + corrections, late, waiting)


class _Job:
    """One run of the job."""

    def __init__(self, store: FeatureStore, log: NewsLog, schedule: Schedule, progress: bool):
        self.store, self.log, self.schedule, self.progress = store, log, schedule, progress
        self.windows = list(windows(log, schedule.width))
        self.ends = window_ends(log, schedule.width)
        self.digests = ledgers.impression_digests(log)
        self.known = np.full(len(self.ends), np.nan)  # when each impression became known

    def add_late(self, created: float) -> tuple[int, int]:
        """Add the impressions of written windows that the store has not, known at `created`.

        Returns their number, and that of the rows that correct others.
        """
        with self.store.transaction(writes=True) as connection:
            one_at_a_time(connection)
            ledgers.LEDGER.create(connection, checkfirst=True)
            ledger = self._read(connection)
            late = np.isnan(self.known) & (self.ends <= ledger.built_until)
            if not late.any():
                return 0, 0
            _check_known_at(created, ledger.last_created)
            self.known[late] = created
            return int(late.sum()), self._correct(connection, late, ledger.built_until, created)

    def _read(self, connection: sa.Connection) -> Ledger:
        ledger = Ledger.read(connection, repr(self.schedule), self.schedule.delay)
        self.known = ledger.times(self.ends, self.digests)
        return ledger

    def _correct(
        self, connection: sa.Connection, late: np.ndarray, until: float, created: float
    ) -> int:
        """Write what late impressions change in the windows that exist."""
        versions = [self._version(np.nextafter(created, -np.inf)), self._version(created)]
        n_rows = 0
        for end, first, last in self._bar(until, "late impressions"):
            old, new = (version.advance(end, first, last) for version in versions)
            digests = [self.digests[n] for n in range(first, last) if late[n]]
            n_rows += self._write(connection, end, created, self._changed(new, old), digests)
        return n_rows

    def add_new(self, until: float) -> tuple[int, int, int]:
        """Write the windows that end by `until`; numbers of written and skipped ones, and rows."""
        with self.store.transaction() as connection:
            ledger = self._read(connection)
        late = np.isnan(self.known) & (self.ends <= ledger.built_until)
        ledgers.check(not late.any(), "another job wrote a window meanwhile, without some of them")
        fresh = np.isnan(self.known) & (self.ends <= until)
        self.known[fresh] = self.ends[fresh] + self.schedule.delay
        written = rows = 0
        if fresh.any():
            versions = self._versions(ledger, self.ends[fresh].min())
            for end, first, last in self._bar(until, "features"):
                batches = {v.time: v.advance(end, first, last) for v in versions}
                if end > ledger.built_until:
                    n_rows = self._write_window(ledger, end, first, last, batches)
                    written, rows = written + (n_rows > 0), rows + n_rows
        self._close(until)
        n_windows = sum(end <= until for end, *_ in self.windows)
        return written, n_windows - written, rows

    def _versions(self, ledger: Ledger, first: float) -> list[Version]:
        """What is written first, and one version for each time after it of late impressions."""
        later = [time for time in ledger.created if time > first + self.schedule.delay]
        return [self._version(time) for time in (-np.inf, *later)]

    def _version(self, time: float) -> Version:
        known = np.where(np.isnan(self.known), np.inf, self.known)
        return Version(self.log, known, self.schedule.half_life, self.schedule.delay, time)

    def _bar(self, until: float, what: str):
        todo = [window for window in self.windows if window[0] <= until]
        return progress_bar(todo, what, self.progress)

    def _write_window(
        self, ledger: Ledger, end: float, first: int, last: int, batches: dict
    ) -> int:
        """Write one window and what is known of it later, all or nothing; the number of rows."""
        created = end + self.schedule.delay
        with self.store.transaction(writes=True) as connection:
            one_at_a_time(connection)
            if self._is_written(connection, ledger, end, self.digests[first:last]):
                return 0
            times = [time for time in batches if time > created]
            old = batches[-np.inf]
            n_rows = self._write(connection, end, created, old, self.digests[first:last])
            for time in times:  # ascending
                n_rows += self._write(connection, end, time, self._changed(batches[time], old), [])
                old = batches[time]
        return n_rows

    def _is_written(
        self, connection: sa.Connection, ledger: Ledger, end: float, digests: list[str]
    ) -> bool:
        """Whether another job wrote a window, which must be of the same impressions."""
        same = ledgers.late_times(connection, self.schedule.delay) == ledger.created
        ledgers.check(same, "another job added late impressions meanwhile: run this one again")
        if ledgers.built_until(connection) < end:
            return False
        ledgers.check_window(connection, end, digests)
        return True

    def _changed(self, new: dict[str, Columns], old: dict[str, Columns]) -> dict[str, Columns]:
        return {name: changed(self.store.view(name), new[name], old[name]) for name in new}

    def _write(
        self, connection: sa.Connection, end: float, created: float, batches: dict[str, Columns],
        digests: list[str],
    ) -> int:  # fmt: skip
        """Write one batch and its row in the ledger; the number of rows."""
        n_rows = sum(len(batch["clicks"]) for batch in batches.values())
        if n_rows or digests or not batches:
            ledgers.write_batch(connection, end, created, n_rows, repr(self.schedule), digests)
        for name, batch in batches.items():
            n = len(batch["clicks"])
            times = {"event_time": np.full(n, end), "created_time": np.full(n, created)}
            self.store.add(connection, name, batch | times)
        return n_rows

    def _close(self, until: float) -> None:
        """Note that all windows that end by a time are written, if the last of them is empty."""
        end = np.floor(until / self.schedule.width) * self.schedule.width
        with self.store.transaction(writes=True) as connection:
            one_at_a_time(connection)
            if ledgers.built_until(connection) < end < np.inf:
                self._write(connection, float(end), float(end) + self.schedule.delay, {}, [])


def _check_known_at(created: float, last: float) -> None:
    validation.real_number("known_at", created, low=-np.inf)
    if created <= last:
        raise ValueError(
            "known_at must be later than all that the store knows, which is of "
            f"{iso_time(last)}, got {iso_time(created)}: there are late impressions"
        )
