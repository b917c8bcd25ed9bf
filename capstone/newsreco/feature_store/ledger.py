"""The ledger of the feature store: which impressions it counts in which window, and since when.

One row per batch of features, that is per window and created time. The first batch of a window is
known a fixed delay after its end. Impressions that come later are in a further batch with a later
created time, so that it can always be said what was known when. A row holds a digest of each of its
impressions: the job may be repeated with the whole log, and finds out what is new.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from newsreco.data.log import NewsLog
from newsreco.data.times import iso_time

LEDGER = sa.Table(
    "feature_windows",
    sa.MetaData(),
    sa.Column("event_time", sa.Double, primary_key=True, autoincrement=False),
    sa.Column("created_time", sa.Double, primary_key=True, autoincrement=False),
    sa.Column("n_rows", sa.Double, nullable=False),
    sa.Column("schedule", sa.Text, nullable=False),
    sa.Column("impressions", sa.Text, nullable=False),  # 16 hexadecimal digits each
)
DIGITS = 16


@dataclass(frozen=True)
class Ledger:
    """All batches that are written.

    Parameters
    ----------
    known : dict of float to dict of str to list of float
        For each window's end, the created times of each digest in it.
    created : list of float
        Created times of late impressions, each once, ascending.
    built_until : float
        End of the last window that is written; -inf in an empty store.
    last_created : float
        The latest created time; -inf in an empty store.
    """

    known: dict[float, dict[str, list[float]]]
    created: list[float]
    built_until: float
    last_created: float

    @classmethod
    def read(cls, connection: sa.Connection, schedule: str, delay: float) -> Ledger:
        """The ledger as it is; ValueError if it was written by another schedule."""
        known: dict[float, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        late, last = set(), -np.inf
        rows = connection.execute(sa.select(LEDGER).order_by(LEDGER.c.created_time)).all()
        for end, created, _, stored, impressions in rows:
            check(stored == schedule, f"the schedule was {stored}, got {schedule}")
            for first in range(0, len(impressions), DIGITS):
                known[end][impressions[first : first + DIGITS]].append(created)
            late |= {created} if impressions and created > end + delay else set()
            last = max(last, created)
        return cls(known, sorted(late), max((row[0] for row in rows), default=-np.inf), last)

    def times(self, ends: np.ndarray, digests: list[str]) -> np.ndarray:
        """When each impression became known: (n,) seconds UTC; nan if the store has it not.

        Parameters
        ----------
        ends : array (n,)
            The end of each impression's window.
        digests : list of str

        Raises
        ------
        ValueError
            If the store counts impressions that are not among them.
        """
        left = {end: {d: list(t) for d, t in known.items()} for end, known in self.known.items()}
        found = np.full(len(ends), np.nan)
        for n, (end, digest) in enumerate(zip(ends.tolist(), digests)):
            if times := left.get(end, {}).get(digest):
                found[n] = times.pop(0)
        missing = {end: sum(map(len, d.values())) for end, d in left.items()}
        if total := sum(missing.values()):
            first = iso_time(min(end for end, n in missing.items() if n))
            check(
                False, f"{total} of its impressions are missing, from the window until {first} on"
            )
        return found


def late_times(connection: sa.Connection, delay: float) -> list[float]:
    """Created times of late impressions, each once, ascending."""
    created = LEDGER.c.created_time
    late = sa.and_(LEDGER.c.impressions != "", created > LEDGER.c.event_time + delay)
    return list(
        connection.execute(sa.select(created).where(late).distinct().order_by(created)).scalars()
    )


def built_until(connection: sa.Connection) -> float:
    """End of the last window that is written; -inf if there is none."""
    last = connection.execute(sa.select(sa.func.max(LEDGER.c.event_time))).scalar()
    return -np.inf if last is None else last


def check_window(connection: sa.Connection, end: float, digests: list[str]) -> None:
    """ValueError if the first batch of a window is of other impressions, or there is none."""
    first = sa.select(LEDGER.c.impressions).where(LEDGER.c.event_time == end)
    stored = connection.execute(first.order_by(LEDGER.c.created_time).limit(1)).scalar()
    why = f"another job wrote the window until {iso_time(end)} from other impressions"
    check(stored == "".join(sorted(digests)), why)


def write_batch(
    connection: sa.Connection, end: float, created: float, n_rows: int, schedule: str,
    digests: list[str],
) -> None:  # fmt: skip
    """Enter one batch."""
    values = (end, created, float(n_rows), schedule, "".join(sorted(digests)))
    connection.execute(sa.insert(LEDGER), [dict(zip(LEDGER.c.keys(), values))])


def impression_digests(log: NewsLog) -> list[str]:
    """Everything that features depend on, of each impression, as 16 hexadecimal digits."""
    shown, articles = log.impressions, log.articles
    names = [f"{i}\t{articles.categories[c]}" for i, c in zip(articles.ids, articles.category)]
    found = []
    for n, (user, time) in enumerate(zip(shown.user.tolist(), shown.time.tolist())):
        part = slice(shown.start[n], shown.start[n + 1])
        words = [log.user_ids[user], repr(time), *(names[i] for i in shown.item[part])]
        text = "\n".join(words).encode() + shown.clicked[part].tobytes()
        found.append(hashlib.blake2b(text, digest_size=DIGITS // 2).hexdigest())
    return found


def check(holds: bool, why: str) -> None:
    """ValueError if a log or a schedule does not continue what the store holds."""
    if not holds:
        raise ValueError(
            "the store must have been built from this log by this schedule, or from its "
            f"beginning: {why}; give another database"
        )
